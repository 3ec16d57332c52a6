"""`spec` without options is runc's; with them it says what launch would do, and any runtime can run it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import host
from harness.schema import validate

FLAGS = [
    ["-i", "-m", "-p", "-u", "-c"],
    ["-i", "-n", "-m", "-p", "-u", "-c", "-s"],
    ["-m", "-p", "-S", "connect,49", "--cap-add", "NET_RAW"],
    ["--memory", "64m", "--cpus", "0.5", "--pids-limit", "30", "--read-only", "-e", "A=b", "-w", "/tmp"],
    ["-v", "/etc:/host-etc:ro", "--hostname", "box"],
    ["-U", "--id-map", "self"],
]


def spec(runtime, *flags, program=None, name="spec") -> dict:
    directory = runtime.directory / runtime.unique(name)
    directory.mkdir()
    if program:
        host.command(program, "spec", *flags, cwd=directory)
    else:
        assert runtime.command("spec", "--bundle", directory, *flags).ok().stderr == ""
    return json.loads((directory / "config.json").read_text())


@pytest.mark.parametrize("flags", [[], ["--rootless"]])
def test_without_options_it_is_that_of_runc(runtime, flags):
    """The same container: only the names of the program differ. Capabilities that runc lists as ambient but not as
    inheritable cannot be granted (capabilities(7)) and are left out."""
    ours, theirs = spec(runtime, *flags), spec(runtime, *flags, program="runc")
    for document in (ours, theirs):
        document.pop("ociVersion")
        document.pop("hostname")
    assert set(theirs["process"]["capabilities"].pop("ambient")) and "inheritable" not in theirs["process"]["capabilities"]
    assert ours == theirs


@pytest.mark.parametrize("flags", [[], ["--rootless"], *FLAGS])
def test_the_document_is_valid(runtime, flags):
    """config-schema.json"""
    validate(spec(runtime, *flags), "config")


@pytest.mark.parametrize("program", ["swrun", "runc", "crun"])
@pytest.mark.parametrize("flags", FLAGS)
def test_it_runs_under_every_runtime(runtime, launch, bundle, flags, program):
    """the same container under swrun, runc and crun"""
    config = spec(runtime, *flags, "-P", bundle.rootfs, "-C", "/bin/sh -c 'echo $0 $A; exit 3' hello")
    config["linux"]["cgroupsPath"] = f"/{bundle.name}"
    (bundle.path / "config.json").write_text(json.dumps(config))
    name = runtime.new_id()
    expected = "hello b\n" if "A=b" in flags else "hello\n"
    if program == "swrun":
        result = runtime.command("run", "--bundle", bundle.path, name)
        assert (result.status, result.stdout) == (3, expected), result
        return
    words = [shutil.which(program), "--root", str(runtime.directory / program), "run", "--bundle", str(bundle.path), name]
    view = Path(__file__).parent.parent / "harness/cgroup-view"
    if program == "crun" and Path("/sys/fs/cgroup/unified").exists():
        # crun refuses a hybrid layout: show it the version 1 controllers alone
        room = runtime.directory / "room"
        room.mkdir()
        words = ["unshare", "--mount", "bash", "-c", f'{view} v1 {room} && exec "$@"', "sh", *words]
    result = runtime.command_words(words)
    assert (result.status, result.stdout) == (3, expected), result


def test_what_launch_runs_is_what_spec_writes(runtime, launch):
    """one table for both"""
    flags = ["-i", "-m", "-p", "-u", "-S", "connect", "--memory", "64m", "--hostname", "box", "-v", "/etc:/x:ro"]
    words = launch.words(*flags, command=["sh", "-c", "echo up; sleep 1000"])
    out = runtime.directory / "out"
    with open(out, "wb") as stdout:
        process = runtime.spawn(*words, stdout=stdout)
        host.wait_until(lambda: out.read_text() == "up\n", "the container runs")
    launched = json.loads((runtime.root / words[2] / "config.json").read_text())
    runtime.command("kill", words[2], "KILL").ok()
    process.wait(10)
    written = spec(runtime, *flags, launch.rootfs, "--", "sh", "-c", "echo up; sleep 1000")
    assert launched == written


def test_a_terminal_where_standard_input_is_one(runtime, bundle):
    """process.terminal"""
    assert spec(runtime, "-m")["process"].get("terminal", False) is False
    directory = runtime.directory / "t"
    directory.mkdir()
    command = subprocess.list2cmdline(runtime.words("spec", "-m", "--bundle", directory))
    host.command("script", "-q", "-c", command, "/dev/null")
    assert json.loads((directory / "config.json").read_text())["process"]["terminal"] is True


def test_an_image_is_refused(runtime):
    """-Q: a configuration cannot name it"""
    result = runtime.command("spec", "-Q", "disk.qcow2", cwd=runtime.directory)
    assert result.status == 1 and "--qcow2" in result.stderr
    assert not (runtime.directory / "config.json").exists()


def test_an_existing_file_is_not_written_over(runtime):
    """as without options"""
    (runtime.directory / "config.json").write_text("mine")
    result = runtime.command("spec", "-i", cwd=runtime.directory)
    assert result.status == 1 and "config.json" in result.stderr
    assert (runtime.directory / "config.json").read_text() == "mine"


def test_an_ordinary_user_may_write_one_for_root(runtime, user):
    """without -U it needs root to be run, not to be written"""
    directory = user.home / "for-root"
    directory.mkdir()
    directory.chmod(0o777)
    runtime.command("spec", "-i", "-m", "--bundle", directory).ok()
    config = json.loads((directory / "config.json").read_text())
    assert {entry["type"] for entry in config["linux"]["namespaces"]} == {"ipc", "mount"}
    assert "uidMappings" not in config["linux"]
