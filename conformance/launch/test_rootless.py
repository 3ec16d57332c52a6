"""Containers of an ordinary user: launch, and create and run of a bundle."""

import json
import os
import platform
import stat
from pathlib import Path

import pytest

from harness import host
from harness.agent import SeccompAgent
from harness.errors import refused

NOTICE = "the container has no cgroup of its own"


def one_notice(result) -> None:
    """The host delegates no cgroup to the test's user: that is said once, and is no error."""
    assert result.stderr.count("\n") == 1 and NOTICE in result.stderr and "delegate" in result.stderr, result


def test_the_caller_is_root_with_subordinate_ids(launch, user):
    """launch -U, /etc/subuid and newuidmap"""
    result = launch("-U", command=["/bin/probe", "report"])
    one_notice(result)
    report = result.seen.report
    assert [report["uids"][0], report["gids"][0]] == [0, 0]
    assert report["uid_map"].split() == ["0", "4242", "1", "1", "300000", "65536"]
    assert report["gid_map"].split() == ["0", "4343", "1", "1", "300000", "65536"]


def test_a_user_namespace_goes_without_saying(launch, user):
    """launch ROOTFS as an ordinary user"""
    assert launch(command=["/bin/probe", "report"]).ok().seen.report["uid_map"].split()[:3] == ["0", "4242", "1"]


@pytest.mark.parametrize("grants", ["", "lana:300000:65536"])
def test_without_subordinate_ids_the_caller_alone_is_mapped(launch, user, grants):
    """a single mapping; groups must be granted too"""
    user.grant(grants, groups="")
    report = launch("-U", command=["/bin/probe", "report"]).ok().seen.report
    assert report["uid_map"].split() == ["0", "4242", "1"] and report["gid_map"].split() == ["0", "4343", "1"]


def test_a_single_mapping_can_be_asked_for(launch, user):
    """--id-map self"""
    report = launch("-U", "--id-map", "self", command=["/bin/probe", "report"]).ok().seen.report
    assert report["uid_map"].split() == ["0", "4242", "1"]


def test_several_grants_and_numbers_for_names_are_taken(launch, user):
    """subuid(5)"""
    user.grant("other:1000:5\n4242:400000:10\n# comment\nlana:500000:20\nlana:broken\n")
    report = launch("-U", command=["/bin/probe", "report"]).ok().seen.report
    assert report["uid_map"].split() == "0 4242 1 1 400000 10 11 500000 20".split()


def test_files_belong_to_the_users_they_are_written_by(launch, user, bundle):
    """user 7 of the container is subordinate id 7"""
    launch("-U", command=["sh", "-c", "echo >/tmp/root; busybox chown 7:8 /tmp/root; echo >/tmp/own"]).ok()
    status = (bundle.rootfs / "tmp/root").stat()
    assert (status.st_uid, status.st_gid) == (300006, 300007)
    assert (bundle.rootfs / "tmp/own").stat().st_uid == 4242


@pytest.mark.parametrize("flags", [
    ["-U", "-m"], ["-U", "-m", "-p"], ["-U", "-m", "-n"], ["-U", "-m", "-i"], ["-U", "-m", "-c"], ["-U", "-m", "-u"], ["-U"],
    ["-U", "-s"]])
def test_every_combination_has_proc_sys_and_devices(launch, user, flags):
    """what needs privilege is replaced: /sys and devices are bind mounts"""
    script = "test -e /proc/self/status && test -d /sys/kernel && echo x >/dev/null && ls -ln /dev/null /dev/zero /dev/tty"
    result = launch(*flags, command=["sh", "-c", script])
    one_notice(result)
    assert result.status == 0 and result.stdout.count("crw-rw-rw-") == 3


def test_the_hosts_sys_is_read_only_when_the_network_is_the_hosts(launch, user):
    """bind of /sys"""
    result = launch("-U", "-m", "-p", command=["/bin/probe", "report"])
    mounts = {mount.point: mount for mount in result.seen.mounts}
    assert mounts["/sys"].type == "sysfs" and "ro" in mounts["/sys"].options and "nosuid" in mounts["/sys"].options


def test_a_limit_without_a_cgroup_is_an_error(launch, user, runtime):
    """what to delegate is said"""
    refused(launch("-U", "--memory", "64m", command=["true"]), names=["cgroup", "delegate"])
    runtime.expect_nothing()


@pytest.fixture
def delegated(runtime, user):
    """Control groups that belong to the user, whose commands are in them."""
    controllers = [points for name, points in host.hierarchies().items() if {"pids", "memory"} & set(name.split(","))]
    if not controllers:
        pytest.skip("the host has no controllers of version 1")
    groups = [point / runtime.unique("user") for point in controllers]
    for group in groups:
        group.mkdir()
        for path in [group, group / "tasks", group / "cgroup.procs"]:
            os.chown(path, user.uid, user.gid)
    enter = " ".join(f"echo $$ >{group}/cgroup.procs;" for group in groups)
    runtime.wrapper = ["sh", "-c", f'{enter} exec "$@"', "sh", *runtime.wrapper]
    yield groups
    for group in groups:
        group.rmdir()


def test_limits_are_set_in_cgroups_that_are_delegated(launch, runtime, user, delegated):
    """cgroups when delegated: nothing is missing then, and nothing is said"""
    words = launch.words("-U", "--memory", "48m", "--pids-limit", "9", command=["sh", "-c", "echo up; sleep 1000"])
    out, err = runtime.directory / "out", runtime.directory / "err"
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        process = runtime.spawn(*words, stdout=stdout, stderr=stderr)
        host.wait_until(lambda: out.read_text() == "up\n" or process.poll() is not None, "the container runs")
    assert err.read_text() == ""
    seen = {file: path.read_text().strip() for group in delegated for inner in group.iterdir() if inner.is_dir()
            for file in ("memory.limit_in_bytes", "pids.max") if (path := inner / file).exists()}
    assert seen == {"memory.limit_in_bytes": str(48 << 20), "pids.max": "9"}
    runtime.command("kill", words[2], "KILL").ok()
    assert process.wait(host.timeout(10)) == 137
    assert not [inner for group in delegated for inner in group.iterdir() if inner.is_dir()]


def test_namespaces_without_a_user_namespace_are_refused(launch, user):
    """an ordinary user has no right to them"""
    refused(launch("-i", "-m", command=["true"]), names=["user 4242", "--user"])


def test_a_rootless_bundle_runs(runtime, user, bundle):
    """spec --rootless, then run; create, start, kill, delete"""
    (bundle.path / "config.json").unlink(missing_ok=True)
    runtime.command("spec", "--rootless", "--bundle", bundle.path).ok()
    config = json.loads((bundle.path / "config.json").read_text())
    config["process"] |= {"terminal": False, "args": ["/bin/probe", "report"]}
    (bundle.path / "config.json").write_text(json.dumps(config))
    result = runtime.run(bundle, write=False)
    one_notice(result)
    assert result.status == 0 and result.seen.report["uid_map"].split() == ["0", "4242", "1"]
    config["process"]["args"] = ["/bin/sh", "-c", "sleep 1000"]
    (bundle.path / "config.json").write_text(json.dumps(config))
    container = runtime.create(bundle, write=False)
    container.start().ok()
    assert container.status == "running" and container.state()["owner"] == "lana"
    container.kill("KILL").ok()
    container.wait()
    container.delete().ok()
    runtime.expect_nothing()


def test_a_bundle_with_subordinate_ids_runs(runtime, user, bundle):
    """config-linux.md, User namespace mappings, as an ordinary user"""
    bundle.namespace("user")
    bundle.linux.pop("cgroupsPath")
    for kind, own in (("uid", user.uid), ("gid", user.gid)):
        bundle.linux[f"{kind}Mappings"] = [
            {"containerID": 0, "hostID": own, "size": 1}, {"containerID": 1, "hostID": 300000, "size": 1000}]
    bundle.process["user"] = {"uid": 33, "gid": 44, "additionalGids": [5]}
    bundle.probe("report")
    report = runtime.run(bundle).seen.report
    assert (report["uids"][0], report["gids"][0], report["groups"]) == (33, 44, [5])


def mapped_bundle(bundle, user, first=300000, size=1000):
    bundle.namespace("user")
    bundle.linux.pop("cgroupsPath", None)
    for kind, own in (("uid", user.uid), ("gid", user.gid)):
        bundle.linux[f"{kind}Mappings"] = [
            {"containerID": 0, "hostID": own, "size": 1}, {"containerID": 1, "hostID": first, "size": size}]
    return bundle


@pytest.mark.parametrize("no_new_privileges", [True, False])
@pytest.mark.parametrize("how", ["single", "subordinate"])
def test_the_agent_of_an_ordinary_user_gets_the_listener(runtime, user, bundle, how, no_new_privileges):
    """config-linux.md, Seccomp: listenerPath, without the right to trace others"""
    mapped_bundle(bundle, user)
    if how == "single":
        for kind in ("uid", "gid"):
            del bundle.linux[f"{kind}Mappings"][1:]
        for mount in bundle.config["mounts"]:  # that group is not mapped
            mount["options"] = [option for option in mount.get("options", []) if option != "gid=5"]
    bundle.process["noNewPrivileges"] = no_new_privileges
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(user.home / "agent.sock"), "listenerMetadata": "of lana",
        "syscalls": [{"names": ["getsid", "getpgid"], "action": "SCMP_ACT_NOTIFY"}]}
    number = {"x86_64": 124, "aarch64": 156}[platform.machine()]
    bundle.probe(["syscall", "getsid", 0], ["syscall", "getpgid", 0])
    with SeccompAgent(user.home / "agent.sock", {number: 77}) as agent:
        os.chown(user.home / "agent.sock", user.uid, user.gid)
        seen = runtime.run(bundle).ok().seen
    assert [line.get("error") for line in seen.all("syscall")] == ["EBADFD", None]
    assert [message["metadata"] for message in agent.messages] == ["of lana"]


def test_ids_that_are_not_granted_are_named_with_the_line_that_grants_them(runtime, user, bundle):
    """/etc/subuid has no entry"""
    runtime.refuses(
        mapped_bundle(bundle, user, first=700000),
        "linux.uidMappings", "newuidmap", "/etc/subuid does not grant 700000 to 700999 to user lana", "lana:700000:1000",
        "usermod --add-subuids 700000-700999 lana")


def test_a_missing_newuidmap_is_named(runtime, user, bundle, launch):
    """which program, and where it comes from"""
    user.replace("/usr/bin/newuidmap", None)
    runtime.refuses(mapped_bundle(bundle, user), "linux.uidMappings", "newuidmap is missing", "uidmap")
    refused(launch("-U", command=["true"]), names=["newuidmap is missing", "uidmap"])
    launch("-U", "--id-map", "self", command=["true"]).ok()


def test_a_newuidmap_without_privilege_is_named(runtime, user, bundle):
    """it has lost its setuid bit"""
    user.replace("/usr/bin/newuidmap", Path("/usr/bin/newuidmap").read_bytes())
    assert not os.stat("/usr/bin/newuidmap").st_mode & stat.S_ISUID == 0
    runtime.refuses(mapped_bundle(bundle, user), "linux.uidMappings", "has lost its privilege", "chmod u+s")


def test_no_new_privs_is_named(runtime, user, bundle):
    """setuid has no effect"""
    runtime.wrapper += ["setpriv", "--no-new-privs"]
    runtime.refuses(mapped_bundle(bundle, user), "linux.uidMappings", "no_new_privs")


def test_user_namespaces_that_are_switched_off_are_named(runtime, user, launch):
    """sysctl user.max_user_namespaces = 0, here that of a user namespace around the runtime"""
    runtime.wrapper += ["unshare", "--user", "--map-root-user", "sh", "-c", 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"', "sh"]
    refused(launch("-U", command=["true"]), names=["user.max_user_namespaces", "sysctl -w"])


def test_root_of_a_user_namespace_is_an_ordinary_user(runtime, user, launch):
    """an engine's namespace: cgroups and devices are not root's to make"""
    runtime.wrapper += ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc"]
    result = launch("-m", "-i", "-u", command=["sh", "-c", "echo x >/dev/null; id -u"])
    one_notice(result)
    assert (result.status, result.stdout) == (0, "0\n")
