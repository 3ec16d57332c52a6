"""launch --seccomp-record, --seccomp-profile and --seccomp-explain, with programs of busybox."""

import json
import platform
import re
from pathlib import Path

import pytest

from harness import refused
from launch.learning import allowed_by, offered


def test_busybox_runs_under_the_profile_that_was_recorded(launch, runtime):
    """the manual: launch --seccomp-record, --seccomp-profile"""
    profile = runtime.directory / "profile.json"
    script = "id; ls / | cat; mkdir /tmp/a; rmdir /tmp/a; sleep 0.1; echo done"
    recorded = launch("--seccomp-record", profile, command=["/bin/sh", "-c", script]).ok()
    assert "done" in recorded.stdout
    assert launch("-s", "--seccomp-profile", profile, command=["/bin/sh", "-c", script]).ok().stdout == recorded.stdout
    other = launch("--seccomp-profile", profile, command=["/bin/probe", "syscall", "getsid", 0])
    assert other.seen.error("syscall") == "EPERM", "what was not recorded is denied"
    more = launch("--seccomp-profile", profile, "-S", "getsid", command=["/bin/probe", "syscall", "getsid", 0])
    assert more.ok().seen.error("syscall") is None


def test_a_recorded_profile_can_be_put_into_a_configuration(launch, runtime):
    """the manual: spec --seccomp-profile"""
    profile, spec = runtime.directory / "profile.json", runtime.directory / "spec"
    spec.mkdir()
    launch("--seccomp-record", profile, command=["/bin/true"]).ok()
    runtime.command("spec", "--bundle", spec, "--seccomp-profile", profile, launch.rootfs, "--", "/bin/true").ok()
    config = json.loads((spec / "config.json").read_text())
    assert config["linux"]["seccomp"] == json.loads(profile.read_text())
    runtime.command("run", "--bundle", spec, runtime.new_id()).ok()


def test_the_numbers_that_explain_printed_are_as_good(launch):
    """the manual: -S takes numbers of the machine"""
    command = ["/bin/busybox", "mkdir", "/tmp/x"]
    result = launch("-s", "--seccomp-explain", command=command)
    numbers = re.search(r"by number: -S ([\d,]+)", result.stderr).group(1)
    assert result.status != 0
    launch("-s", "-S", numbers, command=command).ok()


def test_a_recording_of_an_ordinary_user(launch, runtime):
    """as root of a user namespace of its own"""
    profile = runtime.directory / "profile.json"
    command = ["/bin/sh", "-c", "id -u; mkdir /tmp/u"]
    launch("-U", "--seccomp-record", profile, command=command).ok()
    (launch.rootfs / "tmp/u").rmdir()
    assert launch("-U", "--seccomp-profile", profile, command=command).ok().stdout == "0\n"


@pytest.mark.parametrize("grants", ["", "lana:300000:65536"])
def test_an_ordinary_user_records_and_explains(launch, user, grants):
    """without any privilege: the listener is taken from a process that is open to its user"""
    user.grant(grants)
    profile = user.home / "profile.json"
    command = ["/bin/sh", "-c", "id -u; busybox mkdir /tmp/$0", "a"]
    assert launch("-U", "--seccomp-record", profile, command=command).ok().stdout == "0\n"
    assert "mkdir" in allowed_by(profile)
    told = launch("-U", "-s", "--seccomp-explain", command=command)
    assert told.stdout == "0\n" and "mkdir" in offered(told)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86-64")
def test_the_examples_of_the_readme(launch, runtime):
    """README.md, System call filters: what is typed, and what swrun says"""
    text = (Path(__file__).parents[2] / "README.md").read_text()
    blocks = re.findall(r"<!-- tested: seccomp -->\n```console\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 2
    names = {"/tmp/profile.json": str(runtime.directory / "profile.json"), "/tmp/hello/rootfs": str(launch.rootfs)}
    for example in re.findall(r"\$ sudo swrun launch (.*)\n((?:[^$].*\n)*)", "".join(blocks)):
        words, printed = ([names.get(word, word) for word in example[0].split()], example[1])
        result = runtime.command("launch", "--name", runtime.new_id(), *words)
        said = (result.stdout + result.stderr).replace(names["/tmp/profile.json"], "/tmp/profile.json")
        assert _shape(said) == _shape(printed), result


def _shape(text):
    """Lines without the numbers that differ from machine to machine."""
    text = re.sub(r"process \d+", "process N", re.sub(r"0x[0-9a-f]{4,}", "0xADDRESS", text))
    return re.sub(r"calls: \d+ on (\S+), of \d+ made", r"calls: N on \1", text).splitlines()


@pytest.mark.parametrize("text, words", [
    (None, ["profile.json", "no such file"]), ("{", ["profile.json", "not valid json"]),
    ('{"defaultAction": "DENY"}', ["profile.json", "defaultAction", "DENY"]),
    ('{"defaultAction": "SCMP_ACT_ERRNO", "archMap": []}', ["profile.json", "template"]),
    ('{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ALLOW", '
     '"includes": {"caps": ["CAP_SYS_ADMIN"]}}]}', ["profile.json", "template"]),
])
def test_a_file_that_is_no_profile(launch, runtime, text, words):
    """one line, exit 1"""
    profile = runtime.directory / "profile.json"
    if text is not None:
        profile.write_text(text)
    refused(launch("--seccomp-profile", profile, command=["true"]), names=words)
    runtime.expect_nothing()
