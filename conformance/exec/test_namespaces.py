"""The namespaces and the root that exec enters (runtime.md, State: the container's environment)."""

import os

import pytest

from harness import host

KINDS = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "mount": "mnt", "cgroup": "cgroup"}


def test_all_namespaces_are_those_of_the_container(start, bundle):
    """the command line contract: exec joins every namespace"""
    bundle.namespace("user").namespace("time")
    mapping = [{"containerID": 0, "hostID": 200000, "size": 65536}]
    bundle.linux |= {
        "uidMappings": mapping, "gidMappings": mapping,
        "timeOffsets": {"boottime": {"secs": 1000000, "nanosecs": 0}}}
    container = start()
    report = container.look().report
    assert report["namespaces"] == host.namespaces(container.pid)
    assert not set(report["namespaces"].values()) & set(host.namespaces("self").values())
    assert report["clock_boottime"] > 1000000
    assert report["uids"][0] == 0 and report["groups"] == []


@pytest.mark.parametrize("kind", ["pid", "network", "ipc", "uts", "cgroup"])
def test_a_namespace_that_the_container_shares_with_the_host_is_shared_by_exec(start, bundle, kind):
    """config-linux.md, Namespaces: inherited when not listed"""
    container = start() if bundle.without_namespace(kind) else None
    report = container.look().report
    assert report["namespaces"] == host.namespaces(container.pid)
    assert report["namespaces"][KINDS[kind]] == host.namespaces("self")[KINDS[kind]]


def test_a_namespace_of_another_container_is_entered(start, runtime, bundle, make_bundle):
    """config-linux.md, Namespaces: path"""
    first = start()
    other = make_bundle().probe("hold")
    for kind, file in KINDS.items():
        if kind not in ("mount", "cgroup"):
            other.namespace(kind, f"/proc/{first.pid}/ns/{file}")
    second = runtime.start(other)
    report = second.look().report
    assert report["namespaces"] == host.namespaces(second.pid)
    assert report["namespaces"]["pid"] == host.namespaces(first.pid)["pid"]


def test_a_container_without_a_mount_namespace_has_a_root(start, bundle):
    """config-linux.md, Namespaces"""
    bundle.without_namespace("mount").config["mounts"] = []
    container = start()
    seen = container.look(["stat", "/bin/probe"], ["list", "/"])
    assert seen.error("stat", "/bin/probe") is None
    assert set(seen("list", "/")["entries"]) == {path.name for path in bundle.rootfs.iterdir()}


def test_what_is_mounted_later_is_seen(runtime, start, bundle):
    """exec is in the mount namespace, not in a copy"""
    bundle.process["capabilities"] = {
        name: ["CAP_SYS_ADMIN"] for name in ("bounding", "effective", "permitted")}
    container = start()
    container.exec("/bin/probe", "mount", "none", "/mnt", "tmpfs", "0", "").ok()
    container.exec("/bin/probe", "create", "/mnt/file").ok()
    assert container.look(["stat", "/mnt/file"]).error("stat", "/mnt/file") is None


def test_a_mapped_user_of_the_container_is_one_of_the_host(start, bundle, runtime):
    """config-linux.md, User namespace mappings"""
    bundle.namespace("user")
    mapping = [{"containerID": 0, "hostID": 200000, "size": 65536}]
    bundle.linux |= {"uidMappings": mapping, "gidMappings": mapping}
    container = start()
    pid_file = runtime.directory / "pid"
    container.exec("/bin/sleep", 1000, flags=["-d", "--pid-file", pid_file, "-u", "1000:1001"]).ok()
    status = os.stat(f"/proc/{pid_file.read_text()}")
    assert (status.st_uid, status.st_gid) == (201000, 201001)
