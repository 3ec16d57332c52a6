"""containerd drives the runtime through its shim, with the runtime's path as BinaryName: what ctr can do."""

import os
import time
from subprocess import DEVNULL

import pytest

from engines.containerd_engine import IMAGE
from engines.engine import wait_for
from harness import host
from harness.terminal import Attached


def test_run_prints_what_the_container_prints(ctr):
    assert ctr.run("echo", "hello") == "hello\n"


def test_the_runtime_is_the_one_under_test(ctr):
    name = ctr.start("sleep", "60")
    assert ctr.known_to_the_runtime() == [name]
    pid = ctr.tasks()[name][0]
    assert f"/{ctr.room.name}/{name}\n" in open(f"/proc/{pid}/cgroup").read()


def test_output_and_errors_stay_apart(ctr):
    name = ctr.name()
    _, out, err = ctr.result("run", "--rm", *ctr.options(name), IMAGE, name, "sh", "-c", "echo a; echo b >&2")
    assert (out, err) == ("a\n", "b\n")


@pytest.mark.parametrize("status", [0, 3, 255])
def test_the_exit_status_is_that_of_the_program(ctr, status):
    ctr.run("sh", "-c", f"exit {status}", status=status)


@pytest.mark.parametrize("path, text", [
    ("nosuch", "executable file not found"), ("/bin/nosuch", "no such file or directory"),
    ("/etc/passwd", "permission denied")])
def test_what_cannot_be_executed_is_told(ctr, path, text):
    name = ctr.name()
    status, _, err = ctr.result("run", "--rm", *ctr.options(name), IMAGE, name, path)
    assert status == 1
    assert "OCI runtime create failed" in err and path in err and text in err.lower()


def test_the_options_of_run(ctr, tmp_path):
    flags = ["--env", "A=b c", "--cwd", "/usr/bin", "--read-only", "--no-pivot",
             "--mount", f"type=bind,src={tmp_path},dst=/tmp,options=rbind:ro", "--memory-limit", str(32 << 20)]
    look = "echo $A; pwd; touch /tmp/made || touch /made || echo read-only"
    assert ctr.run("sh", "-c", look, flags=flags) == "b c\n/usr/bin\nread-only\n"


def test_run_on_a_terminal(ctr):
    name = ctr.name()
    words = [*ctr.words, "run", "--rm", "--tty", *ctr.options(name), IMAGE, name, "sh", "-c",
             "tty; read x; echo got $x; exit 9"]
    attached = Attached(words, env=ctr.environment)
    attached.terminal.read("/dev/pts/0")
    attached.terminal.write("word\n")
    attached.terminal.read("got word")
    assert attached.wait(20) == 9
    attached.close()


def test_a_task_is_killed_and_deleted(ctr):
    name = ctr.start("sh", "-c", "trap 'exit 7' TERM; echo up >/up; while :; do sleep 60 & wait; done")
    wait_for(lambda: os.path.exists(f"/proc/{ctr.tasks()[name][0]}/root/up"), "the program runs")
    ctr("tasks", "delete", name, status=1)
    waiting = ctr.spawn("tasks", "attach", name, stdin=DEVNULL)
    time.sleep(0.5)
    ctr("tasks", "kill", "--signal", "SIGTERM", name)
    assert waiting.wait(host.timeout(20)) == 7
    wait_for(lambda: name not in ctr.tasks() or ctr("tasks", "delete", name) == "", "the task is deleted")
    ctr("containers", "delete", name)
    assert not ctr.leftovers()


def test_kill_all(ctr):
    name = ctr.start("sh", "-c", "trap '' TERM; (trap '' TERM; sleep 71) & sleep 72 & wait")
    wait_for(lambda: len(ctr("tasks", "ps", name).splitlines()) == 4, "three processes run")
    pids = [int(line.split()[0]) for line in ctr("tasks", "ps", name).splitlines()[1:]]
    ctr("tasks", "kill", "--all", "--signal", "SIGKILL", name)
    host.wait_until(lambda: not any(alive(pid) for pid in pids), "all of them end")


def test_exec(ctr):
    name = ctr.start("sleep", "60")
    look = "echo hello; readlink /proc/self/ns/mnt; exit 5"
    out = ctr("tasks", "exec", "--exec-id", "one", name, "sh", "-c", look, status=5)
    assert out.split() == ["hello", os.readlink(f"/proc/{ctr.tasks()[name][0]}/ns/mnt")]


def test_exec_on_a_terminal(ctr):
    name = ctr.start("sleep", "60")
    work = "tty; read x; echo got $x; exit 4"
    words = [*ctr.words, "tasks", "exec", "--tty", "--exec-id", "one", name, "sh", "-c", work]
    attached = Attached(words, env=ctr.environment)
    attached.terminal.read("/dev/pts/")
    attached.terminal.write("word\n")
    attached.terminal.read("got word")
    assert attached.wait(20) == 4
    attached.close()


@pytest.mark.parametrize("path, text", [("nosuch", "executable file not found"), ("/etc/passwd", "permission denied")])
def test_exec_of_what_cannot_be_executed_is_told(ctr, path, text):
    name = ctr.start("sleep", "60")
    status, out, err = ctr.result("tasks", "exec", "--exec-id", "one", name, path)
    assert status == 1
    assert "OCI runtime exec failed: exec failed: " in err and path in err and text in err.lower()
    assert ctr("tasks", "exec", "--exec-id", "two", name, "echo", "hello") == "hello\n"


def test_ps_lists_the_processes_of_execs_too(ctr):
    name = ctr.start("sleep", "60")
    executed = ctr.spawn("tasks", "exec", "--exec-id", "one", name, "sleep", "61", stdin=DEVNULL)
    wait_for(lambda: len(ctr("tasks", "ps", name).splitlines()) == 3, "two processes are listed")
    assert "one" in ctr("tasks", "ps", name)
    ctr("tasks", "kill", "--exec-id", "one", "--signal", "SIGKILL", name)
    assert executed.wait(host.timeout(20)) == 137


def test_pause_and_resume(ctr):
    name = ctr.start("sh", "-c", "n=0; while :; do n=$((n+1)); echo $n >/count; sleep 0.02; done")
    count = f"/proc/{ctr.tasks()[name][0]}/root/count"
    wait_for(lambda: os.path.exists(count), "it counts")
    ctr("tasks", "pause", name)
    assert ctr.tasks()[name][1] == "PAUSED"
    with open(count) as file:
        before = file.read()
    time.sleep(0.2)
    with open(count) as file:
        assert file.read() == before
    ctr("tasks", "resume", name)
    assert ctr.tasks()[name][1] == "RUNNING"
    wait_for(lambda: open(count).read() not in ("", before), "it counts again")


def test_metrics(ctr):
    name = ctr.start("sh", "-c", "sleep 71 & sleep 72 & wait")
    seen = ctr("tasks", "metrics", name).split()
    pids = "pids.current"
    assert seen[seen.index(pids) + 1] == "3"
    memory = "memory.usage_in_bytes" if "memory.usage_in_bytes" in seen else "memory.usage"
    assert int(seen[seen.index(memory) + 1]) > 0


def test_a_container_that_uses_too_much_memory_is_told_so(ctr):
    began = time.time()
    events = ctr.directory / "events"
    with open(events, "wb") as file:
        watcher = ctr.spawn("events", stdin=DEVNULL, stdout=file)
    wait_for(lambda: _tells(ctr, events), "events are told")
    flags = ["--memory-limit", str(24 << 20)]
    status = ctr.result("run", "--rm", *ctr.options(name := ctr.name()), *flags, IMAGE, name, "sh", "-c",
                        "exec tail /dev/zero", seconds=60)[0]
    assert status == 137, f"after {time.time() - began} s"
    wait_for(lambda: "/tasks/oom" in events.read_text(), "an event tells of it")
    watcher.terminate()
    watcher.wait()


def _tells(ctr, events) -> bool:
    ctr.run("true")
    return events.stat().st_size > 0


def test_the_shim_and_the_container_outlive_the_daemon(ctr, containerd_engine):
    name = ctr.start("sh", "-c", "trap 'exit 7' TERM; while :; do sleep 60 & wait; done")
    pid = ctr.tasks()[name][0]
    containerd_engine.stop()
    assert alive(pid)
    containerd_engine.start()
    assert ctr.tasks()[name] == (pid, "RUNNING")
    assert ctr("tasks", "exec", "--exec-id", "one", name, "echo", "hello") == "hello\n"
    waiting = ctr.spawn("tasks", "attach", name, stdin=DEVNULL)
    time.sleep(0.5)
    ctr("tasks", "kill", name)
    assert waiting.wait(host.timeout(20)) == 7


def alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
