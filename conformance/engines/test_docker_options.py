"""What the options of `docker run` set up arrives in the container."""

import json
import os

import pytest

from engines.docker_engine import IMAGE
from engines.engine import wait_for

CAPABILITIES = "grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2 | sort -u"

# The process


def test_environment_working_directory_and_entry_point(docker):
    seen = docker.run("-c", "echo $A; pwd", flags=["--env", "A=b c", "--workdir", "/new/place", "--entrypoint", "sh"])
    assert seen == "b c\n/new/place\n"


@pytest.mark.parametrize("user, seen", [("1000", "1000:1000"), ("1000:5", "1000:5"), ("nobody", "65534:65534")])
def test_the_user(docker, user, seen):
    assert docker.run("sh", "-c", "echo $(id -u):$(id -g)", flags=["--user", user]) == f"{seen}\n"


def test_an_unknown_user_is_an_error(docker):
    status, _, err = docker.result("run", "--rm", "--user", "nosuch", IMAGE, "true")
    assert status == 125 and "nosuch" in err, err


def test_the_host_name_and_domain_name(docker):
    seen = docker.run("sh", "-c", "hostname; cat /proc/sys/kernel/domainname", flags=[
        "--hostname", "ship", "--domainname", "sea.test"])
    assert seen == "ship\nsea.test\n"


def test_capabilities(docker):
    none, one = "0000000000000000\n", "0000000000002000\n"
    assert docker.run("sh", "-c", CAPABILITIES, flags=["--cap-drop", "all"]) == none
    assert docker.run("sh", "-c", CAPABILITIES, flags=["--cap-drop", "all", "--cap-add", "net_raw"]) == one


def test_capabilities_are_added_to_the_usual_ones(docker):
    usual, more = (int(docker.run("sh", "-c", CAPABILITIES, flags=flags), 16) for flags in (
        [], ["--cap-add", "sys_ptrace"]))
    assert more == usual | 1 << 19


def test_the_seccomp_filter_of_docker_is_in_force(docker):
    grep = ["grep", "Seccomp:", "/proc/self/status"]
    assert docker.run(*grep).split()[1] == "2"
    assert docker.run(*grep, flags=["--security-opt", "seccomp=unconfined"]).split()[1] == "0"
    docker.run("unshare", "--mount", "true", status=1)


def test_a_seccomp_filter_of_the_user(docker, tmp_path):
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 122}]}
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    flags = ["--security-opt", f"seccomp={tmp_path}/profile.json"]
    seen = docker.run("sh", "-c", "mkdir /made 2>&1; touch /file && echo allowed", flags=flags)
    assert "quota exceeded" in seen.lower() and "allowed" in seen


def test_a_privileged_container(docker):
    look = "mkdir /m && mount -t tmpfs tmpfs /m && ls /dev/full && grep Seccomp: /proc/self/status && cat /dev/net/tun"
    seen = docker.run("sh", "-c", f"{look} 2>&1", flags=["--privileged"], status=1)
    assert seen.split()[:3] == ["/dev/full", "Seccomp:", "0"]
    assert "bad state" in seen, "the device could not be opened"


def test_a_process_under_an_init(docker):
    seen = docker.run("sh", "-c", "echo $$; tr '\\0' ' ' </proc/1/cmdline", flags=["--init"])
    assert int(seen.split()[0]) > 1
    assert "docker-init" in seen


def test_the_score_of_the_oom_killer(docker):
    assert docker.run("cat", "/proc/self/oom_score_adj", flags=["--oom-score-adj", "321"]) == "321\n"


def test_the_stop_signal(docker):
    name = docker.start("sh", "-c", "trap 'exit 8' USR2; echo up; while :; do sleep 60 & wait; done", flags=[
        "--stop-signal", "USR2"])
    docker.wait_for_log(name, "up")
    docker("stop", name)
    assert docker.state(name)["ExitCode"] == 8


# The root filesystem


@pytest.mark.parametrize("propagation, arrives", [("rprivate", ""), ("rslave", "x\n"), ("rshared", "x\n")])
def test_mounts_of_the_host_arrive_in_a_volume(docker, propagation, arrives):
    directory = docker.directory / docker.name("s")
    directory.mkdir()
    docker.room.command("mount", "--bind", directory, directory)
    docker.room.command("mount", "--make-shared", directory)
    (directory / "below").mkdir()
    name = docker.start("sleep", "60", flags=["--volume", f"{directory}:/v:{propagation}"])
    docker.room.command("mount", "-t", "tmpfs", "tmpfs", directory / "below")
    docker.room.command("sh", "-c", f"echo x >{directory}/below/file")
    seen = docker.result("exec", name, "cat", "/v/below/file")[1]
    docker("rm", "--force", name)
    docker.room.command("umount", "--recursive", directory)
    assert seen == arrives


def test_a_read_only_root(docker):
    docker.run("touch", "/made", flags=["--read-only"], status=1)
    docker.run("touch", "/t/made", flags=["--read-only", "--tmpfs", "/t"])


@pytest.mark.parametrize("rights, reads, writes", [("r", True, False), ("w", False, True), ("rw", True, True)])
def test_the_rights_on_a_device(docker, rights, reads, writes):
    flags = ["--cap-drop", "all", "--device", f"/dev/fuse:/dev/other:{rights}"]
    look = "(exec 3</dev/other) && echo reads; (exec 3>/dev/other) && echo writes"
    seen = docker.result("run", "--rm", *flags, IMAGE, "sh", "-c", look)[1].split()
    assert seen == ["reads"] * reads + ["writes"] * writes


def test_a_rule_for_devices(docker):
    look = "mknod /full c 1 7 && head -c 1 /full | wc -c; mknod /fuse c 10 229 && (exec 3</fuse)"
    seen = docker.run("sh", "-c", look, flags=["--device-cgroup-rule", "c 1:7 rwm"], status=1)
    assert seen == "1\n"


def test_devices_that_are_not_given_cannot_be_opened(docker):
    assert docker.run("sh", "-c", "mknod /fuse c 10 229 && echo made; (exec 3</fuse)", status=1) == "made\n"


def test_names_of_hosts(docker):
    seen = docker.run("cat", "/etc/hosts", flags=["--network", "bridge", "--add-host", "ship:10.1.2.3"])
    assert "10.1.2.3\tship" in seen


# Namespaces


def test_a_container_joins_the_namespaces_of_another(docker):
    name = docker.start("sleep", "61", flags=["--ipc", "shareable"])
    flags = [word for kind in ("pid", "network", "ipc") for word in (f"--{kind}", f"container:{name}")]
    seen = docker.run("sh", "-c", "ps; for kind in pid net ipc; do readlink /proc/self/ns/$kind; done", flags=flags)
    assert "sleep 61" in seen
    pid = docker.state(name)["Pid"]
    for kind in "pid", "net", "ipc":
        assert os.readlink(f"/proc/{pid}/ns/{kind}") in seen


@pytest.mark.parametrize("flag, kind", [("network", "net"), ("pid", "pid"), ("ipc", "ipc"), ("uts", "uts")])
def test_a_namespace_of_the_host(docker, flag, kind):
    seen = docker.run("readlink", f"/proc/self/ns/{kind}", flags=[f"--{flag}", "host"])
    assert seen == docker.room.command("readlink", f"/proc/{docker.daemon.pid}/ns/{kind}")


# Control groups


@pytest.mark.parametrize("flags, v1, v2, seen", [
    (["--pids-limit", "77"], "pids/pids.max", "pids.max", "77"),
    (["--memory", "32m"], "memory/memory.limit_in_bytes", "memory.max", str(32 << 20)),
    (["--memory", "32m", "--memory-reservation", "16m"], "memory/memory.soft_limit_in_bytes", "memory.low",
     str(16 << 20)),
    (["--cpus", "0.25"], "cpu/cpu.cfs_quota_us", "cpu.max", "25000"),
    (["--cpu-period", "50000", "--cpu-quota", "10000"], "cpu/cpu.cfs_period_us", "cpu.max", "50000"),
    (["--cpu-shares", "512"], "cpu/cpu.shares", "cpu.weight", "512"),
    (["--cpuset-cpus", "0"], "cpuset/cpuset.cpus", "cpuset.cpus", "0"),
    (["--cpuset-mems", "0"], "cpuset/cpuset.mems", "cpuset.mems", "0"),
], ids=lambda value: value[-2].lstrip("-") if isinstance(value, list) else "")
def test_limits(docker, flags, v1, v2, seen):
    look = f"cat /sys/fs/cgroup/{v1} 2>/dev/null || cat /sys/fs/cgroup/{v2}"
    found = docker.run("sh", "-c", look, flags=flags).split()
    assert seen in found or (v2 == "cpu.weight" and found == ["20"])


def test_a_limit_of_processes_bites(docker):
    seen = docker.run("sh", "-c", "for n in 1 2 3 4 5 6 7 8 9; do sleep 9 & done; echo made", flags=[
        "--pids-limit", "5"], status=2)
    assert "made" not in seen


def test_a_parent_for_the_control_group(docker):
    parent = f"/{docker.room.name}/deeper"
    name = docker.start("sleep", "60", flags=["--cgroup-parent", parent])
    groups = open(f"/proc/{docker.state(name)['Pid']}/cgroup").read()
    assert f"{parent}/{docker.inspect(name)['Id']}\n" in groups
    docker("rm", "--force", name)
    remove_group(parent)


def remove_group(name: str) -> None:
    from harness import host

    for point in host.hierarchies().values():
        path = point / name.lstrip("/")
        if path.exists():
            wait_for(lambda path=path: _removed(path), f"{path} is empty")


def _removed(path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True
