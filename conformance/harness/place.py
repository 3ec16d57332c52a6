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
                why = os.environ.get("CONFORMANCE_VM_LEFT_OUT") or "which was left out"
                item.add_marker(pytest.mark.skip(reason=f"it runs in the virtual machine, {why}"))
            fits = True
        elif place == "elsewhere":
            fits = marker is None
        elif place == "repeated":
            # Brackets, which name the parameters of a test, mean something else to fnmatch.
            path = f"{item.path.relative_to(top)}::{item.name}".replace("[", "(").replace("]", ")")
            fits = marker is None and any(fnmatch(path, pattern) for pattern in patterns) and not any(
                fnmatch(path, pattern[1:]) for pattern in patterns if pattern.startswith("!"))
        else:
            fits = marker is not None and marker.kwargs.get("layout", "v2") == place
        (kept if fits else dropped).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
