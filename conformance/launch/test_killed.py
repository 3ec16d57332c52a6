"""A launch that is killed takes its container along, and the next one clears what is left."""

import os

import pytest

from harness import host


def _killed(runtime, launch, *flags, script="echo up; exec sleep 1000"):
    """Kills a launch whose container runs: the container's name, and the process id of its first process."""
    words = launch.words(*flags, command=["/bin/sh", "-c", script])
    out = runtime.directory / runtime.unique("out")
    with open(out, "wb") as stdout:
        process = runtime.spawn(*words, stdout=stdout)
    host.wait_until(lambda: "up" in out.read_text(), "the container runs")
    pid = runtime.command("state", words[2]).ok().json["pid"]
    process.kill()
    process.wait(host.timeout(10))
    return words[2], pid


@pytest.mark.parametrize("flags", [[], ["-s"], ["--user-id", "7:8"], ["-m", "-u"], ["--cap-drop", "ALL", "-s"], ["-U"]],
                         ids=" ".join)
def test_the_container_ends_and_the_next_launch_clears_it(runtime, launch, flags):
    """whatever it has become: a change of the user makes the kernel forget such a tie"""
    name, pid = _killed(runtime, launch, *flags)
    host.wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the container's process ends")
    assert runtime.command("state", name).ok().json["status"] == "stopped"
    launch(command=["true"]).ok()
    assert name not in runtime.state_entries()
    runtime.expect_nothing()


def test_processes_without_a_pid_namespace_end_at_the_latest_with_the_next_launch(runtime, launch):
    """-m alone: the container's control group leads to them"""
    script = "sleep 1001 & echo $! >/tmp/pid; echo up; exec sleep 1000"
    _, pid = _killed(runtime, launch, "-m", script=script)
    other = int((launch.rootfs / "tmp/pid").read_text())
    host.wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the container's process ends")
    assert os.path.exists(f"/proc/{other}")
    launch(command=["true"]).ok()
    host.wait_until(lambda: not os.path.exists(f"/proc/{other}"), "the other process ends")
    runtime.expect_nothing()


def test_other_containers_are_left_alone(runtime, launch, bundle, make_bundle):
    """those of create, stopped or not, and those of a launch that lives"""
    running = runtime.start(bundle.probe("hold"))
    (launch.rootfs / "live").touch()
    words = launch.words(command=["/bin/sh", "-c", "echo up; while test -e /live; do sleep 0.05; done; exit 5"])
    out = runtime.directory / "live"
    with open(out, "wb") as stdout:
        living = runtime.spawn(*words, stdout=stdout)
    host.wait_until(lambda: "up" in out.read_text(), "the other launch runs")
    stopped = runtime.create(make_bundle().probe("hold"))
    stopped.kill("KILL").ok()
    stopped.wait()
    name, _ = _killed(runtime, launch)
    launch(command=["true"]).ok()
    assert name not in runtime.state_entries()
    assert {running.id, stopped.id, words[2]} <= set(runtime.state_entries())
    assert running.status == "running" and stopped.status == "stopped"
    (launch.rootfs / "live").unlink()
    assert living.wait(host.timeout(10)) == 5


def test_an_ordinary_users_launch_too(runtime, launch, user):
    """-U, without the right to a control group"""
    name, pid = _killed(runtime, launch, "-U")
    host.wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the container's process ends")
    launch("-U", command=["true"]).ok()
    assert name not in runtime.state_entries()
    runtime.expect_nothing()
