"""Layouts that a test can put the runtime in, whatever the host has."""

from pathlib import Path

import pytest

from harness import host

VIEW = Path(__file__).parent.parent / "harness/cgroup-view"


@pytest.fixture(params=["v1", "v2"])
def layout(request, runtime):
    """The runtime sees version 1 alone, or version 2 alone."""
    if request.param == "v1" and not [name for name in host.hierarchies() if name != "v2"]:
        pytest.skip("this kernel has no version 1 hierarchy mounted")
    _show(request.param, runtime)
    return request.param


# Where the host has one version alone, the other views would show the same.
_HAS_BOTH = len({name == "v2" for name in host.hierarchies()}) == 2


@pytest.fixture(params=["host", "v1", "v2"] if _HAS_BOTH else ["host"])
def every_layout(request, runtime):
    """The runtime sees the host as it is, and each version alone if it has both."""
    if request.param != "host":
        _show(request.param, runtime)
    return request.param


def _show(view, runtime):
    room = runtime.directory / "room"
    room.mkdir()
    runtime.wrapper = ["unshare", "--mount", "--propagation", "private", str(VIEW), view, str(room)]
