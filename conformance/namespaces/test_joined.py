"""Namespaces with a path (config-linux.md, Namespaces)."""

import os
import subprocess
from pathlib import Path

import pytest

from harness import host

FLAGS = {
    "network": ("net", "--net"), "ipc": ("ipc", "--ipc"), "uts": ("uts", "--uts"), "cgroup": ("cgroup", "--cgroup"),
    "time": ("time", "--time"), "mount": ("mnt", "--mount"),
}


def _holder(runtime, *flags) -> int:
    """A process that lives in namespaces of its own; its pid."""
    process = runtime.spawn_words(["unshare", *flags, "sleep", "1000"], stdin=subprocess.DEVNULL)
    name = flags[0].removeprefix("--")
    file = {"pid": "pid_for_children", "time": "time_for_children", "mount": "mnt"}.get(name, name)
    path = Path(f"/proc/{process.pid}/ns/{file}")
    own = os.stat(f"/proc/self/ns/{file}").st_ino
    host.wait_until(lambda: path.exists() and path.stat().st_ino != own, "the namespaces are there")
    if "--user" in flags:
        for kind in ("uid_map", "gid_map"):
            Path(f"/proc/{process.pid}/{kind}").write_text("0 100000 65536")
    return process.pid


@pytest.mark.parametrize("kind", list(FLAGS))
def test_the_container_is_placed_in_the_namespace_of_the_path(runtime, bundle, kind):
    """config-linux.md, Namespaces: the runtime MUST place the container process in the namespace of that path"""
    name, flag = FLAGS[kind]
    pid = _holder(runtime, flag, "--fork") if kind == "time" else _holder(runtime, flag)
    path = f"/proc/{pid}/ns/{'time_for_children' if kind == 'time' else name}"
    seen = runtime.look(bundle.namespace(kind, path))
    assert seen.report["namespaces"][name] == os.stat(path).st_ino
    assert seen.report["namespaces"][name] != os.stat(f"/proc/self/ns/{name}").st_ino
    assert os.path.exists(path), "the namespace is not the container's to end"


def test_the_container_joins_a_pid_namespace(runtime, bundle):
    """config-linux.md, Namespaces: pid with a path"""
    pid = _holder(runtime, "--pid", "--fork")
    path = f"/proc/{pid}/ns/pid_for_children"
    container = runtime.start(bundle.namespace("pid", path).probe("report", "hold"))
    report = container.wait_for("hold").report
    assert report["namespaces"]["pid"] == os.stat(path).st_ino
    assert report["pid"] > 1
    assert Path(f"/proc/{container.pid}/root/bin/probe").exists(), "the state tells the pid as the runtime sees it"
    container.kill("KILL").ok()
    container.wait().delete().ok()
    runtime.expect_nothing(container.id)


def test_the_container_joins_a_user_namespace(runtime, bundle):
    """config-linux.md, Namespaces: user with a path; it has its mappings"""
    pid = _holder(runtime, "--user")
    path = f"/proc/{pid}/ns/user"
    report = runtime.look(bundle.namespace("user", path)).report
    assert report["namespaces"]["user"] == os.stat(path).st_ino
    assert report["uid_map"].split() == ["0", "100000", "65536"]
    assert report["uids"] == [0] * 4


def test_a_namespace_of_a_user_namespace_is_joined_with_it(runtime, bundle):
    """config-linux.md, Namespaces: paths of several types together, as pods use them"""
    pid = _holder(runtime, "--user", "--net", "--ipc", "--uts")
    for kind in ("network", "ipc", "uts"):
        bundle.namespace(kind, f"/proc/{pid}/ns/{FLAGS[kind][0]}")
    bundle.namespace("user", f"/proc/{pid}/ns/user").without_mount("/sys")
    report = runtime.look(bundle).report["namespaces"]
    for kind in ("net", "ipc", "uts", "user"):
        assert report[kind] == os.stat(f"/proc/{pid}/ns/{kind}").st_ino


def test_a_path_may_be_a_bind_mount_of_a_namespace(runtime, bundle):
    """config-linux.md, Namespaces: namespace file; as `ip netns` makes them"""
    pid = _holder(runtime, "--net")
    file = runtime.directory / "netns"
    file.touch()
    host.command("mount", "--bind", f"/proc/{pid}/ns/net", file)
    try:
        report = runtime.look(bundle.namespace("network", file)).report
        assert report["namespaces"]["net"] == file.stat().st_ino
    finally:
        host.command("umount", file)


@pytest.mark.parametrize("kind", ["pid", "network", "ipc", "uts", "mount", "user", "cgroup", "time"])
def test_a_path_of_another_type_is_refused(runtime, bundle, kind):
    """config-linux.md, Namespaces: MUST generate an error if path is not associated with a namespace of the type"""
    wrong = "/proc/self/ns/ipc" if kind != "ipc" else "/proc/self/ns/uts"
    bundle.namespace(kind, wrong.replace("self", str(_holder(runtime, "--ipc", "--uts"))))
    if kind == "mount":
        bundle.config["mounts"] = []
    runtime.refuses(bundle, f"namespaces[{len(bundle.linux['namespaces']) - 1}]")


@pytest.mark.parametrize("path", ["/dev/null", "/no/such/file", "/tmp", "/proc/self/status"])
def test_a_path_that_is_no_namespace_is_refused(runtime, bundle, path):
    """config-linux.md, Namespaces: MUST generate an error"""
    runtime.refuses(bundle.namespace("network", path), "namespaces[5]")


def test_a_relative_path_is_refused(runtime, bundle):
    """config-linux.md, Namespaces: this value MUST be an absolute path"""
    runtime.refuses(bundle.namespace("network", "proc/self/ns/net"), "namespaces[5].path")


def test_the_loopback_of_a_joined_network_is_not_touched(runtime, bundle):
    """config-linux.md, Namespaces: it belongs to whoever made it"""
    pid = _holder(runtime, "--net")
    seen = runtime.look(bundle.namespace("network", f"/proc/{pid}/ns/net"))
    assert not seen.report["interfaces"]["lo"]["up"]


def test_two_containers_can_share_the_namespaces_of_one(runtime, make_bundle):
    """config-linux.md, Namespaces: as the containers of a pod"""
    first = runtime.start(make_bundle().probe("report", "hold"))
    report = first.wait_for("hold").report
    second = make_bundle()
    for kind in ("network", "ipc", "uts", "pid"):
        second.namespace(kind, f"/proc/{first.pid}/ns/{FLAGS.get(kind, ('pid',))[0]}")
    other = runtime.look(second).report
    for kind in ("net", "ipc", "uts", "pid"):
        assert other["namespaces"][kind] == report["namespaces"][kind]
    assert other["namespaces"]["mnt"] != report["namespaces"]["mnt"]
