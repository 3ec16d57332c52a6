"""Layouts that a test can put the runtime in, whatever the host has."""

import pytest

from harness import host


@pytest.fixture(params=["v1", "v2"])
def layout(request, runtime):
    """The runtime sees version 1 alone, or version 2 alone."""
    runtime.show(request.param)
    return request.param


# Where the host has one version alone, the other views would show the same.
_HAS_BOTH = len({name == "v2" for name in host.hierarchies()}) == 2


@pytest.fixture(params=["host", "v1", "v2"] if _HAS_BOTH else ["host"])
def every_layout(request, runtime):
    """The runtime sees the host as it is, and each version alone if it has both."""
    if request.param != "host":
        runtime.show(request.param)
    return request.param
