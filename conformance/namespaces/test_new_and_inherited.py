"""Namespaces without a path: new ones, and those that are left out (config-linux.md, Namespaces)."""

import os
import subprocess

import pytest

from harness import refused

# The name in config.json, and that of /proc/PID/ns.
KINDS = {
    "pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts", "user": "user", "cgroup": "cgroup",
    "time": "time",
}


def own(kind: str) -> int:
    return os.stat(f"/proc/self/ns/{kind}").st_ino


def test_every_kind_of_namespace_can_be_new(runtime, bundle):
    """config-linux.md, Namespaces: if path is not specified, the runtime MUST create a new container namespace"""
    bundle.user_namespace().namespace("time")
    inside = runtime.look(bundle).report["namespaces"]
    assert [kind for kind in KINDS.values() if inside[kind] == own(kind)] == []


def test_what_is_not_listed_is_inherited(runtime, bundle):
    """config-linux.md, Namespaces: if a type is not specified the container MUST inherit the runtime namespace"""
    bundle.linux["namespaces"] = [{"type": "mount"}]
    bundle.without_mount("/dev/mqueue").without_mount("/sys")
    inside = runtime.look(bundle).report["namespaces"]
    assert inside["mnt"] != own("mnt")
    assert [kind for kind in KINDS.values() if kind != "mnt" and inside[kind] != own(kind)] == []


@pytest.mark.parametrize("kind", ["pid", "network", "ipc", "uts", "cgroup"])
def test_each_namespace_is_left_out_by_itself(runtime, bundle, kind):
    """config-linux.md, Namespaces: one decision for each type"""
    inside = runtime.look(bundle.without_namespace(kind)).report["namespaces"]
    same = {name for name, entry in KINDS.items() if inside[entry] == own(entry)}
    assert same == {kind, "user", "time"}


def test_a_container_without_a_mount_namespace_inherits_it_or_is_refused(runtime, bundle):
    """config-linux.md, Namespaces: inherit; support of the types is a SHOULD"""
    runtime.wrapper = ["unshare", "--mount", "--propagation", "private"]
    bundle.linux["namespaces"] = [{"type": "pid"}]
    bundle.config["mounts"] = [{"destination": "/proc", "type": "proc", "source": "proc"}]
    bundle.probe("report").write()
    result = runtime.command("run", "--bundle", bundle.path, runtime.new_id())
    if result.status:
        refused(result, names=["mount"])
    else:
        assert result.seen.report["cwd"] == "/"
    runtime.expect_nothing()


def test_the_first_process_of_a_new_pid_namespace_has_pid_1(runtime, bundle):
    """config-linux.md, Namespaces: pid: only able to see processes of the same namespace"""
    # Not this process: it may be the first of a pid namespace itself.
    with subprocess.Popen(["sleep", "60"]) as other:
        report = runtime.look(bundle, "report", ["lstat", "/proc/1"], ["lstat", f"/proc/{other.pid}"])
        other.kill()
    assert (report.report["pid"], report.report["ppid"]) == (1, 0)
    assert report.error("lstat", "/proc/1") is None
    assert report.error("lstat", f"/proc/{other.pid}") == "ENOENT"


def test_a_new_cgroup_namespace_hides_the_path_of_the_control_group(runtime, bundle):
    """config-linux.md, Namespaces: cgroup: an isolated view of the cgroup hierarchy"""
    lines = runtime.look(bundle).report["cgroup"].splitlines()
    assert lines and all(bundle.name not in line for line in lines)
    assert any(line.endswith(":/") for line in lines)
    lines = runtime.look(bundle.without_namespace("cgroup")).report["cgroup"].splitlines()
    assert any(line.endswith(f"/{bundle.name}") for line in lines)


def test_a_new_network_namespace_has_a_loopback_that_is_up(runtime, bundle):
    """config-linux.md, Namespaces: network: its own network stack; engines rely on lo"""
    report = runtime.look(bundle).report
    assert {name for name, link in report["interfaces"].items() if link["up"]} == {"lo"}
    assert {"name": "lo", "address": "127.0.0.1/8"} in report["addresses"]


def test_a_type_that_comes_twice_is_refused(runtime, bundle):
    """config-linux.md, Namespaces: duplicated namespaces with same type MUST generate an error"""
    bundle.linux["namespaces"].append({"type": "uts"})
    runtime.refuses(bundle, "namespaces[6]", "uts")
    bundle.linux["namespaces"][-1]["path"] = "/proc/self/ns/uts"
    runtime.refuses(bundle, "namespaces[6]", "uts")


@pytest.mark.parametrize("kind", ["", "net", "mnt", "PID", "nosuch"])
def test_an_unknown_type_is_refused(runtime, bundle, kind):
    """config.md, Valid values: MUST generate an error when invalid values are encountered"""
    bundle.linux["namespaces"].append({"type": kind})
    runtime.refuses(bundle, "namespaces[6].type")


def test_a_namespace_without_a_type_is_refused(runtime, bundle):
    """config-linux.md, Namespaces: type is REQUIRED"""
    bundle.linux["namespaces"].append({})
    runtime.refuses(bundle, "namespaces[6]", "type")


def test_a_container_in_a_user_namespace_runs_as_its_root(runtime, bundle):
    """config-linux.md, User namespace mappings"""
    report = runtime.look(bundle.user_namespace(100000, 70000)).report
    assert report["uids"] == report["gids"] == [0] * 4
    assert report["uid_map"].split() == ["0", "100000", "70000"]
    assert report["gid_map"].split() == ["0", "100000", "70000"]


def test_several_mappings_are_all_applied(runtime, bundle):
    """config-linux.md, User namespace mappings: containerID, hostID, size"""
    bundle.user_namespace()
    entries = [(0, 200000, 10), (10, 300000, 1), (1000, 400000, 5000), (4000000, 50000, 3)]
    for key in ("uidMappings", "gidMappings"):
        bundle.linux[key] = [{"containerID": c, "hostID": h, "size": s} for c, h, s in entries]
    report = runtime.look(bundle).report
    for name in ("uid_map", "gid_map"):
        assert [tuple(map(int, line.split())) for line in report[name].splitlines()] == entries


def test_a_great_number_of_mappings_is_applied(runtime, bundle):
    """config-linux.md, User namespace mappings: the number of entries MAY be limited by the kernel: to 340, and to what one page holds"""
    bundle.user_namespace()
    entries = [{"containerID": i * 2, "hostID": 100000 + i * 3, "size": 2} for i in range(250)]
    bundle.linux["uidMappings"] = bundle.linux["gidMappings"] = entries
    assert len(runtime.look(bundle).report["uid_map"].splitlines()) == 250


@pytest.mark.parametrize("entry", [
    {"containerID": 0, "hostID": 100000, "size": 0}, {"containerID": 0, "hostID": 100000},
    {"containerID": -1, "hostID": 100000, "size": 1}, {"containerID": 0, "hostID": 4294967296, "size": 1},
    {"containerID": 0, "hostID": 1, "size": "1"},
])
def test_a_mapping_that_makes_no_sense_is_refused(runtime, bundle, entry):
    """config-linux.md, User namespace mappings: REQUIRED uint32"""
    bundle.user_namespace()
    bundle.linux["uidMappings"] = [entry]
    runtime.refuses(bundle, "uidMappings")


def test_mappings_that_overlap_are_refused(runtime, bundle):
    """runtime.md, Create: what cannot be applied is an error"""
    bundle.user_namespace()
    bundle.linux["uidMappings"].append({"containerID": 5, "hostID": 500000, "size": 10})
    runtime.refuses(bundle, "uidMappings")


def test_a_user_namespace_without_mappings_is_refused(runtime, bundle):
    """no id of the container would exist"""
    bundle.namespace("user")
    runtime.refuses(bundle, "mappings")


def test_the_owner_of_the_root_filesystem_does_not_change(runtime, bundle):
    """config-linux.md, User namespace mappings: the runtime SHOULD NOT modify the ownership of filesystems"""
    before = {path: (path.lstat().st_uid, path.lstat().st_gid) for path in bundle.rootfs.rglob("*")}
    runtime.look(bundle.user_namespace())
    assert {path: (path.lstat().st_uid, path.lstat().st_gid) for path in before} == before
