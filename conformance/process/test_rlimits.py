"""rlimits (config.md, POSIX process)."""

import resource

import pytest

from harness import host, refused

INFINITY = 18446744073709551615
# Values below every limit that a host sets; a runtime without CAP_SYS_RESOURCE cannot raise one.
VALUES = {
    "CPU": (3000, 4000), "FSIZE": (1 << 30, 1 << 31), "DATA": (1 << 33, 1 << 34), "STACK": (1 << 20, 1 << 22),
    "CORE": (0, 1 << 20), "RSS": (1 << 30, 1 << 31), "NPROC": (700, 800), "NOFILE": (512, 900),
    "MEMLOCK": (4096, 8192), "AS": (1 << 33, 1 << 34), "LOCKS": (10, 20), "SIGPENDING": (100, 200),
    "MSGQUEUE": (1000, 2000), "NICE": (0, 0), "RTPRIO": (0, 0), "RTTIME": (1 << 20, 1 << 21),
}


def _entry(name, soft, hard):
    return {"type": f"RLIMIT_{name}", "soft": soft, "hard": hard}


def test_every_limit_has_the_configured_values(runtime, bundle):
    """config.md, POSIX process: rlim_cur and rlim_max MUST match; valid values are those of getrlimit(2)"""
    bundle.process["rlimits"] = [_entry(name, *values) for name, values in VALUES.items()]
    seen = runtime.look(bundle).report["rlimits"]
    assert seen == {name: list(values) for name, values in VALUES.items()}


def test_without_rlimits_the_callers_stay(runtime, bundle):
    """config.md, POSIX process: rlimits is OPTIONAL"""
    runtime.wrapper = ["prlimit", "--nofile=345:678", "--core=1000:2000", "--"]
    seen = runtime.look(bundle).report["rlimits"]
    assert seen["NOFILE"] == [345, 678]
    assert seen["CORE"] == [1000, 2000]


def test_an_infinite_limit_stays_infinite(runtime, bundle):
    """config.md, POSIX process: uint64 values"""
    if resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY:
        pytest.skip("the host's own hard limit is not infinite")
    bundle.process["rlimits"] = [_entry("FSIZE", INFINITY, INFINITY)]
    assert runtime.look(bundle).report["rlimits"]["FSIZE"] == [INFINITY, INFINITY]


def test_limits_do_not_hinder_the_runtime_itself(runtime, bundle):
    """config.md, POSIX process: limits are for the process"""
    bundle.process["rlimits"] = [_entry("NOFILE", 3, 3), _entry("FSIZE", 0, 0)]
    bundle.mount("/mnt/made-on-demand", "tmpfs", "tmpfs")
    bundle.shared_directory()
    bundle.args("/bin/busybox", "true")
    container = runtime.start(bundle)
    container.wait()


def test_a_type_that_comes_twice_is_refused(runtime, bundle):
    """config.md, POSIX process: duplicated entries with same type MUST generate an error"""
    bundle.process["rlimits"] = [_entry("NOFILE", 100, 200), _entry("CORE", 0, 0), _entry("NOFILE", 100, 200)]
    runtime.refuses(bundle, "rlimits[2]", "RLIMIT_NOFILE")


@pytest.mark.parametrize("name", ["NOSUCH", "nofile", ""])
def test_an_unknown_type_is_refused(runtime, bundle, name):
    """config.md, POSIX process: values which cannot be mapped to a relevant kernel interface MUST generate an error"""
    bundle.process["rlimits"] = [_entry(name, 1, 1)]
    runtime.refuses(bundle, "rlimits[0]")


def test_a_soft_limit_above_the_hard_one_is_refused(runtime, bundle):
    """config.md, Valid values"""
    bundle.process["rlimits"] = [_entry("NOFILE", 200, 100)]
    container = runtime.try_create(bundle)
    refused(container.created if container.created.status else container.start(), names=["rlimits[0]"])


@pytest.mark.parametrize("soft, hard", [(-1, 1), (1, -1), ("1", 1), (1.5, 2), (INFINITY + 1, INFINITY + 1)])
def test_a_value_that_is_no_unsigned_number_is_refused(runtime, bundle, soft, hard):
    """config.md, POSIX process: uint64"""
    bundle.process["rlimits"] = [_entry("NOFILE", soft, hard)]
    runtime.refuses(bundle, "rlimits[0]")


@pytest.mark.parametrize("missing", ["type", "soft", "hard"])
def test_a_required_property_that_is_missing_is_refused(runtime, bundle, missing):
    """config.md, POSIX process: REQUIRED"""
    entry = _entry("NOFILE", 100, 100)
    del entry[missing]
    bundle.process["rlimits"] = [entry]
    runtime.refuses(bundle, missing)


def test_a_hard_limit_that_cannot_be_raised_is_an_error(runtime, bundle):
    """config.md, POSIX process: rlim_max MUST match; runtime.md, Create: what cannot be applied is an error"""
    runtime.wrapper = ["prlimit", "--nofile=1000:1000", "--"]
    if host.may_grant("SYS_RESOURCE"):
        runtime.wrapper += ["setpriv", "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource", "--"]
    bundle.process["rlimits"] = [_entry("NOFILE", 2000, 2000)]
    container = runtime.try_create(bundle)
    refused(container.created if container.created.status else container.start(), names=["RLIMIT_NOFILE"])
