"""What commands print: version, help, list, spec, features (the command line contract; features.md)."""

import json
import re
from datetime import datetime

import pytest

from harness import host
from harness.schema import validate


def test_the_version_has_the_lines_that_engines_read(runtime):
    """the command line contract: NAME version X, commit: ..., spec: ..."""
    lines = runtime.command("--version").ok().stdout.splitlines()
    assert re.match(r"^\S+ version \d+\.\d+\S*$", lines[0])
    assert any(line.startswith("commit: ") for line in lines)
    assert any(re.match(r"^spec: 1\.\d+\.\d+", line) for line in lines)
    assert runtime.command("-v").status in (0, 1, 2)


@pytest.mark.parametrize("command", [
    [], ["create"], ["start"], ["state"], ["kill"], ["delete"], ["run"], ["list"], ["spec"], ["features"]])
def test_every_command_has_help(runtime, command):
    """the command line contract: --help exits 0 and explains"""
    result = runtime.command(*command, "--help").ok()
    assert len(result.stdout.splitlines()) >= 3
    for name in command:
        assert name in result.stdout
    if not command:
        for name in ("create", "start", "state", "kill", "delete", "run", "list", "spec", "features"):
            assert name in result.stdout


def test_list_shows_every_container_as_a_table(runtime, make_bundle):
    """the command line contract: list"""
    created = runtime.create(make_bundle().probe("hold"))
    stopped = runtime.start(make_bundle().args("/bin/true")).wait()
    lines = runtime.command("list").ok().stdout.splitlines()
    assert re.split(r"\s{2,}", lines[0].strip())[:4] == ["ID", "PID", "STATUS", "BUNDLE"]
    rows = {line.split()[0]: line.split() for line in lines[1:]}
    assert set(rows) == {created.id, stopped.id}
    assert rows[created.id][1:4] == [str(created.pid), "created", str(created.bundle.path)]
    assert rows[stopped.id][1:3] == ["0", "stopped"]


def test_list_in_json_is_an_array_of_states(runtime, make_bundle):
    """the command line contract: list -f json: array of state"""
    first = runtime.create(make_bundle().probe("hold"))
    second = runtime.create(make_bundle().probe("hold"))
    entries = json.loads(runtime.command("list", "--format", "json").ok().stdout)
    for entry in entries:
        validate(entry, "state")
    assert {entry["id"]: (entry["status"], entry["pid"]) for entry in entries} == {
        container.id: ("created", container.pid) for container in (first, second)}
    assert datetime.fromisoformat(re.sub(r"\.\d+", "", entries[0]["created"]).replace("Z", "+00:00"))
    assert "owner" in entries[0]


def test_list_quiet_shows_the_ids_alone(runtime, make_bundle):
    """the command line contract: list -q"""
    ids = sorted(runtime.create(make_bundle().probe("hold")).id for _ in range(2))
    assert sorted(runtime.command("list", "--quiet").ok().stdout.split()) == ids


def test_an_empty_list(runtime):
    """the command line contract: list without containers, also without a state root"""
    for root in (runtime.root, runtime.directory / "not-there"):
        assert runtime.command("--root", root, "list", "-q").ok().stdout.split() == []
        assert json.loads(runtime.command("--root", root, "list", "-f", "json").ok().stdout or "[]") in ([], None)


def test_spec_writes_a_configuration_that_runs(runtime, bundle):
    """the command line contract: spec; config.md: the document is valid"""
    directory = runtime.directory / "spec"
    directory.mkdir()
    runtime.command("spec", cwd=directory).ok()
    config = json.loads((directory / "config.json").read_text())
    assert re.match(r"^1\.\d+\.\d+", config["ociVersion"])
    assert config["root"]["path"] == "rootfs"
    assert config["process"]["capabilities"].get("inheritable", []) == []
    result = runtime.command("spec", cwd=directory)
    assert result.status == 1 and "exist" in result.stderr, "an existing file is not written over"
    config["process"] |= {"terminal": False, "args": ["/bin/probe", "report"], "rlimits": []}
    config["linux"]["cgroupsPath"] = f"/{bundle.name}"
    bundle.config = config
    assert runtime.look(bundle).report["pid"] == 1


def test_spec_writes_into_the_bundle_that_is_named(runtime):
    """the command line contract: spec --bundle"""
    directory = runtime.directory / "named"
    directory.mkdir()
    runtime.command("spec", "--bundle", directory).ok()
    assert "ociVersion" in json.loads((directory / "config.json").read_text())


def test_spec_for_a_user_maps_that_user(runtime):
    """the command line contract: spec --rootless"""
    directory = runtime.directory / "rootless"
    directory.mkdir()
    runtime.command("spec", "--rootless", "--bundle", directory).ok()
    config = json.loads((directory / "config.json").read_text())
    assert {"type": "user"} in config["linux"]["namespaces"]
    assert config["linux"]["uidMappings"][0]["containerID"] == 0


def test_the_features_document_is_valid(runtime):
    """features.md"""
    result = runtime.command("features").ok()
    assert result.stderr == ""
    document = result.json
    validate(document, "features")
    minimum, maximum = (
        [int(part) for part in re.match(r"(\d+)\.(\d+)\.(\d+)", document[key]).groups()]
        for key in ("ociVersionMin", "ociVersionMax"))
    assert minimum <= maximum, "MUST NOT be less"


def test_the_runtime_accepts_both_versions_of_its_features(runtime, bundle):
    """features.md, Specification version: the runtime MUST accept this value"""
    document = runtime.command("features").ok().json
    for key in ("ociVersionMin", "ociVersionMax"):
        bundle.config["ociVersion"] = document[key]
        runtime.create(bundle).delete("--force").ok()


def test_the_features_name_all_hooks_and_namespaces(runtime):
    """features.md, Hooks; features-linux.md, Namespaces"""
    document = runtime.command("features").ok().json
    assert set(document["hooks"]) == {
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}
    assert set(document["linux"]["namespaces"]) >= {"pid", "network", "mount", "ipc", "uts", "user", "cgroup"}


def test_every_mount_option_of_the_features_is_recognized(runtime, bundle):
    """features.md, Mount Options: the runtime MUST recognize the elements; all that are a MUST are named"""
    options = runtime.command("features").ok().json["mountOptions"]
    required = (
        "async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec "
        "noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate rshared rslave "
        "runbindable rw shared silent slave strictatime suid sync unbindable").split()
    assert not set(required) - set(options), sorted(set(required) - set(options))
    source = bundle.path / "source"
    source.mkdir()
    skipped = {"remount", "bind", "rbind", "idmap", "ridmap"}
    for number, option in enumerate(options):
        if option not in skipped:
            new = option.startswith(("tmpcopyup", "copy-symlink"))
            bundle.mount(f"/mnt/{number}", "tmpfs" if new else source, "tmpfs" if new else "bind", [option] if new else ["bind", option])
    assert runtime.look(bundle).report["pid"] == 1


def test_every_capability_of_the_features_is_recognized(runtime, bundle):
    """features-linux.md, Capabilities: MUST recognize; nothing unknown is warned of"""
    document = runtime.command("features").ok().json
    names = document["linux"].get("capabilities")
    if not names:
        pytest.skip("the runtime names no capabilities")
    known = [name for name in names if name.removeprefix("CAP_") in host.CAPABILITIES and host.may_grant(name)]
    result = runtime.run(bundle.capabilities(*known)).ok()
    assert result.stderr == ""


def test_every_seccomp_word_of_the_features_is_recognized(runtime, bundle):
    """features-linux.md, Seccomp: MUST recognize actions, operators, architectures, flags"""
    seccomp = runtime.command("features").ok().json["linux"].get("seccomp") or {}
    if not seccomp.get("enabled"):
        pytest.skip("the runtime has no seccomp")
    rules = [
        {"names": ["sync"], "action": action} for action in seccomp.get("actions") or []
        if action not in ("SCMP_ACT_NOTIFY", "SCMP_ACT_ALLOW")][:1]
    rules += [
        {"names": ["sched_yield"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 99, "op": op, "valueTwo": 99}]}
        for op in seccomp.get("operators") or []]
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules}
    assert runtime.look(bundle).report["pid"] == 1
    for action in seccomp.get("actions") or []:
        if action not in ("SCMP_ACT_NOTIFY", "SCMP_ACT_ALLOW"):
            bundle.linux["seccomp"]["syscalls"] = [{"names": ["sync"], "action": action}]
            runtime.look(bundle)
    # libseccomp does not mix byte orders in one filter
    little = {f"SCMP_ARCH_{name}" for name in "X86 X86_64 X32 ARM AARCH64 MIPSEL MIPSEL64 MIPSEL64N32 PPC64LE RISCV64".split()}
    if archs := sorted(little & set(seccomp.get("archs") or [])):
        bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": archs, "syscalls": [
            {"names": ["sync"], "action": "SCMP_ACT_ERRNO"}]}
        runtime.look(bundle)
    for flag in seccomp.get("supportedFlags") or []:
        if flag != "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV":
            bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "flags": [flag], "syscalls": [
                {"names": ["sync"], "action": "SCMP_ACT_ERRNO"}]}
            runtime.look(bundle)
