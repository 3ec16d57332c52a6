"""Which tests run here: on the host, or in the virtual machine (conformance/vm).

`CONFORMANCE_VM` says where this is: `elsewhere` (the host; tests for the machine run there later), `left-out` (the host;
there will be no machine), the layout of control groups that the machine was booted with (`v2`, `hybrid`), or `repeated`
(in the machine, for tests of the host that are run there again: vm/repeated lists them)."""

import os
from fnmatch import fnmatch
from pathlib import Path

import pytest


def select(config, items: list, top: Path) -> None:
    place = os.environ.get("CONFORMANCE_VM") or "left-out"
    patterns = (top / "vm/repeated").read_text().split() if place == "repeated" else []
    kept, dropped = [], []
    for item in items:
        marker = item.get_closest_marker("vm")
        if place == "left-out":
            if marker:
                item.add_marker(pytest.mark.skip(reason="runs in the virtual machine, which was left out (conformance/run --vm takes it in)"))
            fits = True
        elif place == "elsewhere":
            fits = marker is None
        elif place == "repeated":
            path = f"{item.path.relative_to(top)}::{item.originalname}"
            fits = marker is None and any(fnmatch(path, pattern) for pattern in patterns)
        else:
            fits = marker is not None and marker.kwargs.get("layout", "v2") == place
        (kept if fits else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
