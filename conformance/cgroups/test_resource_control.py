"""intelRdt where there is no resctrl file system (config-linux.md, IntelRdt)."""

from pathlib import Path

import pytest


@pytest.mark.skipif("resctrl" in Path("/proc/mounts").read_text(), reason="resctrl is mounted here")
def test_without_a_resctrl_file_system_intel_rdt_is_an_error(runtime, bundle):
    """config-linux.md, IntelRdt: if no mounted resctrl is available, the runtime MUST generate an error"""
    bundle.linux["intelRdt"] = {"closID": "guaranteed", "l3CacheSchema": "L3:0=f"}
    runtime.refuses(bundle, "intelRdt")


@pytest.mark.parametrize("given", [
    {"memBwSchema": "L3:0=f"}, {"memBwSchema": "MB:0=1\nMB:1=1"}, {"schemata": ["L3:0=f\nMB:0=1"]}, {"closID": 5},
    {"closID": "../x", "schemata": ["L3:0=f"]}])
def test_schemata_that_make_no_sense_are_refused(runtime, bundle, given):
    """config-linux.md, IntelRdt: MUST start with MB:, MUST NOT contain newlines"""
    bundle.linux["intelRdt"] = given
    runtime.refuses(bundle, "intelRdt")
