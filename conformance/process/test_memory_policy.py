"""memoryPolicy (config-linux.md, Memory policy)."""

from pathlib import Path

import pytest

from harness import host

MODES = {
    "MPOL_DEFAULT": 0, "MPOL_PREFERRED": 1, "MPOL_BIND": 2, "MPOL_INTERLEAVE": 3, "MPOL_LOCAL": 4,
    "MPOL_PREFERRED_MANY": 5, "MPOL_WEIGHTED_INTERLEAVE": 6,
}
STATIC_NODES = 1 << 15
RELATIVE_NODES = 1 << 14
NUMA_BALANCING = 1 << 13

pytestmark = pytest.mark.skipif(
    not Path("/sys/devices/system/node/node0").exists(), reason="this kernel knows no memory nodes")


@pytest.mark.parametrize("mode, nodes", [
    ("MPOL_DEFAULT", None), ("MPOL_LOCAL", None), ("MPOL_BIND", "0"), ("MPOL_INTERLEAVE", "0"),
    ("MPOL_PREFERRED", "0"), ("MPOL_PREFERRED_MANY", "0-0"), ("MPOL_WEIGHTED_INTERLEAVE", "0"),
])
def test_the_mode_and_the_nodes_are_those_of_the_configuration(runtime, bundle, mode, nodes):
    """config-linux.md, Memory policy: mode, nodes"""
    if mode == "MPOL_WEIGHTED_INTERLEAVE" and host.kernel() < (6, 9):
        pytest.skip("MPOL_WEIGHTED_INTERLEAVE is known to kernel 6.9 and later")
    bundle.linux["memoryPolicy"] = {"mode": mode} | ({"nodes": nodes} if nodes else {})
    seen = runtime.look(bundle).report["mempolicy"]
    assert seen["mode"] & 0xFFF == MODES[mode]
    assert int(seen["nodes"], 16) == (1 if nodes else 0)


@pytest.mark.parametrize("flag, bit", [
    ("MPOL_F_STATIC_NODES", STATIC_NODES), ("MPOL_F_RELATIVE_NODES", RELATIVE_NODES),
    ("MPOL_F_NUMA_BALANCING", NUMA_BALANCING)])
def test_flags_are_applied(runtime, bundle, flag, bit):
    """config-linux.md, Memory policy: flags"""
    bundle.linux["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "0", "flags": [flag]}
    assert runtime.look(bundle).report["mempolicy"]["mode"] & bit


@pytest.mark.parametrize("policy", [
    {"mode": "MPOL_NONE"}, {}, {"mode": "MPOL_BIND"}, {"mode": "MPOL_BIND", "nodes": "x"},
    {"mode": "MPOL_BIND", "nodes": "0-"}, {"mode": "MPOL_BIND", "nodes": "5000"},
    {"mode": "MPOL_DEFAULT", "nodes": "0"}, {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NOSUCH"]},
    {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES", "MPOL_F_RELATIVE_NODES"]},
    {"mode": "MPOL_INTERLEAVE", "nodes": ""}, {"mode": "MPOL_LOCAL", "nodes": "0"},
])
def test_a_policy_that_makes_no_sense_is_refused(runtime, bundle, policy):
    """config-linux.md, Memory policy; config.md, Valid values"""
    bundle.linux["memoryPolicy"] = policy
    runtime.refuses(bundle, "memoryPolicy")


def test_without_a_policy_it_is_the_default(runtime, bundle):
    """config-linux.md, Memory policy is OPTIONAL"""
    assert runtime.look(bundle).report["mempolicy"]["mode"] == 0
