"""timeOffsets (config-linux.md, Offset for Time Namespace)."""

import time

import pytest

SECOND = 1_000_000_000


def _readings():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def _close(value, expected, slack=60 * SECOND) -> bool:
    return abs(value - expected) < slack


def test_the_clocks_are_ahead_by_the_offsets(runtime, bundle):
    """config-linux.md, Offset for Time Namespace: secs, nanosecs of monotonic and boottime"""
    bundle.namespace("time")
    bundle.linux["timeOffsets"] = {
        "monotonic": {"secs": 172800, "nanosecs": 500000000}, "boottime": {"secs": 604800, "nanosecs": 0}}
    monotonic, boottime = _readings()
    report = runtime.look(bundle).report
    assert _close(report["clock_monotonic"], monotonic + 172800 * SECOND)
    assert _close(report["clock_boottime"], boottime + 604800 * SECOND)
    assert [line.split() for line in report["timens_offsets"].splitlines()] == [
        ["monotonic", "172800", "500000000"], ["boottime", "604800", "0"]]
    assert _close(report["clock_realtime"], time.time_ns())


def test_an_offset_may_be_negative_and_given_for_one_clock_alone(runtime, bundle):
    """config-linux.md, Offset for Time Namespace: secs is int64, both properties are OPTIONAL"""
    bundle.namespace("time")
    bundle.linux["timeOffsets"] = {"boottime": {"secs": -5}}
    report = runtime.look(bundle).report
    assert [line.split()[:2] for line in report["timens_offsets"].splitlines()] == [["monotonic", "0"], ["boottime", "-5"]]


def test_a_new_time_namespace_without_offsets_shows_the_same_clocks(runtime, bundle):
    """config-linux.md, Offset for Time Namespace is OPTIONAL"""
    monotonic, _ = _readings()
    report = runtime.look(bundle.namespace("time")).report
    assert _close(report["clock_monotonic"], monotonic)


@pytest.mark.parametrize("offsets", [
    {"realtime": {"secs": 1}}, {"nosuch": {"secs": 1}}, {"monotonic": {"nanosecs": 1000000000}},
    {"monotonic": {"secs": "1"}}, {"monotonic": {"secs": 1.5}}, {"monotonic": {"nanosecs": -1}},
    {"monotonic": {"secs": -(1 << 40)}},
])
def test_an_offset_that_makes_no_sense_is_refused(runtime, bundle, offsets):
    """config.md, Valid values; time_namespaces(7)"""
    bundle.namespace("time")
    bundle.linux["timeOffsets"] = offsets
    runtime.refuses(bundle, "timeOffsets")


def test_offsets_without_a_new_time_namespace_are_refused(runtime, bundle):
    """runtime.md, Create: what cannot be applied is an error"""
    bundle.linux["timeOffsets"] = {"monotonic": {"secs": 1}}
    runtime.refuses(bundle, "timeOffsets")
