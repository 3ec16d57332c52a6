"""Docker drives the runtime: from `run` to `rm`, as its users see it."""

import os
import time
from subprocess import DEVNULL, PIPE

import pytest

from engines.docker_engine import IMAGE
from harness import host
from harness.broken import BROKEN

LOOP = "echo up; while :; do sleep 60 & wait; done"

# Run and its results


def test_the_runtime_is_the_one_under_test(docker):
    assert docker("info", "--format", "{{.DefaultRuntime}}") == "tested\n"
    name = docker.start("sleep", "60")
    assert docker.inspect(name)["HostConfig"]["Runtime"] == "tested"
    assert docker.known_to_the_runtime() == [docker.inspect(name)["Id"]]


def test_a_pipe_reaches_the_container(docker):
    assert docker.run("wc", "-c", flags=["-i"], stdin=os.urandom(300_000).hex()) == "600000\n"


@pytest.mark.parametrize("status", [1, 125, 255])
def test_the_exit_status_is_that_of_the_program(docker, status):
    docker.run("sh", "-c", f"exit {status}", status=status)


def test_a_signal_gives_128_and_its_number(docker):
    docker.run("sh", "-c", "kill -9 $$", flags=["--pid", "host"], status=137)


# Docker reads these texts of the runtime, and gives its own status for them


@pytest.mark.parametrize("path", ["nosuch", "/bin/nosuch"])
def test_a_missing_program_gives_127(docker, path):
    status, _, err = docker.result("run", "--rm", IMAGE, path)
    assert status == 127, err
    assert path in err


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.name)
def test_why_the_kernel_refused_a_program_is_told(docker, broken, tmp_path):
    """Docker knows no words for another format: 125, as for what is wrong with itself. The user gets the reason."""
    broken.put(tmp_path / "refused")
    status, out, err = docker.result("run", "--rm", "--network", "none", "--volume", f"{tmp_path}:/b:ro", IMAGE, "/b/refused")
    assert status == (127 if broken.is_missing else 125), out + err
    assert broken.text in err.lower() and "/b/refused" in err and not out
    assert broken.told in err or os.environ["RUNTIME_NAME"] != "swrun", err


@pytest.mark.parametrize("path", ["/etc", "/etc/passwd"])
def test_what_cannot_be_executed_gives_126(docker, path):
    status, _, err = docker.result("run", "--rm", IMAGE, path)
    assert status == 126, err
    assert path in err


def test_a_workdir_that_is_a_file_gives_127(docker):
    status, _, err = docker.result("run", "--rm", "--workdir", "/etc/passwd", IMAGE, "true")
    assert status in (125, 126, 127), err
    assert "not a directory" in err


# The life of a container


def test_a_detached_container_runs_until_it_is_stopped(docker):
    name = docker.start("sh", "-c", f"trap 'echo bye; exit 7' TERM; {LOOP}")
    docker.wait_for_log(name, "up")
    assert os.path.exists(f"/proc/{docker.state(name)['Pid']}")
    docker("stop", name)
    state = docker.state(name)
    assert (state["Status"], state["ExitCode"], state["Pid"]) == ("exited", 7, 0)
    assert docker("logs", name) == "up\nbye\n"


def test_stop_kills_what_does_not_stop(docker):
    name = docker.start("sh", "-c", f"trap '' TERM; {LOOP}")
    docker.wait_for_log(name, "up")
    docker("stop", "--time", "1", name)
    assert docker.state(name)["ExitCode"] == 137


def test_a_stopped_container_starts_again(docker):
    name = docker.start("sh", "-c", "echo x >>/count; exec sleep 60")
    docker("restart", "--time", "0", name)
    docker("stop", "--time", "0", name)
    docker("start", name)
    assert docker.state(name)["Running"]
    assert docker("exec", name, "cat", "/count") == "x\n" * 3


def test_create_makes_and_start_attached_runs(docker):
    name = docker.name()
    docker("create", "--name", name, IMAGE, "sh", "-c", "echo done; exit 4")
    assert docker.state(name)["Status"] == "created"
    assert docker("start", "--attach", name, status=4) == "done\n"


@pytest.mark.parametrize("signal", ["USR1", "10"])
def test_kill_sends_a_signal(docker, signal):
    name = docker.start("sh", "-c", f"trap 'echo got it; exit 3' USR1; {LOOP}")
    docker.wait_for_log(name, "up")
    docker("kill", "--signal", signal, name)
    assert docker("wait", name) == "3\n"
    assert docker("logs", name) == "up\ngot it\n"


def test_kill_without_a_signal_ends_the_container(docker):
    name = docker.start("sleep", "60")
    docker("kill", name)
    assert docker("wait", name) == "137\n"
    docker("kill", name, status=1)


def test_rm_refuses_a_running_container_and_force_removes_it(docker):
    name = docker.start("sleep", "60")
    docker("rm", name, status=1)
    docker("rm", "--force", name)
    assert docker("ps", "--all", "--quiet") == ""
    assert not docker.leftovers()


def test_many_containers_at_the_same_time(docker):
    starting = [docker.spawn("run", "-d", "--network", "none", IMAGE, "sleep", "60", stdout=DEVNULL) for _ in range(6)]
    assert [process.wait() for process in starting] == [0] * 6
    assert len(docker.known_to_the_runtime()) == 6


def test_pause_stops_the_processes_and_unpause_continues_them(docker):
    name = docker.start("sh", "-c", "while :; do echo x; sleep 0.05; done")
    docker.wait_for_log(name, "x")
    docker("pause", name)
    assert docker.state(name)["Status"] == "paused"
    before = docker("logs", name)
    assert docker("logs", name) == before
    docker("exec", name, "true", status=1)
    docker("unpause", name)
    assert docker.state(name)["Status"] == "running"
    docker.wait_for_log(name, before + "x")


def test_a_paused_container_can_be_removed(docker):
    name = docker.start("sleep", "60")
    docker("pause", name)
    docker("rm", "--force", name)
    assert not docker.leftovers()


def test_top_lists_the_processes(docker):
    name = docker.start("sh", "-c", "sleep 71 & sleep 72 & wait")
    seen = docker("top", name, "-o", "pid,args")
    assert "sleep 71" in seen and "sleep 72" in seen
    assert len(seen.splitlines()) == 4, seen


def test_stats_show_what_a_container_uses(docker):
    name = docker.start("sh", "-c", "sleep 71 & sleep 72 & wait")
    memory, processes = docker("stats", "--no-stream", "--format", "{{.MemUsage}},{{.PIDs}}", name).split(",")
    assert processes == "3\n"
    assert not memory.startswith("0B"), memory


def test_events_tell_the_life_of_a_container(docker):
    name, began = docker.name(), time.time()
    docker("run", "--name", name, "--network", "none", IMAGE, "sh", "-c", "exit 3", status=3)
    times = ["--since", f"{began:.6f}", "--until", f"{time.time():.6f}"]
    seen = docker("events", *times, "--filter", f"container={name}", "--format", "{{.Action}}")
    assert [word for word in seen.split() if word in ("create", "start", "die", "oom")] == ["create", "start", "die"]


def test_attach_joins_the_streams(docker):
    name = docker.name()
    docker("run", "-d", "-i", "--name", name, "--network", "none", IMAGE, "sh", "-c", "read x; echo got $x; exit 6")
    attached = docker.spawn("attach", name, stdin=PIPE, stdout=PIPE, text=True)
    attached.stdin.write("word\n")
    attached.stdin.flush()  # and it stays open: the client leaves when its input ends
    assert attached.stdout.read() == "got word\n"
    assert attached.wait(host.timeout(20)) == 6
    attached.stdin.close()


def test_files_are_copied_in_and_out(docker, tmp_path):
    (tmp_path / "file").write_text("content")
    name = docker.start("sleep", "60")
    docker("cp", tmp_path / "file", f"{name}:/etc/file")
    assert docker("exec", name, "cat", "/etc/file") == "content"
    docker("cp", f"{name}:/etc/file", tmp_path / "back")
    assert (tmp_path / "back").read_text() == "content"
