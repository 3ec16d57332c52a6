"""Annotations that runtimes give a meaning to: those that `features` names (features.md, Unsafe annotations)."""

import base64
import os
import socket
import struct
from pathlib import Path

import pytest

from harness import host, refused
from harness.agent import SeccompAgent


def _features(runtime) -> list[str]:
    return runtime.command("features").ok().json.get("potentiallyUnsafeConfigAnnotations") or []


@pytest.fixture(autouse=True)
def named(request, runtime):
    """Each test is about one annotation; a runtime that does not name it has nothing to prove."""
    marker = request.node.get_closest_marker("annotation")
    if marker and marker.args[0] not in _features(runtime):
        assert runtime.name != "swrun", f"features does not name {marker.args[0]}"
        pytest.skip(f"{runtime.name} does not name {marker.args[0]} in its features")


def _annotate(bundle, name, value):
    bundle.config.setdefault("annotations", {})[name] = str(value)


@pytest.mark.annotation("run.oci.hooks.stdout")
def test_hooks_print_into_files(runtime, bundle):
    """crun: run.oci.hooks.stdout, run.oci.hooks.stderr"""
    out, err = bundle.path / "out", bundle.path / "err"
    _annotate(bundle, "run.oci.hooks.stdout", out)
    _annotate(bundle, "run.oci.hooks.stderr", err)
    bundle.config["hooks"] = {"createRuntime": [
        {"path": "/bin/sh", "args": ["sh", "-c", "echo to out; echo to err >&2"]}]}
    runtime.run(bundle).ok()
    assert (out.read_text(), err.read_text()) == ("to out\n", "to err\n")


@pytest.mark.annotation("run.oci.keep_original_groups")
@pytest.mark.parametrize("value", ["1", "0"])
def test_groups_of_the_caller_are_kept_when_asked(runtime, bundle, value):
    """crun: run.oci.keep_original_groups"""
    _annotate(bundle, "run.oci.keep_original_groups", value)
    result = runtime.run(bundle, preexec_fn=lambda: os.setgroups([0, 4242]))
    groups = result.ok().seen.report["groups"]
    assert (4242 in groups) == (value == "1"), groups
    container = runtime.start(bundle.probe("hold"))
    report = container.look(preexec_fn=lambda: os.setgroups([0, 4242])).report
    assert (4242 in report["groups"]) == (value == "1")


@pytest.mark.annotation("run.oci.systemd.force_cgroup_v1")
@pytest.mark.parametrize("kind", ["cgroup", "bind"])
def test_the_hierarchy_of_older_systemds_takes_the_place_of_a_mount(runtime, bundle, kind):
    """crun: run.oci.systemd.force_cgroup_v1"""
    if not any(line.split(":")[1] == "name=systemd" for line in Path("/proc/self/cgroup").read_text().splitlines()):
        pytest.skip("the host has no hierarchy of version 1 that is named systemd")
    if kind == "cgroup":
        bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["ro", "nosuid", "nodev", "noexec"])
    else:
        bundle.mount("/sys/fs/cgroup", "/sys/fs/cgroup", options=["rbind", "ro"])
    _annotate(bundle, "run.oci.systemd.force_cgroup_v1", "/sys/fs/cgroup")
    seen = runtime.look(bundle, "report", ["list", "/sys/fs/cgroup"])
    shown = [mount for mount in seen.mounts if mount.point.startswith("/sys/fs/cgroup")]
    assert [(mount.type, mount.root, mount.point) for mount in shown] == [("cgroup", "/", "/sys/fs/cgroup")]
    assert "name=systemd" in shown[0].super_options
    entries = seen("list")["entries"]
    assert "tasks" in entries and not any(name.startswith("cpuset.") for name in entries)


@pytest.mark.annotation("run.oci.systemd.force_cgroup_v1")
def test_a_hierarchy_in_the_place_of_no_mount_is_an_error(runtime, bundle):
    """crun: run.oci.systemd.force_cgroup_v1=/PATH overrides the mount point /PATH"""
    _annotate(bundle, "run.oci.systemd.force_cgroup_v1", "/nowhere")
    runtime.refuses(bundle, "run.oci.systemd.force_cgroup_v1", "/nowhere")


@pytest.mark.annotation("run.oci.timens_offset")
@pytest.mark.parametrize("clock", ["boottime", "7"])
def test_the_clocks_of_a_new_time_namespace_are_ahead_by_the_annotation(runtime, bundle, clock):
    """crun: run.oci.timens_offset"""
    _annotate(bundle.namespace("time"), "run.oci.timens_offset", f"{clock} 604800 500")
    report = runtime.look(bundle).report
    assert [line.split() for line in report["timens_offsets"].splitlines()] == [
        ["monotonic", "0", "0"], ["boottime", "604800", "500"]]


@pytest.mark.annotation("run.oci.timens_offset")
@pytest.mark.parametrize("value", ["realtime 1 0", "boottime 1", "boottime 1 1000000000", "boottime x 0"])
def test_an_offset_that_is_none_is_an_error(runtime, bundle, value):
    """crun: run.oci.timens_offset: ID SEC NSEC"""
    _annotate(bundle.namespace("time"), "run.oci.timens_offset", value)
    runtime.refuses(bundle, "run.oci.timens_offset|timens_offsets")


@pytest.mark.annotation("run.oci.seccomp_fail_unknown_syscall")
def test_an_unknown_system_call_is_an_error_when_asked(runtime, bundle):
    """crun: run.oci.seccomp_fail_unknown_syscall"""
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["sync", "no_such_system_call"], "action": "SCMP_ACT_ERRNO"}]}
    runtime.run(bundle).ok()
    _annotate(bundle, "run.oci.seccomp_fail_unknown_syscall", "1")
    runtime.refuses(bundle, "linux.seccomp.syscalls[0].names[1]", "no_such_system_call")


def _denying(number: int, errno: int) -> str:
    """A filter that lets one system call fail, as the kernel reads it (linux/filter.h)."""
    program = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x50000 | errno), (0x06, 0, 0, 0x7FFF0000)]
    return base64.b64encode(b"".join(struct.pack("<HBBI", *line) for line in program)).decode()


@pytest.mark.annotation("run.oci.seccomp_bpf_data")
def test_a_compiled_filter_takes_the_place_of_the_configured_one(runtime, bundle):
    """crun: run.oci.seccomp_bpf_data"""
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers of system calls are those of x86-64")
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["sched_yield"], "action": "SCMP_ACT_ERRNO"}]}
    _annotate(bundle, "run.oci.seccomp_bpf_data", _denying(162, 95))  # sync, EOPNOTSUPP
    seen = runtime.look(bundle, ["syscall", "sync"], ["syscall", "sched_yield"])
    assert seen.error("syscall", "sync") == "EOPNOTSUPP" and seen.error("syscall", "sched_yield") is None


@pytest.mark.annotation("run.oci.seccomp_bpf_data")
@pytest.mark.parametrize("text", ["not base64!", "AAAA", ""])
def test_a_filter_that_is_none_is_an_error(runtime, bundle, text):
    """runtime.md, Create: an error where something cannot be applied"""
    _annotate(bundle, "run.oci.seccomp_bpf_data", text)
    runtime.refuses(bundle, "seccomp_bpf_data")


@pytest.mark.annotation("run.oci.pidfd_receiver")
def test_a_pidfd_is_sent(runtime, bundle):
    """crun: run.oci.pidfd_receiver"""
    path = runtime.directory / "pidfd.sock"
    _annotate(bundle, "run.oci.pidfd_receiver", path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(host.timeout(10))
        container = runtime.create(bundle.probe("hold"))
        connection, _ = listener.accept()
        with connection:
            _, (pidfd,), _, _ = socket.recv_fds(connection, 100, 4)
    info = dict(line.split(":", 1) for line in open(f"/proc/self/fdinfo/{pidfd}").read().splitlines())
    os.close(pidfd)
    assert int(info["Pid"]) == container.pid


@pytest.mark.annotation("run.oci.mount_context_type")
def test_an_unknown_kind_of_mount_context_is_an_error(runtime, bundle):
    """crun: run.oci.mount_context_type"""
    _annotate(bundle, "run.oci.mount_context_type", "rootcontext")
    runtime.run(bundle).ok()
    _annotate(bundle, "run.oci.mount_context_type", "nonsense")
    runtime.refuses(bundle, "mount_context_type", "nonsense")


@pytest.mark.annotation("run.oci.seccomp.receiver")
@pytest.mark.parametrize("path", [None, ""])
def test_the_agent_of_a_filter_can_be_named_by_an_annotation(runtime, bundle, path):
    """crun: run.oci.seccomp.receiver, where linux.seccomp.listenerPath has none; that one counts where both are there"""
    sockets = [runtime.directory / name for name in ("annotated.sock", "configured.sock")]
    _annotate(bundle, "run.oci.seccomp.receiver", sockets[0])
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getsid"], "action": "SCMP_ACT_NOTIFY"}]}
    if path is not None:
        bundle.linux["seccomp"]["listenerPath"] = path
    number = {"x86_64": 124, "aarch64": 156}[os.uname().machine]
    with SeccompAgent(sockets[0], {number: 77}) as annotated, SeccompAgent(sockets[1], {number: 71}) as configured:
        assert runtime.look(bundle, ["syscall", "getsid", 0]).error("syscall") == "EBADFD"
        assert (len(annotated.messages), len(configured.messages)) == (1, 0)
        bundle.linux["seccomp"]["listenerPath"] = str(sockets[1])
        assert runtime.look(bundle, ["syscall", "getsid", 0]).error("syscall") == "EPROTO"
        assert (len(annotated.messages), len(configured.messages)) == (1, 1)


@pytest.mark.annotation("org.criu.config")
def test_criu_reads_the_options_of_a_file(runtime, bundle):
    """runc and crun: org.criu.config; an option that criu does not know shows that it has read the file"""
    options = runtime.directory / "criu.conf"
    options.write_text("no-such-option-of-criu\n")
    _annotate(bundle, "org.criu.config", options)
    container = runtime.start(bundle.probe("hold"))
    result = runtime.command("checkpoint", "--image-path", runtime.directory / "saved", container.id)
    assert result.status == 1 and "--no-such-option-of-criu" in result.stderr
    assert container.status == "running"


@pytest.mark.annotation("run.oci.delegate-cgroup")
@pytest.mark.parametrize("uid", [0, 7])
def test_the_process_starts_in_a_group_below_the_containers(runtime, bundle, uid):
    """crun: run.oci.delegate-cgroup; the group is the container's to manage, its limits are those above"""
    if "v2" not in host.hierarchies():
        pytest.skip("this kernel has no version 2 hierarchy mounted")
    runtime.show("v2")
    _annotate(bundle, "run.oci.delegate-cgroup", "payload")
    bundle.process["user"]["uid"] = uid
    bundle.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "rw"])
    bundle.probe("report", ["mkdir", "/sys/fs/cgroup/payload/mine"], ["mkdir", "/sys/fs/cgroup/other"], "hold")
    container = runtime.start(bundle)
    seen = container.wait_for("hold")
    assert seen.report["cgroup"].endswith("0::/payload\n"), "the namespace begins at the container's group"
    assert seen.all("mkdir")[0].get("error") is None
    assert (seen.all("mkdir")[1].get("error") is None) is (uid == 0)
    assert container.exec("/bin/true").status == 0
    container.delete("--force").ok()
    runtime.expect_nothing()


@pytest.mark.annotation("run.oci.delegate-cgroup")
@pytest.mark.parametrize("name", ["a/b", "..", "/x"])
def test_a_group_below_has_one_name(runtime, bundle, name):
    """What cannot be applied is an error"""
    _annotate(bundle, "run.oci.delegate-cgroup", name)
    runtime.refuses(bundle, "delegate-cgroup")


def test_every_annotation_that_features_names_is_tried(runtime):
    """features.md, Unsafe annotations: each claim of swrun has a test that sets the annotation"""
    if runtime.name != "swrun":
        pytest.skip("which tests there are is a question about swrun's features")
    texts = {file: file.read_text() for file in Path(__file__).parents[1].glob("*/test_*.py")}
    for name in _features(runtime):
        assert any(name in text for text in texts.values()), f"{name} is claimed, and no test sets it"


def test_a_configuration_can_be_another_file(runtime, bundle):
    """crun: create --config, run --config"""
    if runtime.name == "runc":
        pytest.skip("runc has no option --config")
    bundle.probe(["say", "from the other file"]).write()
    other = runtime.directory / "other.json"
    (bundle.path / "config.json").rename(other)
    result = runtime.command("run", "--config", other, "--bundle", bundle.path, runtime.new_id()).ok()
    assert result.seen("say")["arguments"] == ["from the other file"]
    refused(
        runtime.command("create", "--config", "/no/such/file", "--bundle", bundle.path, runtime.new_id()),
        names=["/no/such/file"])
