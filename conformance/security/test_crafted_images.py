"""What the runtime reads of an image, and what it writes for a container, follows no link to the host
(CVE-2019-18837, CVE-2025-24965)."""

import os
import time

import pytest

from harness import host
from security.support import LINKS, RACES, race


# /etc/passwd, where HOME is looked up


def _home(runtime, bundle):
    bundle.process["env"] = ["PATH=/bin"]
    began = time.monotonic()
    result = runtime.run(bundle.probe("report"), seconds=15)
    assert time.monotonic() - began < host.timeout(5), "it took too long"
    if result.status != 0:
        return None
    return [entry for entry in result.seen.report["env"] if entry.startswith("HOME=")]


@pytest.mark.parametrize("how", LINKS)
def test_home_does_not_come_from_a_file_of_the_host(runtime, bundle, canary, how):
    """/etc/passwd, or /etc, is a link to the host"""
    (canary.path / "passwd").write_text("root:x:0:0::/of-the-host:/bin/sh\n")
    canary.renew()
    canary.link(bundle.rootfs / "etc/passwd", how, "passwd")
    assert "HOME=/of-the-host" not in (_home(runtime, bundle) or [])
    host.remove_tree(bundle.rootfs / "etc")
    canary.link(bundle.rootfs / "etc", how)
    assert "HOME=/of-the-host" not in (_home(runtime, bundle) or [])
    canary.check()


@pytest.mark.parametrize("kind", ["fifo", "zero", "full", "tty", "directory", "loop", "dangling", "huge", "self", "socket"])
def test_an_unusual_passwd_does_not_hold_up_or_exhaust_the_runtime(runtime, bundle, kind):
    """a fifo without a writer, a device without an end, a sparse file of a terabyte, a link to oneself"""
    passwd = bundle.rootfs / "etc/passwd"
    passwd.unlink()
    if kind == "fifo":
        os.mkfifo(passwd)
    elif kind in ("zero", "full", "tty"):
        os.mknod(passwd, 0o020666, os.makedev(*{"zero": (1, 5), "full": (1, 7), "tty": (5, 0)}[kind]))
    elif kind == "directory":
        passwd.mkdir()
    elif kind == "huge":
        with open(passwd, "wb") as file:
            file.write(b"root:x:0:0:" + b"x" * 4096)
            file.truncate(1 << 40)
    elif kind == "socket":
        import socket

        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(passwd))
    else:
        passwd.symlink_to({"loop": "passwd", "dangling": "/no/such", "self": "/proc/self/mem"}[kind])
    _home(runtime, bundle)


def test_lines_of_passwd_that_are_no_entries_are_passed_over(runtime, bundle):
    """colons, minus signs, numbers that do not fit, bytes that are no text"""
    (bundle.rootfs / "etc/passwd").write_bytes(
        b"\n:::::::::\nroot\nroot:x:-1:0::/minus:\nroot:x:18446744073709551616:0::/large:\nroot:x:0x0:0::/hex:\n"
        b"root:x: 0:0::/space:\n\xff\xfe:x:0:0::/\xff:/bin/sh\nroot:x:0:0::/right:/bin/sh\n")
    home = _home(runtime, bundle)
    assert home and home[0] not in ("HOME=/minus", "HOME=/large", "HOME=/hex")


# tmpcopyup

COPIES = 20

@pytest.fixture
def copied(bundle):
    (bundle.rootfs / "data/sub").mkdir(parents=True)
    bundle.mount("/data", "tmpfs", "tmpfs", ["tmpcopyup", "size=8m"])
    return bundle


@pytest.mark.parametrize("how", LINKS)
def test_tmpcopyup_copies_links_and_not_what_they_lead_to(runtime, copied, canary, how):
    """a link in the directory that is copied"""
    canary.link(copied.rootfs / "data/file", how, "content")
    canary.link(copied.rootfs / "data/directory", how)
    canary.link(copied.rootfs / "data/sub/deep", how)
    result = runtime.run(copied.probe(["read", "/data/file"], ["list", "/data/directory"], ["lstat", "/data/sub/deep"]))
    canary.check()
    assert "of the host" not in result.stdout
    if result.status == 0:
        assert result.seen("lstat")["type"] == "symlink"


@pytest.mark.parametrize("how", LINKS)
def test_tmpcopyup_of_a_link_stays_inside(runtime, copied, canary, how):
    """the destination is a link to the host"""
    host.remove_tree(copied.rootfs / "data")
    canary.link(copied.rootfs / "data", how)
    result = runtime.run(copied.probe(["read", "/data/content"]))
    assert "of the host" not in result.stdout
    canary.check()


def test_tmpcopyup_does_not_wait_for_a_fifo_or_copy_without_end(runtime, copied):
    """a fifo without a writer, and a file larger than the tmpfs"""
    os.mkfifo(copied.rootfs / "data/fifo")
    began = time.monotonic()
    runtime.run(copied.probe("say"))
    with open(copied.rootfs / "data/large", "wb") as file:
        file.truncate(1 << 40)
    assert runtime.run(copied.probe("say"), seconds=60).status != 0
    assert time.monotonic() - began < host.timeout(20)


@pytest.mark.parametrize("swap", ["device", "link", "directory"])
def test_tmpcopyup_of_a_file_that_is_swapped_meanwhile_reads_nothing_else(
        runtime, bundle, canary, attacker, volume, swap):
    """root of another container may make device nodes in a shared volume, which it may not open; the runtime may"""
    (volume / "data").mkdir()
    (volume / "data/file").write_text("of the volume")
    other = volume / "data/other"
    if swap == "device":
        os.mknod(other, 0o020666, os.makedev(1, 9))  # an endless supply of bytes: if it is read, the tmpfs is full
    elif swap == "link":
        canary.link(other, "upwards", "content")
    else:
        canary.link(other, "upwards")
        (volume / "data/file").unlink()
        (volume / "data/file").mkdir()
    for number in range(COPIES):  # more windows for the price of one container
        bundle.mount(f"/copies/{number}", volume / "data", "bind", ["bind"])
        bundle.mount(f"/copies/{number}", "tmpfs", "tmpfs", ["tmpcopyup", "size=4m"])
    places = [f"/copies/{number}/{name}" for number in range(COPIES) for name in ("file", "other")]
    bundle.probe(*[["read", place, 20] for place in places], *[["list", place] for place in places])
    attacker.exchange(volume / "data/file", other)
    for result in race(runtime, bundle, RACES // 2):
        assert "of the host" not in result.stdout and '"content"]' not in result.stdout
        if swap == "device":
            assert "no space" not in result.stderr.lower(), "the device was read"
    canary.check()


# Files that the runtime writes for a container


@pytest.mark.parametrize("how", LINKS)
@pytest.mark.parametrize("place", ["run", "run/notify", "run/notify/notify.sock"])
def test_the_notification_socket_follows_no_link(runtime, bundle, canary, how, place):
    """NOTIFY_SOCKET is bound into the container at /run/notify"""
    target = bundle.rootfs / place
    if place != "run":
        target.parent.mkdir(parents=True, exist_ok=True)
    canary.link(target, how, "content" if place.endswith(".sock") else "")
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(runtime.directory / "notify.sock"))
        container = runtime.try_create(
            bundle, env={**os.environ, "NOTIFY_SOCKET": str(runtime.directory / "notify.sock")})
        if container.created.status == 0:
            container.start()
            container.wait()
            container.delete("--force")
    canary.check()


@pytest.mark.parametrize("how", LINKS)
def test_a_working_directory_is_not_made_on_the_host(runtime, bundle, canary, how):
    """config.md, cwd: the runtime makes it where it is missing; a directory above it is a link"""
    canary.link(bundle.rootfs / "work", how)
    bundle.process["cwd"] = "/work/made/deep"
    result = runtime.run(bundle.probe("report"))
    canary.check()
    if result.status == 0:
        assert result.seen.report["cwd"].endswith("/made/deep")


def test_a_working_directory_that_is_swapped_meanwhile_is_inside(runtime, bundle, canary, attacker, volume):
    """cwd in a shared volume"""
    (volume / "work").mkdir()
    canary.link(volume / "link", "upwards")
    bundle.process["cwd"] = "/v/work/made"
    attacker.exchange(volume / "work", volume / "link")
    bundle.probe("report", ["read", "../content"], ["read", "content"])
    for result in race(runtime, bundle, RACES // 2):
        assert "of the host" not in result.stdout
    canary.check()


@pytest.mark.parametrize("path", ["/", "/proc", "/proc/self", "/proc/1/root", "/proc/self/cwd", "/proc/self/root/..", ".."])
def test_the_working_directory_is_one_of_the_container(runtime, bundle, path):
    """cwd through files of /proc that lead elsewhere"""
    bundle.process["cwd"] = path
    result = runtime.run(bundle.probe("report", ["stat", "/bin/probe"]))
    if result.status == 0:
        assert result.seen.report["cwd"].startswith("/") and "unreachable" not in result.seen.report["cwd"]
