"""Names that become paths: of containers and of control groups."""

import os
from pathlib import Path

import pytest

from harness import host

IDS = [
    "..", ".", "a/b", "../a", "a/../b", "/a", "a/", "a//b", "", " ", "a b", "a\nb", "a\0b"[:1] + "\x01", "\x7f", "ä", "a" * 256,
    "@seccomp", "*", "a;b", "$(id)", "\\", "a:b",
]


@pytest.mark.parametrize("id", IDS, ids=repr)
@pytest.mark.parametrize("command", ["create", "run"])
def test_an_id_that_is_no_name_makes_nothing(runtime, bundle, canary, id, command):
    """runtime.md, Create: the ID; it names a directory of the state, and a control group"""
    runtime.root.rmdir()
    runtime.root = canary.path / "empty"
    result = runtime.command(command, "--bundle", bundle.write(), id)
    assert result.status != 0, f"{id!r} was taken"
    canary.check()
    assert not host.cgroups_named(bundle.name)


@pytest.mark.parametrize("id", ["..", ".", "../empty", "a/b", "../sub/../empty", "state.json"], ids=repr)
@pytest.mark.parametrize("command", ["state", "start", "kill", "delete", "delete --force"])
def test_commands_do_not_look_outside_of_the_state_directory(runtime, canary, id, command):
    """the state directory lies in a canary, which has what looks like a container's state"""
    for directory in (canary.path, canary.path / "empty"):
        for name in ("state.json", "status"):
            (directory / name).write_text("{}")
    (canary.path / "state").mkdir()
    canary.renew()
    before, runtime.root = runtime.root, canary.path / "state"
    words = command.split()
    runtime.command(*words, id, *(["KILL"] if command == "kill" else []))
    runtime.root = before
    canary.check()


@pytest.mark.parametrize("path", [
    "../../../../../../../../..{canary}/{name}", "/../..{canary}/{name}", "/{name}/../../..{canary}/{name}",
    "{name}/../../../../../..{canary}/{name}", "../{name}", "/../{name}"])
def test_a_cgroups_path_does_not_lead_out_of_the_hierarchy(runtime, bundle, canary, path):
    """config-linux.md, Cgroups Path"""
    bundle.linux["cgroupsPath"] = path.format(canary=canary.path, name=bundle.name)
    container = runtime.try_create(bundle)
    if container.created.status == 0:
        for line in Path(f"/proc/{container.pid}/cgroup").read_text().splitlines():
            assert ".." not in line.split(":", 2)[2]
        container.delete("--force").ok()
    canary.check()
    assert not host.cgroups_named(bundle.name)


def test_names_in_errors_cannot_forge_lines_of_a_log(runtime, bundle):
    """--log: an id, a program, a mount point with line ends and escape sequences"""
    log = runtime.directory / "log"
    evil = 'x\n{"level":"error","msg":"forged","time":"2026-01-01T00:00:00Z"}\n\x1b[2J'
    bundle.args(f"/bin/{evil}")
    runtime.run(bundle, flags=["--log", log, "--log-format", "json"])
    runtime.command("state", evil, flags=["--log", log, "--log-format", "json"])
    bundle.mount(f"/proc/{evil}", "x", "tmpfs")
    runtime.run(bundle, flags=["--log", log, "--log-format", "json"])
    text = log.read_bytes()
    assert b"\x1b" not in text
    assert not any(line.startswith(b'{"level":"error","msg":"forged"') for line in text.splitlines())


def test_an_interpreter_line_cannot_forge_lines_of_a_log(runtime, bundle):
    """the image's own text: what a script names as its interpreter"""
    log = runtime.directory / "log"
    (bundle.rootfs / "bin/script").write_bytes(b"#!/no/such\x1b[2J\r\x00forged\x9b2J\n")
    (bundle.rootfs / "bin/script").chmod(0o755)
    result = runtime.run(bundle.args("/bin/script"), flags=["--log", log])
    assert result.status != 0
    text = log.read_bytes() + os.fsencode(result.stderr)
    assert b"\x1b" not in text and b"\x9b" not in text.replace(b"\xc2\x9b", b"")
