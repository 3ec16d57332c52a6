"""The console of a container is its own terminal (CVE-2025-52565).

/dev/console is a mount of the terminal, and what an image has in the places of /dev/console, /dev/pts and /dev/ptmx
must not take the terminal's part: a file of the host would appear, writable, in the container."""

import os
import stat

import pytest

from harness import ConsoleSocket
from security.support import LINKS, RACES


@pytest.fixture
def console(runtime):
    sock = ConsoleSocket(runtime.directory / "console.sock")
    yield sock
    sock.close()


@pytest.fixture
def terminal(bundle):
    bundle.process["terminal"] = True
    return bundle


def _see(runtime, bundle, console, *verbs):
    """What the probe prints on the terminal; None when the container could not be made."""
    container = runtime.try_create(bundle.probe(*verbs, "say"), "--console-socket", console.path)
    if container.created.status != 0:
        return None
    end = console.receive()
    assert os.isatty(end.master), "what was handed over is no terminal"
    if container.start().status != 0:
        end.close()
        return None
    seen = end.wait_for("say")
    end.close()
    return seen


def _is_terminal(status) -> bool:
    return (status.get("type"), status.get("major")) == ("character", 136)


def _without_dev(bundle, *also):
    for name in ("/dev/mqueue", "/dev/shm", "/dev/pts", "/dev", *also):
        bundle.without_mount(name)
    return bundle


@pytest.mark.parametrize("how", LINKS)
def test_links_in_the_place_of_terminals_are_not_followed(runtime, terminal, console, canary, how):
    """a directory of links 0, 1, 2 ... is mounted on /dev/pts: the console would be what they lead to"""
    false = runtime.directory / "pts"
    false.mkdir()
    for number in range(64):
        canary.link(false / str(number), how, "content")
    for name in ("ptmx",):
        canary.link(false / name, how, "content")
    terminal.without_mount("/dev/pts").mount("/dev/pts", false, "bind", ["rbind"])
    seen = _see(runtime, terminal, console, ["stat", "/dev/console"], ["write", "/dev/console", "written"])
    canary.check()
    if seen:
        assert _is_terminal(seen("stat")), seen.text


@pytest.mark.parametrize("name", ["console", "pts", "ptmx", "pts/ptmx"])
@pytest.mark.parametrize("how", LINKS)
def test_a_link_of_the_image_is_not_followed(runtime, terminal, console, canary, name, how):
    """no mounts at /dev, and the image has a link in one of the places that a terminal needs"""
    _without_dev(terminal)
    place = terminal.rootfs / "dev" / name
    place.parent.mkdir(exist_ok=True)
    canary.link(place, how, "empty" if name == "pts" else "content")
    seen = _see(runtime, terminal, console, ["stat", "/dev/console"], ["write", "/dev/console", "written"])
    canary.check()
    if seen:
        assert _is_terminal(seen("stat")), seen.text


@pytest.mark.parametrize("name", ["pts", "ptmx", "console"])
def test_something_else_in_the_place_of_a_terminal_is_no_terminal(runtime, terminal, console, canary, name):
    """a fifo on which open(2) would wait, a device that is no multiplexer"""
    _without_dev(terminal)
    place = terminal.rootfs / "dev" / name
    os.mkfifo(place)
    seen = _see(runtime, terminal, console, ["stat", "/dev/console"])
    if seen:
        assert _is_terminal(seen("stat")), seen.text
    place.unlink()
    os.mknod(place, stat.S_IFCHR | 0o666, os.makedev(1, 7))
    seen = _see(runtime, terminal, console, ["stat", "/dev/console"])
    if seen:
        assert _is_terminal(seen("stat")), seen.text


def test_a_dev_that_is_a_link_is_not_followed_for_the_console(runtime, terminal, console, canary):
    """rootfs/dev -> a directory of the host, in which console would be made"""
    _without_dev(terminal)
    canary.link(terminal.rootfs / "dev", "absolute")
    _see(runtime, terminal, console)
    canary.check()


def test_a_console_that_is_swapped_meanwhile_is_the_terminal_all_the_same(
        runtime, terminal, console, canary, attacker, volume):
    """/dev is a directory of a volume, in which another container swaps console for a link"""
    _without_dev(terminal).mount("/dev", volume, "bind", ["rbind"])
    (volume / "pts").mkdir()
    terminal.mount("/dev/pts", "devpts", "devpts", ["newinstance", "ptmxmode=0666"])
    (volume / "console").write_text("")
    canary.link(volume / "link", "upwards", "content")
    attacker.exchange(volume / "console", volume / "link")
    for _ in range(RACES // 2):
        _see(runtime, terminal, console, ["write", "/dev/console", "written"])
    canary.check()


@pytest.mark.parametrize("user", [0, 1000])
def test_a_terminal_of_the_host_does_not_change_its_owner(runtime, terminal, console, user):
    """the terminal belongs to the container's devpts; those of the host keep their owners"""
    terminal.process["user"] = {"uid": user, "gid": user}

    def owners():
        return {name: (os.stat(f"/dev/{name}").st_uid, os.stat(f"/dev/{name}").st_mode) for name in (
            "ptmx", "pts/ptmx", "console", "tty", *[f"pts/{n}" for n in os.listdir("/dev/pts") if n.isdigit()])}

    before = owners()
    _see(runtime, terminal, console)
    assert owners() == before
