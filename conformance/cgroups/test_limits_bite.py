"""Limits are not only written: the container feels them."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from harness import host, limits

MIB = 1 << 20


def need(*controllers):
    """Skips where the host cannot limit this."""
    if not set(controllers) & set(limits.controllers()):
        pytest.skip(f"this host has no controller {' or '.join(controllers)}")


def test_a_container_that_takes_too_much_memory_is_killed(runtime, bundle):
    """memory.limit, with no swap beyond it"""
    need("memory")
    bundle.linux["resources"] = {"memory": {"limit": 24 * MIB, "swap": 24 * MIB}}
    result = runtime.run(bundle.probe(["memory", 8 * MIB], "say", ["memory", 64 * MIB], "say"))
    assert len(result.seen.all("say")) == 1, result
    assert result.status == 128 + 9


def test_a_container_stays_within_its_memory(runtime, bundle):
    """memory.limit leaves what is below it alone"""
    need("memory")
    bundle.linux["resources"] = {"memory": {"limit": 48 * MIB}}
    assert runtime.look(bundle, ["memory", 16 * MIB], "say")("say")


def test_forks_beyond_the_limit_fail(runtime, bundle):
    """pids.limit"""
    need("pids")
    bundle.linux["resources"] = {"pids": {"limit": 5}}
    container = runtime.start(bundle.probe(["fork", 8], "hold"))
    children = container.wait_for("hold")("fork")["children"]
    assert [child for child in children if child < 0] == [-1] * 4, children


def test_a_limit_of_no_process_lets_the_program_run_alone(runtime, bundle):
    """pids.limit: "0 is a valid limit value for the pids cgroup controller and SHOULD be treated as such" """
    need("pids")
    bundle.config["ociVersion"] = "1.3.0"  # before, 0 was how encoders wrote "not set"
    bundle.linux["resources"] = {"pids": {"limit": 0}}
    seen = runtime.look(bundle, ["fork", 1], "say")
    assert seen("fork")["children"] == [-1]


def _ticks(pid: int) -> int:
    """The processor time of a process, in hundredths of a second."""
    stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(stat[11]) + int(stat[12])


def _busy(runtime, bundle, cpu: dict) -> float:
    """The share of a processor that a container which never rests is given."""
    bundle.linux["resources"] = {"cpu": cpu}
    container = runtime.start(bundle.shell("echo; while :; do :; done"))
    host.wait_until(lambda: container.text, "the shell runs")

    before, began = _ticks(container.pid), time.monotonic()
    time.sleep(1.5)
    share = (_ticks(container.pid) - before) / 100 / (time.monotonic() - began)
    container.delete("--force").ok()
    return share


def test_a_quota_limits_the_share_of_a_processor(runtime, bundle):
    """cpu.quota and cpu.period: a fifth of one processor"""
    need("cpu")
    assert _busy(runtime, bundle, {"quota": 10000, "period": 50000}) < 0.3


def test_shares_divide_a_processor(runtime, make_bundle):
    """cpu.shares: of two containers on one processor, the one with four times the shares gets some four times as much"""
    need("cpu")
    need("cpuset")
    containers = []
    for shares in (2048, 512):
        bundle = make_bundle().shell("echo; while :; do :; done")
        # Side by side below one group, so that nobody else is their rival there.
        bundle.linux["cgroupsPath"] = f"/{runtime.prefix}-rivals/{bundle.name}"
        bundle.linux["resources"] = {"cpu": {"shares": shares, "cpus": "0"}}
        containers.append(runtime.create(bundle))
    for container in containers:
        container.start().ok()
    host.wait_until(lambda: all(container.text for container in containers), "both shells run")
    before = [_ticks(container.pid) for container in containers]

    def used() -> list[int]:
        return [_ticks(container.pid) - ticks for container, ticks in zip(containers, before)]

    # As long as it takes on a machine where others want the processor too.
    host.wait_until(lambda: sum(used()) > 100, "they use a second of it", seconds=30)
    large, small = used()
    for container in containers:
        container.delete("--force").ok()
    for group in host.cgroups_named(f"{runtime.prefix}-rivals"):
        group.rmdir()  # the parent may stay: it is not that of one container alone
    assert 2 < large / max(small, 1) < 8, (large, small)


def test_a_container_runs_on_its_processors_only(runtime, bundle):
    """cpu.cpus"""
    need("cpuset")
    bundle.linux["resources"] = {"cpu": {"cpus": "0"}}
    seen = runtime.look(bundle, "report")
    assert seen.status_field("Cpus_allowed_list") == "0"


@pytest.fixture
def unread_file():
    """Three MiB on the disk of the root file system, none of them in memory; and the numbers of that disk."""
    device = os.stat("/").st_dev
    number = os.major(device), os.minor(device)
    if not number[0] or Path("/sys/dev/block/{}:{}/partition".format(*number)).exists():
        pytest.skip("the root file system is not on a whole block device")
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        if os.fstat(file.fileno()).st_dev != device:
            pytest.skip("/var/tmp is not on the root file system")
        file.write(os.urandom(3 * MIB))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        yield file.name, number


def test_a_throttle_slows_reading_down(runtime, bundle, unread_file):
    """blockIO.throttleReadBpsDevice: three MiB at one MiB a second"""
    need("blkio", "io")
    path, (major, minor) = unread_file
    bundle.linux["resources"] = {
        "blockIO": {"throttleReadBpsDevice": [{"major": major, "minor": minor, "rate": MIB}]}}
    bundle.mount("/mnt/file", path, "bind", ["bind", "ro"])
    container = runtime.start(bundle.shell("echo begin; cat /mnt/file >/dev/null && echo end"))
    host.wait_until(lambda: "begin" in container.text, "the shell runs")
    began = time.monotonic()
    host.wait_until(lambda: "end" in container.text, "all is read", 30)
    assert time.monotonic() - began > 1.8


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_kill_all_reaches_every_process(runtime, bundle, layout, signal):
    """kill --all: processes that are in no pid namespace of the container's too"""
    bundle.without_namespace("pid").probe(["fork", 5], "hold")
    container = runtime.start(bundle)
    children = container.wait_for("hold")("fork")["children"]
    pids = [container.pid, *children]
    assert all(Path(f"/proc/{pid}").exists() for pid in pids)
    runtime.command("kill", "--all", container.id, signal).ok()
    host.wait_until(lambda: not any(_lives(pid) for pid in pids), "every process ends")
    container.wait()


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def test_processes_of_a_container_that_has_ended_are_deleted_with_it(runtime, bundle, layout):
    """delete: the first process has ended, others have not"""
    bundle.without_namespace("pid").probe(["fork", 3])
    container = runtime.start(bundle)
    children = container.wait_for("fork")("fork")["children"]
    container.wait()
    assert all(_lives(pid) for pid in children)
    container.delete("--force").ok()
    assert not any(_lives(pid) for pid in children)
    runtime.expect_nothing()
