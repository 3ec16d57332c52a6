"""What features claims is what the runtime does (features.md, features-linux.md): each claim is tried. Those about mount
options, capabilities, seccomp, memory policies and hooks are tried in test_documents.py and lifecycle/, those about
annotations in input/test_honoured_annotations.py."""

import os
import shutil

import pytest

from harness import host


@pytest.fixture
def linux(runtime):
    return runtime.command("features").ok().json["linux"]


@pytest.fixture
def claimed(linux):
    """Reads a claim: claimed("netDevices", "enabled")."""
    def read(*path):
        value = linux
        for name in path:
            value = (value or {}).get(name)
        if value is None:
            pytest.skip(f"features says nothing about {'.'.join(path)}")
        return value

    return read


def test_id_mapped_mounts(runtime, bundle, claimed):
    """features-linux.md, Mount Extensions: mountExtensions.idmap.enabled"""
    source = runtime.directory / "source"
    source.mkdir()
    bundle.mount(
        "/mnt", source, "bind", ["bind", "idmap"],
        uidMappings=[{"containerID": 0, "hostID": 1234, "size": 1}],
        gidMappings=[{"containerID": 0, "hostID": 1234, "size": 1}])
    result = runtime.run(bundle.probe(["stat", "/mnt"]))
    works = result.status == 0 and result.seen("stat")["uid"] == 1234
    assert works == claimed("mountExtensions", "idmap", "enabled"), result


def test_network_devices(runtime, bundle, claimed):
    """features-linux.md, Network Devices: netDevices.enabled"""
    name, peer = f"a{runtime.prefix}", f"b{runtime.prefix}"
    host.command("ip", "link", "add", name, "type", "veth", "peer", "name", peer)
    try:
        bundle.linux["netDevices"] = {name: {}}
        result = runtime.run(bundle)
        works = result.status == 0 and name in result.seen.report["interfaces"]
        assert works == claimed("netDevices", "enabled"), result
    finally:
        host.command("ip", "link", "del", peer, check=False)


@pytest.mark.parametrize("kind", ["apparmor", "selinux"])
def test_security_modules(runtime, bundle, claimed, kind):
    """features-linux.md, AppArmor, SELinux: a runtime that supports one applies a label, or says that it cannot"""
    enabled = claimed(kind, "enabled")
    property = {"apparmor": "apparmorProfile", "selinux": "selinuxLabel"}[kind]
    bundle.process[property] = "no-such-profile-or-label"
    result = runtime.run(bundle)
    assert (result.status != 0) == enabled, result


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_versions_of_control_groups(runtime, bundle, claimed, version):
    """features-linux.md, Cgroup: v1, v2: the container is in every hierarchy of a version that is supported"""
    kinds = {"v2" if name == "v2" else "v1" for name in host.hierarchies()}
    if version not in kinds:
        pytest.skip(f"there is no hierarchy of {version} here")
    container = runtime.start(bundle.probe("hold"))
    lines = open(f"/proc/{container.pid}/cgroup").read().splitlines()
    inside = [bundle.name in line for line in lines if (line.startswith("0::")) == (version == "v2")]
    assert all(inside) == claimed("cgroup", version), lines


@pytest.mark.parametrize("which", ["systemd", "systemdUser"])
def test_cgroups_through_systemd(runtime, bundle, claimed, which):
    """features-linux.md, Cgroup: systemd, systemdUser: the driver is there, though systemd may not be"""
    result = runtime.command("--cgroup-manager", "systemd", "create", "--bundle", bundle.write(), runtime.new_id())
    unavailable = "not available" in result.stderr or "not supported" in result.stderr
    assert unavailable != claimed("cgroup", which), result


def test_namespaces(runtime, bundle, claimed):
    """features-linux.md, Namespaces: each that is named can be made"""
    files = {"network": "net", "mount": "mnt"}
    kinds = claimed("namespaces")
    bundle.linux["namespaces"] = [{"type": kind} for kind in kinds]
    if "user" in kinds:
        bundle.user_namespace()
    report = runtime.look(bundle.without_mount("/sys")).report
    own = host.namespaces("self")
    assert not [kind for kind in kinds if report["namespaces"][files.get(kind, kind)] == own[files.get(kind, kind)]]


def test_intel_rdt(runtime, bundle, claimed):
    """features-linux.md, Intel RDT: where the machine has it, or else an error that says so"""
    enabled = claimed("intelRdt", "enabled")
    if os.path.exists("/sys/fs/resctrl/schemata"):
        pytest.skip("the machine has resctrl: cgroups/test_intel_rdt.py tries it")
    bundle.linux["intelRdt"] = {"closID": bundle.name, "schemata": ["L3:0=f"]}
    result = runtime.run(bundle)
    assert result.status != 0, result
    assert ("resctrl" in result.stderr) == enabled, result


def test_checkpoint(runtime):
    """the annotation that engines read: whether checkpoint can work"""
    annotations = runtime.command("features").ok().json.get("annotations") or {}
    name = "org.opencontainers.runc.checkpoint.enabled"
    if name not in annotations:
        pytest.skip(f"features has no {name}")
    assert annotations[name] == ("true" if shutil.which("criu") else "false")
    if runtime.name == "swrun":
        without = runtime.command("features", env={"PATH": "/nowhere"}).ok().json["annotations"]
        assert without[name] == "false"
