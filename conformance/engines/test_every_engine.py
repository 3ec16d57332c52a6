"""What podman and Docker do alike, as their users see it: run, exec, and what options set up."""

import json
import os

import pytest

from engines.engine import wait_for
from harness.terminal import Attached

BOUNDS = "grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2 | sort -u"


def test_run_prints_what_the_container_prints(any_engine):
    assert any_engine.run("echo", "hello") == "hello\n"


def test_output_and_errors_stay_apart(any_engine):
    _, out, err = any_engine.result("run", "--rm", *any_engine.options_with([]), any_engine.image, "sh", "-c", "echo a; echo b >&2")
    assert (out, err) == ("a\n", "b\n")


def test_a_failed_run_leaves_nothing(any_engine):
    any_engine.run("nosuch", status=127)
    assert any_engine("ps", "--all", "--quiet") == ""
    assert not any_engine.leftovers()


@pytest.fixture
def running(any_engine):
    """The name of a container that sleeps."""
    return any_engine.start("sleep", "60")


def test_exec_runs_in_the_namespaces_of_the_container(any_engine, running):
    pid = any_engine.state(running)["Pid"]
    look = "for kind in pid net ipc mnt uts; do readlink /proc/self/ns/$kind; done"
    seen = any_engine("exec", running, "sh", "-c", look).split()
    assert seen == [os.readlink(f"/proc/{pid}/ns/{kind}") for kind in ("pid", "net", "ipc", "mnt", "uts")]


@pytest.mark.parametrize("status", [0, 3, 255])
def test_the_status_of_exec_is_that_of_the_program(any_engine, running, status):
    any_engine("exec", running, "sh", "-c", f"exit {status}", status=status)


def test_the_streams_of_exec(any_engine, running):
    status, out, err = any_engine.result("exec", "-i", running, "sh", "-c", "cat; echo b >&2", stdin="a")
    assert (status, out, err) == (0, "a", "b\n")


def test_environment_user_and_working_directory_of_exec(any_engine, running):
    flags = ["--env", "A=b c", "--user", "1000:5", "--workdir", "/usr/bin"]
    seen = any_engine("exec", *flags, running, "sh", "-c", "echo $A; pwd; id -u; id -g")
    assert seen == "b c\n/usr/bin\n1000\n5\n"


def test_detached_exec(any_engine, running):
    any_engine("exec", "-d", running, "sh", "-c", "echo x >/made; sleep 73")
    wait_for(lambda: any_engine.result("exec", running, "cat", "/made")[1] == "x\n", "the file is made")
    assert "sleep 73" in any_engine("top", running)


def test_exec_on_a_terminal(any_engine, running):
    # The engine sets the size when the program runs already. (busybox' stty ends with 0 where there is none yet.)
    script = "tty; read x; echo got $x; until stty size 2>&1 | grep '[0-9]'; do sleep 0.1; done; exit 9"
    words = [*any_engine.words, "exec", "-it", running, "sh", "-c", script]
    attached = Attached(words, rows=33, columns=99, env=any_engine.environment)
    attached.terminal.read("/dev/pts/")
    attached.terminal.write("word\n")
    attached.terminal.read("got word")
    attached.terminal.read("33 99", 20)
    assert attached.wait(20) == 9
    attached.close()


def test_additional_groups(any_engine):
    assert any_engine.run("id", "-G", flags=["--user", "1000:5", "--group-add", "77"]).split() == ["5", "77"]


def test_limits_of_the_process(any_engine):
    flags = [word for limit in ("nofile=200:300", "core=0:0", "nproc=1000:1000") for word in ("--ulimit", limit)]
    assert any_engine.run("sh", "-c", "ulimit -n; ulimit -Hn; ulimit -c", flags=flags) == "200\n300\n0\n"


def test_no_new_privileges(any_engine):
    grep = ["grep", "NoNewPrivs", "/proc/self/status"]
    assert any_engine.run(*grep).split()[1] == "0"
    assert any_engine.run(*grep, flags=["--security-opt", "no-new-privileges"]).split()[1] == "1"


def test_a_volume_is_seen_on_both_sides(any_engine, tmp_path):
    (tmp_path / "given").write_text("from outside")
    seen = any_engine.run("sh", "-c", "cat /v/given; echo from inside >/v/made", flags=["--volume", f"{tmp_path}:/v"])
    assert seen == "from outside"
    assert (tmp_path / "made").read_text() == "from inside\n"


def test_a_read_only_volume(any_engine, tmp_path):
    any_engine.run("touch", "/v/made", flags=["--volume", f"{tmp_path}:/v:ro"], status=1)
    assert not list(tmp_path.iterdir())


def test_a_single_file_as_a_volume(any_engine, tmp_path):
    (tmp_path / "file").write_text("one file")
    assert any_engine.run("cat", "/new/place", flags=["--volume", f"{tmp_path}/file:/new/place"]) == "one file"


def test_a_named_volume_keeps_its_content(any_engine):
    volume = any_engine.name("v")
    any_engine.run("sh", "-c", "echo kept >/v/file", flags=["--volume", f"{volume}:/v"])
    assert any_engine.run("cat", "/v/file", flags=["--volume", f"{volume}:/v"]) == "kept\n"
    any_engine("volume", "rm", volume)


def test_a_tmpfs(any_engine):
    seen = any_engine.run("sh", "-c", "grep ' /t ' /proc/mounts", flags=["--tmpfs", "/t:size=1m,mode=700"])
    assert seen.startswith("tmpfs /t tmpfs rw,") and "size=1024k" in seen and "mode=700" in seen


def test_the_size_of_dev_shm(any_engine):
    assert "size=2048k" in any_engine.run("grep", " /dev/shm ", "/proc/mounts", flags=["--shm-size", "2m"])


def test_sysctls(any_engine):
    assert any_engine.run("cat", "/proc/sys/kernel/msgmax", flags=["--sysctl", "kernel.msgmax=4321"]) == "4321\n"


# What is granted, and what is limited


def test_a_seccomp_filter_of_the_user(any_engine, tmp_path):
    profile = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 122}]}
    (tmp_path / "profile.json").write_text(json.dumps(profile))
    flags = ["--security-opt", f"seccomp={tmp_path}/profile.json"]
    seen = any_engine.run("sh", "-c", "mkdir /made 2>&1; touch /file && echo allowed", flags=flags)
    assert "quota exceeded" in seen.lower() and "allowed" in seen


def test_capabilities_are_added_to_the_usual_ones(any_engine):
    usual, more = (int(any_engine.run("sh", "-c", BOUNDS, flags=flags), 16) for flags in (
        [], ["--cap-add", "sys_ptrace"]))
    assert more == usual | 1 << 19


def test_the_score_of_the_oom_killer(any_engine):
    assert any_engine.run("cat", "/proc/self/oom_score_adj", flags=["--oom-score-adj", "321"]) == "321\n"


def test_a_rule_for_devices(any_engine):
    look = "mknod /full c 1 7 && head -c 1 /full | wc -c; mknod /fuse c 10 229 && (exec 3</fuse)"
    seen = any_engine.run("sh", "-c", look, flags=["--device-cgroup-rule", "c 1:7 rwm"], status=1)
    assert seen == "1\n"


def test_devices_that_are_not_given_cannot_be_opened(any_engine):
    assert any_engine.run("sh", "-c", "mknod /fuse c 10 229 && echo made; (exec 3</fuse)", status=1) == "made\n"


@pytest.mark.parametrize("rights, reads, writes", [("r", True, False), ("w", False, True), ("rw", True, True)])
def test_the_rights_on_a_device(any_engine, rights, reads, writes):
    flags = ["--cap-drop", "all", "--device", f"/dev/fuse:/dev/other:{rights}"]
    look = "(exec 3</dev/other) && echo reads; (exec 3>/dev/other) && echo writes"
    seen = any_engine.result("run", "--rm", *any_engine.options_with(flags), any_engine.image, "sh", "-c", look)[1].split()
    assert seen == ["reads"] * reads + ["writes"] * writes


def test_a_limit_of_processes_bites(any_engine):
    seen = any_engine.run("sh", "-c", "for n in 1 2 3 4 5 6 7 8 9; do sleep 9 & done; echo made", flags=[
        "--pids-limit", "5"], status=2)
    assert "made" not in seen


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
def test_limits(any_engine, flags, v1, v2, seen):
    look = f"cat /sys/fs/cgroup/{v1} 2>/dev/null || cat /sys/fs/cgroup/{v2}"
    found = any_engine.run("sh", "-c", look, flags=flags).split()
    assert seen in found or (v2 == "cpu.weight" and found == ["20"])


# What happens without the engine


def test_a_process_that_somebody_else_has_killed(any_engine):
    """`container not running` is no error where it is to be stopped."""
    name = any_engine.start("sleep", "60")
    os.kill(any_engine.state(name)["Pid"], 9)
    any_engine("stop", "--time", "0", name)
    state = any_engine.state(name)
    assert (state["Status"], state["ExitCode"]) == ("exited", 137)
    any_engine("rm", name)
    assert not any_engine.leftovers()


def test_a_container_that_somebody_else_has_deleted(any_engine):
    """`container does not exist` is no error where it is to be removed."""
    name = any_engine.start("sleep", "60")
    any_engine.delete_behind_its_back(name)
    any_engine("rm", "--force", name)
    assert not any_engine.known_to_the_runtime() and not any_engine.leftovers()


def test_a_container_is_started_again_under_its_id(any_engine):
    """Engines use an id again: nothing that is left of a container is in the way."""
    name = any_engine.start("sh", "-c", "exit 3")
    wait_for(lambda: any_engine.state(name)["Status"] == "exited", "it has ended")
    for _ in range(2):
        any_engine("start", name)
        wait_for(lambda: any_engine.state(name)["Status"] == "exited", "it has ended again")
        assert any_engine.state(name)["ExitCode"] == 3
