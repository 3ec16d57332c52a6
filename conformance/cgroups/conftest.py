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
    room = runtime.directory / "room"
    room.mkdir()
    runtime.wrapper = ["unshare", "--mount", "--propagation", "private", str(VIEW), request.param, str(room)]
    return request.param
