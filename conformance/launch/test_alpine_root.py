"""A root filesystem as Alpine's: busybox and musl, links with absolute targets, /bin/sh and no other shell."""

import json
import os
import platform
import re
import shutil
from pathlib import Path

import pytest

from harness import host, refused
from harness.terminal import Attached

LOADER = f"ld-musl-{platform.machine()}.so.1"
PRINTED = "42 child\nnobody here / 7\n"


@pytest.fixture(scope="module")
def musl_program(ground):
    program = ground / "musl-program"
    host.command("musl-gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", program, Path(__file__).parent / "musl.c")
    return program


@pytest.fixture
def alpine(runtime, musl_program):
    root = runtime.directory / "alpine"
    for name in "bin dev etc home lib mnt proc root run sbin sys tmp usr/bin usr/sbin var".split():
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    busybox = os.environ["CONFORMANCE_BUSYBOX"]
    shutil.copy(busybox, root / "bin/busybox")
    for applet in host.command(busybox, "--list-full").split():
        if not applet.endswith(("/busybox", "/bash")):
            (root / applet).parent.mkdir(parents=True, exist_ok=True)
            (root / applet).symlink_to("/bin/busybox")
    (root / "var/run").symlink_to("/run")
    shutil.copy(Path("/lib", LOADER).resolve(), root / "lib" / LOADER)
    (root / "lib/libc.musl.so.1").symlink_to(LOADER)
    shutil.copy(musl_program, root / "usr/bin/program")
    return root


def test_a_shell_without_anything_being_named(launch, alpine):
    """launch ROOTFS: /bin/sh, a link with an absolute target; there is no other shell, no passwd"""
    script = "echo $((40 + 2)); ls /bin/bash /etc/passwd 2>/dev/null; readlink /bin/sh; id -u; exit 7\n"
    result = launch(rootfs=alpine, stdin=script)
    assert (result.status, result.stdout) == (7, "42\n/bin/busybox\n0\n"), result


def test_a_shell_on_a_terminal(runtime, launch, alpine):
    """a terminal where standard input is one"""
    attached = Attached(runtime.words(*launch.words(rootfs=alpine)))
    attached.terminal.write("tty; echo $0 $((6 * 7)); exit 4\n")
    attached.terminal.read("/bin/sh 42")
    assert "/dev/pts/0" in attached.terminal.text
    assert attached.wait() == 4
    attached.close()


@pytest.mark.parametrize("flags", [[], ["-s"], ["-U"], ["-s", "--user-id", "1000:1000"], ["--read-only"]], ids=" ".join)
def test_a_program_linked_to_musl_runs(launch, alpine, flags):
    """with the minimal list too: musl's loader, threads and children"""
    result = launch(*flags, rootfs=alpine, command=["program", "7"])
    assert (result.status, result.stdout, result.stderr) == (0, PRINTED, ""), result


def test_an_ordinary_user_runs_it(runtime, launch, alpine, user):
    """-U, with files of the caller"""
    host.command("chown", "-R", "-h", f"{user.uid}:{user.gid}", alpine)
    result = launch(rootfs=alpine, command=["program", "7"])
    assert (result.status, result.stdout) == (0, PRINTED), result


def test_the_shell_works_under_the_minimal_list(launch, alpine):
    """-s: pipes, substitutions, redirections, programs by PATH"""
    script = 'x=$(echo a | cat) && for i in 1 2; do x=$x$i; done; echo $x >/tmp/f && cat /tmp/f && program 7 | wc -l'
    assert launch("-s", rootfs=alpine, command=["sh", "-c", script]).ok().stdout.split() == ["a12", "2"]


def test_it_runs_under_the_profile_that_was_recorded_and_little_else_does(runtime, launch, alpine):
    """--seccomp-record, --seccomp-profile"""
    profile = runtime.directory / "profile.json"
    recorded = launch("--seccomp-record", profile, rootfs=alpine, command=["program", "7"]).ok()
    assert recorded.stdout == PRINTED
    names = {name for rule in json.loads(profile.read_text())["syscalls"] for name in rule["names"]}
    assert {"clone", "execve", "futex"} <= names
    for _ in range(5):
        assert launch("--seccomp-profile", profile, rootfs=alpine, command=["program", "7"]).ok().stdout == PRINTED
    assert launch("--seccomp-profile", profile, rootfs=alpine, command=["mkdir", "/tmp/a"]).status != 0
    assert not (alpine / "tmp/a").exists()


def test_a_tool_runs_with_the_list_that_explaining_gave(launch, alpine):
    """-s --seccomp-explain, then -S"""
    command = ["mkdir", "/tmp/made"]
    told = launch("-s", "--seccomp-explain", rootfs=alpine, command=command)
    assert told.status != 0 and not (alpine / "tmp/made").exists()
    found = re.search(r"to allow them: -S ([\w,]+)", told.stderr)
    launch("-S", found.group(1), rootfs=alpine, command=command).ok()
    assert (alpine / "tmp/made").is_dir()


def test_a_missing_loader_is_told(launch, alpine):
    """a program of another C library, which others call a file that does not exist"""
    (alpine / "lib" / LOADER).unlink()
    refused(launch(rootfs=alpine, command=["program"]), "no such file or directory", names=["loader", LOADER])
