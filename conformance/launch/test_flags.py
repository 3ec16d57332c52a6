"""What the flags of launch make of a container."""

import os
import time
from pathlib import Path

import pytest

from harness import host, limits
from harness.seen import capability_bits
from harness.terminal import Attached

NAMESPACES = {"-i": "ipc", "-n": "net", "-m": "mnt", "-p": "pid", "-u": "uts", "-c": "cgroup"}
LONG = {"-i": "--ipc", "-n": "--net", "-m": "--mounts", "-p": "--pid", "-u": "--uts", "-c": "--cgroup"}
REDUCED = "CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split()


def new_namespaces(seen) -> set[str]:
    own = {kind: os.stat(f"/proc/self/ns/{kind}").st_ino for kind in [*NAMESPACES.values(), "user"]}
    return {kind for kind, number in own.items() if seen.report["namespaces"][kind] != number}


@pytest.mark.parametrize("flag", ["-i", "-n", "-p", "-u", "-c"])
def test_a_flag_makes_its_namespace_and_no_other(launch, flag):
    """the original flags; without -m there is nothing but the changed root, so -m is among them"""
    assert new_namespaces(launch.look("-m", flag)) == {"mnt", NAMESPACES[flag]}
    assert new_namespaces(launch.look("-m", LONG[flag])) == {"mnt", NAMESPACES[flag]}


def test_a_root_alone_has_all_namespaces_and_a_shell(launch):
    """launch ROOTFS"""
    assert new_namespaces(launch.look()) == set(NAMESPACES.values())
    result = launch(stdin="echo $((40 + 2)); exit 7\n")
    assert (result.status, result.stdout) == (7, "42\n")


def test_without_a_mount_namespace_only_the_root_is_changed(launch, bundle):
    """-u without -m: the container is in the host's mount namespace"""
    proc = bundle.rootfs / "proc"
    assert launch.shell("echo /bin/pro*; echo /proc/*", "-u") == "/bin/probe\n/proc/*\n"
    assert list(proc.iterdir()) == []


def test_the_user_namespace_of_root_makes_root_root(launch):
    """-U --id-map self"""
    seen = launch.look("-U", "--id-map", "self")
    assert new_namespaces(seen) == {*NAMESPACES.values(), "user"}
    assert seen.report["uid_map"].split() == ["0", "0", "1"]


def test_the_user_namespace_of_root_has_everybody(launch):
    """-U as root, who may map what it likes: the owners in a root filesystem are who they are"""
    seen = launch.look("-U")
    assert new_namespaces(seen) == {*NAMESPACES.values(), "user"}
    assert seen.report["uid_map"].split() == seen.report["gid_map"].split() == ["0", "0", "4294967295"]


def test_the_root_and_the_command_of_the_original(runtime, launch, bundle):
    """-P ROOTFS -C 'CMD ...'"""
    name = runtime.new_id()
    result = launch.raw("--name", name, "-i", "-m", "-p", "-u", "-c", "-P", bundle.rootfs, "-C", "/bin/sh -c 'echo a \"b  c\"; exit 3'")
    assert (result.status, result.stdout, result.stderr) == (3, "a b  c\n", "")


def test_a_relative_root_is_found_from_the_working_directory(runtime, launch, bundle):
    """launch rootfs"""
    assert launch(rootfs="rootfs", command=["true"], cwd=bundle.path).ok().stderr == ""


@pytest.mark.parametrize("status", [0, 1, 42, 255])
def test_the_exit_status_is_that_of_the_command(launch, runtime, status):
    """it passes the exit code"""
    assert launch(command=["sh", "-c", f"exit {status}"]).status == status
    runtime.expect_nothing()


def test_a_command_that_a_signal_ends_is_told_as_a_shell_does(launch):
    """128 and the signal"""
    assert launch("-i", "-m", command=["sh", "-c", "kill -9 $$"]).status == 137


def test_a_terminal_is_there_where_standard_input_is_one(runtime, launch):
    """foreground with a terminal"""
    words = runtime.words(*launch.words(command=["/bin/sh", "-c", "test -t 0 && test -t 1 && echo a terminal; exit 5"]))
    attached = Attached(words)
    attached.terminal.read("a terminal")
    assert attached.wait() == 5
    attached.close()
    assert launch(command=["sh", "-c", "test -t 0 || exit 6"]).status == 6


def test_a_shell_on_a_terminal_has_job_control_and_keys(runtime, launch):
    """^C ends what runs in the shell, not the shell"""
    attached = Attached(runtime.words(*launch.words()))
    attached.terminal.write("echo re''ady\n")
    attached.terminal.read("ready")
    attached.terminal.write("sleep 1000\n")
    time.sleep(0.3)
    attached.terminal.write("\x03")
    attached.terminal.write("echo st''ill $(id -u); exit 4\n")
    attached.terminal.read("still 0")
    assert attached.wait() == 4
    attached.close()


def test_the_container_has_a_name_and_leaves_nothing(runtime, launch):
    """--name, for the other commands; cleaned up afterwards"""
    words = launch.words("--hostname", "box", command=["sh", "-c", "busybox hostname; exec sleep 1000"])
    name = words[2]
    out = runtime.directory / "out"
    with open(out, "wb") as stdout:
        process = runtime.spawn(*words, stdout=stdout)
        host.wait_until(lambda: out.read_text() == "box\n", "the container runs")
    state = runtime.command("state", name).ok().json
    assert state["status"] == "running"
    assert Path(state["bundle"], "config.json").exists(), "the state directory is the bundle"
    again = launch.raw("--name", name, launch.rootfs)
    assert again.status == 1 and "already exists" in again.stderr
    runtime.command("kill", name, "KILL").ok()
    assert process.wait(10) == 137
    runtime.expect_nothing()


def test_the_host_name_is_the_name(launch):
    """--hostname; default: the container's name"""
    words = launch.words(command=["busybox", "hostname"])
    assert launch.runtime.command(*words).ok().stdout.strip() == words[2]


def test_signals_are_passed_on(runtime, launch):
    """foreground"""
    out = runtime.directory / "out"
    script = "trap 'echo asked; exit 9' TERM; echo up; while :; do sleep 0.05; done"
    with open(out, "wb") as stdout:
        process = runtime.spawn(*launch.words(command=["sh", "-c", script]), stdout=stdout)
        host.wait_until(lambda: out.read_text() == "up\n", "the container runs")
        process.terminate()
        assert process.wait(10) == 9
    assert out.read_text() == "up\nasked\n"


def test_the_environment(launch):
    """--env NAME=VALUE and NAME"""
    environment = {**os.environ, "FROM_CALLER": "given", "NOT_ASKED_FOR": "x"}
    printed = launch.shell("env", "-e", "A=b=c d", "--env", "FROM_CALLER", "-e", "NOT_THERE", "-e", "HOME=/h", env=environment)
    lines = set(printed.splitlines())
    assert {"A=b=c d", "FROM_CALLER=given", "HOME=/h"} <= lines
    assert not any(line.startswith(("NOT_ASKED_FOR", "NOT_THERE")) for line in lines)


def test_the_working_directory_and_the_user(launch):
    """--workdir, --user-id"""
    seen = launch.look("-w", "/tmp", "--user-id", "7:8")
    assert (seen.report["cwd"], seen.report["uids"][0], seen.report["gids"][0]) == ("/tmp", 7, 8)
    assert launch.look("--user-id", "9").report["gids"][0] == 9


def test_a_read_only_root(launch):
    """--read-only"""
    assert launch(command=["sh", "-c", "echo >/x"]).status == 0
    result = launch("--read-only", command=["sh", "-c", "echo >/y"])
    assert result.status != 0 and "Read-only" in result.stderr


def test_the_capabilities_are_the_reduced_set(launch):
    """the reduced capability set; being root gives no others"""
    report = launch.look().report
    mask = capability_bits(*REDUCED)
    assert report["capabilities"] == {kind: mask for kind in report["capabilities"]}
    assert report["securebits"] & 3 == 3, "SECBIT_NOROOT and its lock"
    assert report["no_new_privs"]


@pytest.mark.parametrize("flags, expected", [
    (["--cap-add", "net_raw"], [*REDUCED, "NET_RAW"]),
    (["--cap-drop", "CAP_CHOWN", "--cap-drop", "kill"], [c for c in REDUCED if c not in ("CHOWN", "KILL")]),
    (["--cap-drop", "ALL", "--cap-add", "KILL"], ["KILL"]),
    (["--cap-drop", "ALL"], []),
])
def test_capabilities_are_added_and_dropped(launch, flags, expected):
    """--cap-add, --cap-drop"""
    report = launch.look(*flags).report
    assert set(report["capabilities"].values()) == {capability_bits(*expected)}


def test_an_ordinary_user_in_the_container_has_what_was_added(launch):
    """--user-id with --cap-add: ambient, so that it outlasts execve"""
    report = launch.look("--user-id", "7", "--cap-add", "NET_BIND_SERVICE").report
    assert report["capabilities"]["effective"] == capability_bits("NET_BIND_SERVICE")
    assert launch.look("--user-id", "7").report["capabilities"]["permitted"] == capability_bits()


@pytest.mark.parametrize("bits, expected", [("noroot,noroot-locked", capability_bits()), ("", capability_bits("CHOWN"))])
def test_securebits_decide_whether_root_gains_capabilities_by_executing(runtime, bundle, bits, expected):
    """The annotation org.swrun.securebits, of any bundle: with noroot, the bounding set alone gives root nothing."""
    bundle.capabilities("CAP_CHOWN", sets=["bounding"])
    bundle.process["noNewPrivileges"] = False
    if bits:
        bundle.config["annotations"] = {"org.swrun.securebits": bits}
    assert runtime.look(bundle).report["capabilities"]["effective"] == expected


@pytest.mark.parametrize("user", [0, 7])
@pytest.mark.parametrize("no_new_privileges", [False, True])
@pytest.mark.parametrize("filtered", [False, True])
def test_securebits_go_with_every_kind_of_credentials(runtime, bundle, user, no_new_privileges, filtered):
    """they are set before the right to set them is dropped, and after what they forbid"""
    bundle.config["annotations"] = {
        "org.swrun.securebits": "noroot,noroot-locked,no-cap-ambient-raise,no-cap-ambient-raise-locked"}
    bundle.capabilities("CAP_CHOWN", sets=["bounding", "effective", "permitted", "inheritable", "ambient"])
    bundle.process["user"] = {"uid": user, "gid": user}
    bundle.process["noNewPrivileges"] = no_new_privileges
    if filtered:
        bundle.linux["seccomp"] = {
            "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_ERRNO"}]}
    report = runtime.look(bundle).report
    assert set(report["capabilities"].values()) == {capability_bits("CHOWN")}
    assert report["securebits"] == 0b11000011


def test_an_unknown_securebit_is_refused(runtime, bundle):
    """annotations are checked like properties"""
    bundle.config["annotations"] = {"org.swrun.securebits": "noroot,norot"}
    runtime.refuses(bundle, 'annotations["org.swrun.securebits"]', '"norot"')


def test_limits_are_in_the_cgroup(runtime, launch):
    """--memory, --cpus, --pids-limit"""
    words = launch.words("--memory", "64m", "--cpus", "1.5", "--pids-limit", "17", command=["sh", "-c", "echo up; sleep 1000"])
    out = runtime.directory / "out"
    with open(out, "wb") as stdout:
        process = runtime.spawn(*words, stdout=stdout)
        host.wait_until(lambda: out.read_text() == "up\n", "the container runs")
    found = {}
    for group in host.cgroups_named(words[2]):
        for name in ("memory.limit_in_bytes", "memory.max", "pids.max", "cpu.cfs_quota_us", "cpu.max"):
            if (group / name).exists():
                found[name] = (group / name).read_text().split()[0]
    checked = {
        "memory": {found.get("memory.limit_in_bytes"), found.get("memory.max")} - {None} == {str(64 << 20)},
        "pids": found.get("pids.max") == "17",
        "cpu": {found.get("cpu.cfs_quota_us"), found.get("cpu.max")} - {None} == {"150000"},
    }
    present = set(limits.controllers()) & set(checked)
    assert present, "the host has none of these controllers"
    assert all(checked[name] for name in present), found
    process.terminate()
    runtime.command("kill", words[2], "KILL")
    process.wait(10)


def test_volumes(launch, runtime):
    """-v HOST:CONTAINER[:OPTIONS], repeatable"""
    first, second = runtime.directory / "one", runtime.directory / "two"
    for path in (first, second):
        path.mkdir()
        (path / "file").write_text(path.name)
    single = runtime.directory / "a:file"
    single.write_text("single")
    printed = launch.shell(
        "cat /a/file /b/c/file /etc/conf; echo x >/a/new; echo x 2>/dev/null >/b/c/new || echo ' read-only'",
        "-v", f"{first}:/a", "--volume", f"{second}:/b/c:ro", "-v", str(single).replace(":", r"\:") + ":/etc/conf")
    assert printed == "onetwosingle read-only\n"
    assert (first / "new").exists() and not (second / "new").exists()


def test_mounts_below_a_read_only_volume_are_read_only_too(launch, runtime):
    """-v with ro"""
    outer = runtime.directory / "outer"
    (outer / "inner").mkdir(parents=True)
    host.command("mount", "-t", "tmpfs", "inner", outer / "inner")
    result = launch("-v", f"{outer}:/a:ro", command=["sh", "-c", "echo >/a/inner/x"])
    host.command("umount", outer / "inner")
    assert result.status != 0 and "Read-only" in result.stderr


def test_a_relative_volume_is_found_from_the_working_directory(launch, runtime):
    """-v"""
    (runtime.directory / "here").write_text("found")
    assert launch.shell("cat /x", "-v", "here:/x", cwd=runtime.directory) == "found"


def test_the_root_has_no_more_in_it_than_mount_points(launch, bundle):
    """nothing is littered"""
    before = {path for path in bundle.rootfs.rglob("*")}
    launch(command=["true"]).ok()
    assert {path for path in bundle.rootfs.rglob("*")} == before


def test_help_shows_every_flag(launch):
    """-h"""
    printed = launch.raw("-h").ok().stdout
    for word in "-i -n -m -p -u -c -U -P -C -v -s -S -Q -h".split():
        assert f" {word}, --" in printed, word
