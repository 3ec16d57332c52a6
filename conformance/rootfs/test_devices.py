"""Devices: those that every container has, and those of the configuration (config-linux.md, Devices)."""

import os
import stat

import pytest

from harness import refused

DEFAULT = {
    "/dev/null": (1, 3), "/dev/zero": (1, 5), "/dev/full": (1, 7), "/dev/random": (1, 8), "/dev/urandom": (1, 9),
    "/dev/tty": (5, 0),
}
LINKS = {"/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0", "/dev/stdout": "/proc/self/fd/1", "/dev/stderr": "/proc/self/fd/2"}


def _device(path, type="c", major=1, minor=5, **more):
    entry = {"path": path, "type": type, **more}
    if type != "p":
        entry |= {"major": major, "minor": minor}
    return entry


def _all_default_devices(seen):
    for path, numbers in DEFAULT.items():
        status = seen("stat", path)
        assert (status["type"], status["major"], status["minor"]) == ("character", *numbers), path
        assert status["mode"] == 0o666, path


@pytest.mark.parametrize("user_namespace", [False, True])
def test_the_default_devices_are_there_and_work(runtime, bundle, user_namespace):
    """config-linux.md, Default Devices: the runtime MUST also supply these"""
    if user_namespace:
        bundle.user_namespace()
    bundle.probe(
        *[["stat", path] for path in DEFAULT], ["write", "/dev/null", "x"], ["read", "/dev/null", 4], ["read", "/dev/zero", 4],
        ["write", "/dev/full", "x"], ["read", "/dev/random", 4], ["read", "/dev/urandom", 4])
    seen = runtime.look(bundle)
    _all_default_devices(seen)
    assert seen.error("write", "/dev/null") is None
    assert seen("read", "/dev/null")["content"] == "" and seen("read", "/dev/zero")["content"] == "\0" * 4
    assert seen.error("write", "/dev/full") == "ENOSPC"
    assert len(seen("read", "/dev/random")["content"]) == len(seen("read", "/dev/urandom")["content"]) == 4
    if not user_namespace:
        assert {(seen("stat", path)["uid"], seen("stat", path)["gid"]) for path in DEFAULT} == {(0, 0)}


def test_an_unprivileged_user_may_use_them(runtime, bundle):
    """config-linux.md, Default Devices"""
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.capabilities().probe(["write", "/dev/null", "x"], ["read", "/dev/zero", 2], ["read", "/dev/urandom", 2])
    assert [line.get("error") for line in runtime.look(bundle).lines] == [None] * 3


def test_ptmx_is_that_of_the_containers_devpts(runtime, bundle):
    """config-linux.md, Default Devices: a bind-mount or symlink of the container's /dev/pts/ptmx"""
    seen = runtime.look(bundle, ["lstat", "/dev/ptmx"], ["stat", "/dev/ptmx"], ["stat", "/dev/pts/ptmx"], ["open", "/dev/ptmx", "b"])
    assert (seen("stat", "/dev/ptmx")["dev"], seen("stat", "/dev/ptmx")["ino"]) == (
        seen("stat", "/dev/pts/ptmx")["dev"], seen("stat", "/dev/pts/ptmx")["ino"])
    link = seen("lstat", "/dev/ptmx")
    assert link["type"] == "character" or link["target"] in ("pts/ptmx", "/dev/pts/ptmx")
    assert seen.error("open") is None


def test_the_links_of_dev(runtime, bundle):
    """runtime-linux.md, Dev symbolic links: MUST be created if the source file exists after processing mounts"""
    seen = runtime.look(bundle, *[["lstat", path] for path in LINKS])
    assert {path: seen("lstat", path)["target"] for path in LINKS} == LINKS


def test_a_container_without_proc_is_created_all_the_same(runtime, bundle):
    """runtime-linux.md, Dev symbolic links: if the source file exists"""
    bundle.without_mount("/proc")
    seen = runtime.look(bundle, ["stat", "/dev/null"])
    assert seen("stat")["minor"] == 3


def test_the_default_devices_are_there_without_a_mount_of_dev(runtime, bundle):
    """config-linux.md, Default Devices: MUST also supply"""
    for path in ("/dev/mqueue", "/dev/shm", "/dev/pts", "/dev"):
        bundle.without_mount(path)
    _all_default_devices(runtime.look(bundle, *[["stat", path] for path in DEFAULT]))


def test_a_dev_of_the_host_is_left_as_it_is(runtime, bundle, tree):
    """a bind mount of a /dev belongs to the host: no device is made or changed in it"""
    before = sorted(os.listdir(tree.path))
    for path in ("/dev/mqueue", "/dev/shm", "/dev/pts", "/dev"):
        bundle.without_mount(path)
    bundle.mount("/dev", "/dev", "bind", ["rbind", "rprivate"])
    status = {name: os.lstat(f"/dev/{name}") for name in os.listdir("/dev")}
    seen = runtime.look(bundle, ["stat", "/dev/null"])
    assert seen("stat")["minor"] == 3
    after = {name: os.lstat(f"/dev/{name}") for name in os.listdir("/dev")}
    assert {name: (s.st_ino, s.st_mode, s.st_uid, s.st_gid, s.st_rdev) for name, s in status.items()} == {
        name: (s.st_ino, s.st_mode, s.st_uid, s.st_gid, s.st_rdev) for name, s in after.items()}
    assert sorted(os.listdir(tree.path)) == before


def test_devices_of_the_configuration_are_available(runtime, bundle):
    """config-linux.md, Devices: MUST be available; type, path, major, minor, fileMode, uid, gid"""
    bundle.linux["devices"] = [
        _device("/dev/char", "c", 1, 5, fileMode=0o640, uid=12, gid=34), _device("/dev/block", "b", 7, 3, fileMode=0o600),
        _device("/dev/unbuffered", "u", 1, 3, fileMode=0o644), _device("/dev/pipe", "p", fileMode=0o622, uid=5),
        _device("/opt/deep/outside", "c", 1, 7, fileMode=0o666),
    ]
    expected = {
        "/dev/char": ("character", 1, 5, 0o640, 12, 34), "/dev/block": ("block", 7, 3, 0o600, 0, 0),
        "/dev/unbuffered": ("character", 1, 3, 0o644, 0, 0), "/dev/pipe": ("fifo", 0, 0, 0o622, 5, 0),
        "/opt/deep/outside": ("character", 1, 7, 0o666, 0, 0),
    }
    seen = runtime.look(bundle, *[["stat", path] for path in expected], ["read", "/dev/char", 3], umask=0o077)
    for path, wanted in expected.items():
        status = seen("stat", path)
        found = tuple(status[key] for key in ("type", "major", "minor", "mode", "uid", "gid"))
        assert found == wanted, path
    assert seen("read")["content"] == "\0" * 3


def test_a_device_is_available_in_a_user_namespace(runtime, bundle):
    """config-linux.md, Devices: MUST be available; the runtime MAY bind it from its own mount namespace"""
    bundle.user_namespace()
    bundle.linux["devices"] = [_device("/dev/fuse", "c", 10, 229, fileMode=0o666, uid=0, gid=0)]
    status = runtime.look(bundle, ["stat", "/dev/fuse"])("stat")
    assert (status["type"], status["major"], status["minor"]) == ("character", 10, 229)


def test_a_matching_file_that_exists_is_no_error(runtime, bundle):
    """config-linux.md, Devices: an error only if it does not match the requested device"""
    (bundle.rootfs / "opt").mkdir()
    os.mknod(bundle.rootfs / "opt/node", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    bundle.linux["devices"] = [_device("/opt/node", "c", 1, 5)]
    assert runtime.look(bundle, ["read", "/opt/node", 2])("read")["content"] == "\0\0"


@pytest.mark.parametrize("existing", ["file", "directory", "other numbers", "other type", "link"])
def test_a_file_that_does_not_match_is_refused(runtime, bundle, existing):
    """config-linux.md, Devices: if a file already exists at path that does not match, MUST generate an error"""
    path = bundle.rootfs / "opt/node"
    path.parent.mkdir()
    if existing == "file":
        path.write_text("content")
    elif existing == "directory":
        path.mkdir()
    elif existing == "other numbers":
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    elif existing == "other type":
        os.mknod(path, stat.S_IFBLK | 0o666, os.makedev(1, 5))
    else:
        path.symlink_to("/etc/passwd")
    before = path.lstat()
    bundle.linux["devices"] = [_device("/opt/node", "c", 1, 5)]
    runtime.refuses(bundle, "devices[0]", "/opt/node")
    after = path.lstat()
    assert (before.st_ino, before.st_mode, before.st_rdev) == (after.st_ino, after.st_mode, after.st_rdev)


@pytest.mark.parametrize("change", [
    {"type": "x"}, {"type": None}, {"path": None}, {"path": "relative"}, {"major": None}, {"minor": None}, {"major": -5},
    {"fileMode": "0666"}, {"uid": -1}, {"type": ""},
])
def test_a_device_that_makes_no_sense_is_refused(runtime, bundle, change):
    """config-linux.md, Devices: REQUIRED; type is c, b, u or p; full path"""
    entry = _device("/dev/char") | change
    bundle.linux["devices"] = [{key: value for key, value in entry.items() if value is not None}]
    runtime.refuses(bundle, "devices[0]")


def test_a_device_may_replace_nothing_of_the_default_ones(runtime, bundle):
    """config-linux.md, Devices: engines list the default devices too"""
    bundle.linux["devices"] = [_device(path, "c", *numbers, fileMode=0o666) for path, numbers in DEFAULT.items()]
    _all_default_devices(runtime.look(bundle, *[["stat", path] for path in DEFAULT]))


def test_a_device_below_a_readonly_place_is_refused_or_there(runtime, bundle, tree):
    """runtime.md, Create: what cannot be applied is an error"""
    bundle.mount("/mnt", tree.path, "bind", ["bind", "ro"])
    bundle.linux["devices"] = [_device("/mnt/node")]
    container = runtime.try_create(bundle)
    if container.created.status:
        refused(container.created, names=["devices[0]"])
    assert sorted(os.listdir(tree.path)) == ["file", "sub"]
