"""podman drives the runtime: from `run` to `rm`, as its users see it."""

import os

import pytest

from engines.podman_engine import IMAGE
from harness.broken import BROKEN

# Run and its results


def test_run_on_a_directory_as_root_filesystem(podman, rootfs):
    assert podman("run", "--rm", *podman.options, "--rootfs", rootfs, "cat", "/etc/hosts").startswith("127.0.0.1")


def test_a_pipe_reaches_the_container(podman):
    data = os.urandom(300_000).hex()
    assert podman.run("md5sum", flags=["-i"], stdin=data) == podman.run("md5sum", flags=["-i"], stdin=data)
    assert podman.run("wc", "-c", flags=["-i"], stdin=data) == "600000\n"


@pytest.mark.parametrize("status", [0, 1, 3, 125, 255])
def test_the_exit_status_is_that_of_the_program(podman, status):
    podman.run("sh", "-c", f"exit {status}", status=status)


@pytest.mark.parametrize("signal", [9, 15, 6])
def test_a_signal_gives_128_and_its_number(podman, signal):
    podman.run("sh", "-c", f"kill -{signal} $$", flags=["--pid", "host"], status=128 + signal)


# podman reads these texts of the runtime, and gives its own status for them


@pytest.mark.parametrize("path", ["nosuch", "/bin/nosuch", "/nosuch/program"])
def test_a_missing_program_gives_127(podman, log_format, path):
    status, _, err = podman.result("run", "--rm", *podman.options, IMAGE, path)
    assert status == 127, err
    assert path in err


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.name)
def test_why_the_kernel_refused_a_program_is_told(podman, broken, tmp_path):
    """It is `start` that fails, of which podman reads no text: 126. The user gets the reason."""
    broken.put(tmp_path / "refused")
    status, out, err = podman.result("run", "--rm", *podman.options, "--volume", f"{tmp_path}:/b:ro", IMAGE, "/b/refused")
    assert status == 126, out + err
    assert broken.text in err.lower() and "/b/refused" in err and not out
    assert broken.told in err or os.environ["RUNTIME_NAME"] != "swrun", err


@pytest.mark.parametrize("path", ["/etc", "/etc/passwd"])
def test_what_cannot_be_executed_gives_126(podman, log_format, path):
    status, _, err = podman.result("run", "--rm", *podman.options, IMAGE, path)
    assert status == 126, err
    assert path in err


def test_an_error_of_the_runtime_is_told_once(podman, log_format):
    _, out, err = podman.result("run", "--rm", *podman.options, IMAGE, "nosuch")
    assert out == ""
    assert err.count("nosuch") == 1, err
    assert len(err.strip().splitlines()) == 1, err


def test_a_workdir_that_is_a_file_is_an_error(podman):
    status, _, err = podman.result(
        "run", "--rm", *podman.options, "--workdir", "/etc/passwd", IMAGE, "true")
    assert status in (126, 127), err


# The life of a container


def test_a_detached_container_runs_until_it_is_stopped(podman):
    name = podman.start("sh", "-c", "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 60 & wait; done")
    podman.wait_for_log(name, "up")
    state = podman.state(name)
    assert (state["Status"], state["Running"]) == ("running", True)
    assert os.path.exists(f"/proc/{state['Pid']}")
    podman("stop", name)
    state = podman.state(name)
    assert (state["Status"], state["ExitCode"], state["Pid"]) == ("exited", 7, 0)
    assert podman("logs", name) == "up\nbye\n"


def test_stop_kills_what_does_not_stop(podman):
    name = podman.start("sh", "-c", "trap '' TERM; echo up; while :; do sleep 60 & wait; done")
    podman.wait_for_log(name, "up")
    podman("stop", "--time", "1", name)
    assert podman.state(name)["ExitCode"] == 137


def test_a_stopped_container_starts_again(podman):
    name = podman.start("sh", "-c", "echo x >>/count; exec sleep 60")
    for _ in range(2):
        podman("stop", "--time", "0", name)
        podman("start", name)
        assert podman.state(name)["Status"] == "running"
    podman("stop", "--time", "0", name)
    podman("cp", f"{name}:/count", podman.directory / "count")
    assert (podman.directory / "count").read_text() == "x\n" * 3


def test_create_makes_and_start_attached_runs(podman):
    name = podman.name()
    podman("create", "--name", name, *podman.options, IMAGE, "sh", "-c", "echo done; exit 4")
    assert podman.state(name)["Status"] in ("created", "configured")
    assert podman("start", "--attach", name, status=4) == "done\n"


def test_init_creates_and_does_not_start(podman):
    name = podman.name()
    podman("create", "--name", name, *podman.options, IMAGE, "echo", "started")
    podman("init", name)
    state = podman.state(name)
    assert state["Status"] in ("created", "initialized")
    assert state["Pid"] > 0
    assert podman("logs", name) == ""
    podman("start", "--attach", name)
    assert podman("logs", name) == "started\n"


@pytest.mark.parametrize("signal", ["USR1", "SIGUSR1", "10"])
def test_kill_sends_a_signal(podman, signal):
    name = podman.start("sh", "-c", "trap 'echo got it; exit 0' USR1; echo up; while :; do sleep 60 & wait; done")
    podman.wait_for_log(name, "up")
    podman("kill", "--signal", signal, name)
    assert podman("wait", name).strip() == "0"
    assert podman("logs", name) == "up\ngot it\n"


def test_kill_without_a_signal_ends_the_container(podman):
    name = podman.start("sleep", "60")
    podman("kill", name)
    assert podman("wait", name).strip() == "137"


def test_rm_refuses_a_running_container_and_force_removes_it(podman):
    name = podman.start("sleep", "60")
    podman("rm", name, status=2)
    assert podman.known_to_the_runtime()
    podman("rm", "--force", "--time", "0", name)
    assert podman("ps", "--all", "--quiet") == ""
    assert not podman.leftovers()


def test_rm_after_run_leaves_nothing(podman):
    podman.run("true")
    assert podman("ps", "--all", "--quiet") == ""
    assert not podman.known_to_the_runtime()
    assert not podman.leftovers()


def test_many_containers_at_the_same_time(podman):
    names = [podman.start("sleep", "60") for _ in range(4)]
    assert len(podman.known_to_the_runtime()) == 4
    assert len({podman.state(name)["Pid"] for name in names}) == 4


# Namespaces that podman shares between containers


def test_a_container_joins_the_namespaces_of_another(podman):
    name = podman.start("sleep", "61")
    flags = [word for kind in ("pid", "network", "ipc") for word in (f"--{kind}", f"container:{name}")]
    look = "ps; for kind in pid net ipc; do readlink /proc/self/ns/$kind; done"
    seen = podman.run("sh", "-c", look, flags=flags)
    assert "sleep 61" in seen
    pid = podman.state(name)["Pid"]
    for kind in "pid", "net", "ipc":
        assert os.readlink(f"/proc/{pid}/ns/{kind}") in seen


def test_the_containers_of_a_pod_share_their_network(podman):
    pod = podman.name("p")
    podman("pod", "create", "--name", pod, "--network", "none", "--cgroup-parent", f"/{podman.prefix}")
    names = [podman.name() for _ in range(2)]
    for name in names:
        podman("run", "-d", "--name", name, "--pod", pod, IMAGE, "sleep", "60")
    first, second = (os.readlink(f"/proc/{podman.state(name)['Pid']}/ns/net") for name in names)
    assert first == second != os.readlink("/proc/self/ns/net")
