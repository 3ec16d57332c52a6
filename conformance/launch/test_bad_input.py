"""One line, exit 1, nothing left behind."""

import pytest

from harness.errors import refused


@pytest.mark.parametrize("flags, words", [
    (["-S", "connect,99999"], ["99999", "number"]),
    (["-S", "-1"], ["-1"]),
    (["-S", "conect"], ['"conect"']),
    (["-S", "connect,,bind"], ["empty name"]),
    (["-S", "socketcall"], ['"socketcall"']),
    (["-v", "/not-there:/x"], ["/not-there", "no such file"]),
    (["-v", "/etc"], ["HOST:CONTAINER"]),
    (["-v", "/etc:relative"], ["HOST:CONTAINER"]),
    (["-v", "/etc:/x:colour=red"], ["colour=red"]),
    (["--memory", "much"], ['"much"']),
    (["--memory", "-1"], ['"-1"']),
    (["--cpus", "0"], ['"0"']),
    (["--pids-limit", "none"], ['"none"']),
    (["--user-id", "root"], ['"root"']),
    (["--cap-add", "FLY"], ['"FLY"']),
    (["--env", "=x"], ['"=x"']),
    (["-C", "'open"], ["not closed"]),
    (["-u", "-v", "/etc:/x"], ["--mounts"]),
    (["-u", "--read-only"], ["--mounts"]),
    (["-m", "--hostname", "x"], ["--uts"]),
    (["-U", "-Q", "disk.qcow2"], ["--qcow2", "--user"]),
    (["-U", "-p"], ["--mounts"]),
    (["--id-map", "self"], ["--id-map", "--user"]),
    (["--id-map", "own"], ["--id-map", "auto|self"]),
    (["--image", "x.tar"], ["--image", "two|both"]),
    (["--seccomp-explain"], ["--seccomp-explain", "linux.seccomp"]),
    (["-s", "--seccomp-explain", "--seccomp-record", "x.json"], ["--seccomp-explain", "--seccomp-record"]),
    (["--seccomp-merge"], ["--seccomp-merge", "--seccomp-record"]),
    (["--seccomp-record", "/no/such/directory/x.json"], ["--seccomp-record", "/no/such/directory"]),
    (["-S", "18446744073709551616"], ["18446744073709551616"]),
    (["-S", "4294967295"], ["4294967295", "number"]),
    (["-S", "0x31"], ['"0x31"']),
    (["-w", "relative"], ["process.cwd"]),
    (["--name", "a/b"], ["a/b"]),
    (["--shiny"], ["--shiny"]),
])
def test_a_value_that_makes_no_sense_is_named(launch, runtime, flags, words):
    """one line, exit 1"""
    refused(launch(*flags, command=["true"]), names=words)
    runtime.expect_nothing()


def test_two_commands_or_two_roots_are_refused(launch, runtime, bundle):
    """-C and --, -P and ROOTFS, -P and -Q"""
    refused(launch("-C", "true", command=["true"]), names=["two commands"])
    refused(launch("-P", bundle.rootfs, command=["true"]), names=["two root filesystems"])
    refused(launch("-Q", "x.qcow2"), names=["--qcow2", "--path"])
    refused(launch.raw("-Q", "x.qcow2", "--image", "x.tar"), names=["--image", "two|both"])
    refused(launch.raw("-u", "-Q", "x.qcow2"), names=["--qcow2", "--mounts"])
    refused(launch.raw(bundle.rootfs, "ls"), names=["write --"])
    runtime.expect_nothing()


def test_a_root_that_is_none(launch, runtime, bundle):
    """a file, nothing, not named"""
    refused(launch(rootfs=bundle.rootfs / "bin/busybox", command=["true"]), names=["is a file", "--qcow2"])
    refused(launch(rootfs=bundle.path / "nothing", command=["true"]), names=["nothing", "no such file"])
    refused(launch.raw("-i"), names=["no root filesystem"])
    runtime.expect_nothing()


def test_a_missing_command(launch, runtime):
    """not in the root filesystem; exit 1 for errors of setting up"""
    refused(launch(command=["/bin/not-there"]), names=["/bin/not-there"])
    refused(launch(command=["not-there"]), names=["not-there", "$PATH"])
    refused(launch("-C", "/etc", command=()), names=["/etc"])
    runtime.expect_nothing()


def test_a_volume_that_the_caller_may_not_read(launch, runtime, user):
    """an unreadable volume"""
    secret = runtime.directory / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    refused(launch("-v", f"{secret}:/x", command=["true"]), names=[str(secret), "permission denied"])
