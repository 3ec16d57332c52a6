"""events (the command line contract): statistics and lack of memory, as runc writes them."""

import json
import time
from pathlib import Path

import pytest

from harness import host, limits, refused

MIB = 1 << 20


@pytest.fixture
def container(runtime, bundle, every_layout):
    bundle.linux["resources"] = {"pids": {"limit": 40}} if "pids" in _in_sight(every_layout) else {}
    container = runtime.start(bundle.probe(["memory", 4 * MIB], ["fork", 2], "hold"))
    container.wait_for("hold")
    return container


def _in_sight(layout) -> set[str]:
    """The controllers that the runtime can use in this layout."""
    versions = {"host": (False, True), "v1": (False,), "v2": (True,)}[layout]
    return {name for name, unified in limits.controllers().items() if unified in versions}


def _stats(runtime, container) -> dict:
    result = runtime.command("events", "--stats", container.id).ok()
    assert result.stdout.endswith("}\n") and result.stdout.count("\n") == 1, result
    return result.json


def test_the_document_has_the_form_that_engines_read(runtime, container, every_layout):
    """{"type": "stats", "id": ..., "data": {...}}: every member of runc's, with its type"""
    document = _stats(runtime, container)
    assert (document["type"], document["id"]) == ("stats", container.id)
    data = document["data"]
    assert set(data) == {
        "cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"}
    assert {"usage", "throttling"} <= set(data["cpu"])
    for name in ("kernel", "user"):
        assert isinstance(data["cpu"]["usage"][name], int)
    for name in ("usage", "swap", "kernel", "kernelTCP"):
        assert {"limit", "failcnt"} <= set(data["memory"][name]) <= {"limit", "failcnt", "usage", "max"}
    assert all(isinstance(value, int) for value in data["memory"].get("raw", {}).values())


def test_the_numbers_are_those_of_the_container(runtime, container, every_layout):
    """Memory, processes, processors: what the kernel's files say"""
    data = _stats(runtime, container)["data"]
    has = _in_sight(every_layout)
    if "pids" in has:
        assert data["pids"] == {"current": 3, "limit": 40}
    if "memory" in has:
        assert 4 * MIB <= data["memory"]["usage"]["usage"] < 64 * MIB
        assert data["memory"]["raw"]
    if "cpuset" in has:
        assert data["cpuset"]["cpus"] == sorted(data["cpuset"]["cpus"]) != []
    if every_layout == "v2" or "cpuacct" in has:
        assert data["cpu"]["usage"]["total"] > 0


def test_processor_time_is_counted_up(runtime, bundle, every_layout):
    """Two statistics of a container that never rests"""
    container = runtime.start(bundle.shell("while :; do :; done"))
    first = _stats(runtime, container)["data"]["cpu"]["usage"]["total"]
    time.sleep(0.3)
    second = _stats(runtime, container)["data"]["cpu"]["usage"]["total"]
    assert second - first > 20_000_000, "20 ms in 300, in nanoseconds"


def _lines(file: Path) -> list[dict]:
    return [json.loads(line) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]


@pytest.fixture
def watch(runtime):
    """Starts `events` with these options; gives the process and a function that reads what it has printed."""

    def watch(container, *options):
        out = runtime.directory / f"events-{container.id}"
        with open(out, "wb") as file:
            process = runtime.spawn("events", *options, container.id, stdout=file)
        return process, lambda: _lines(out)

    return watch


def test_statistics_come_at_each_interval(container, watch):
    """--interval"""
    process, events = watch(container, "--interval", "50ms")
    host.wait_until(lambda: len(events()) >= 3, "three statistics")
    assert {(event["type"], event["id"]) for event in events()} == {("stats", container.id)}
    assert process.poll() is None


def test_events_end_with_the_container(container, watch):
    """The stream ends when the container is gone, with success"""
    process, events = watch(container, "--interval", "20ms")
    host.wait_until(events, "the first statistics")
    container.delete("--force").ok()
    assert process.wait(host.timeout(10)) == 0


def test_a_lack_of_memory_is_told_at_once(runtime, bundle, every_layout, watch):
    """{"type": "oom", "id": ...} when the kernel kills for the limit"""
    if "memory" not in _in_sight(every_layout):
        pytest.skip("no memory controller in this layout")
    bundle.linux["resources"] = {"memory": {"limit": 24 * MIB, "swap": 24 * MIB}}
    bundle.shell("while [ ! -e /go ]; do sleep 0.02; done; probe memory 67108864 : say; while :; do sleep 1; done")
    container = runtime.start(bundle)
    process, events = watch(container, "--interval", "50ms")

    def told():
        return [event for event in events() if event["type"] != "stats"]

    host.wait_until(events, "the watch begins")
    assert told() == []
    (bundle.rootfs / "go").touch()
    host.wait_until(told, "the event")
    assert told()[0] == {"type": "oom", "id": container.id}
    assert container.status == "running", "the first process goes on"
    container.delete("--force").ok()
    assert process.wait(host.timeout(10)) == 0
    assert {event["type"] for event in told()} == {"oom"}


@pytest.mark.parametrize("interval", ["0", "0s", "-1s", "5", "x", "1 s"])
def test_an_interval_is_a_time_above_zero(runtime, container, interval, every_layout):
    """As Go programs write times"""
    refused(runtime.command("events", "--interval", interval, container.id), names=["interval"])


def test_a_container_that_does_not_run_has_no_events(runtime, container):
    """Nothing to wait for"""
    container.kill("KILL").ok()
    container.wait()
    refused(runtime.command("events", container.id), names=["not running"])
    refused(runtime.command("events", "--stats", container.id), names=["not running"])
