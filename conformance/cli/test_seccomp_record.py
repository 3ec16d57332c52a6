"""run --seccomp-record: a profile of the system calls that a container made (swrun's own)."""

import json
import os
import platform
import signal
import time

import pytest

from harness import host, refused
from harness.terminal import Attached

pytestmark = pytest.mark.skipif(os.environ["RUNTIME_NAME"] != "swrun", reason="no other runtime records system calls")
on_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="32 bit calls are those of x86")

NATIVE = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}[platform.machine()]


def _allowed(profile):
    return {name for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}


def _record(runtime, bundle, *verbs, flags=(), **options):
    """The profile of a run, which must succeed, and the result of the run."""
    path = runtime.directory / "profile.json"
    if verbs:
        bundle.probe(*verbs)
    result = runtime.run(bundle, "--seccomp-record", path, *flags, **options).ok()
    return json.loads(path.read_text()), result


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_the_recorded_profile_runs_the_same_program_and_denies_the_rest(runtime, bundle, no_new_privileges):
    """the manual: run --seccomp-record"""
    bundle.process["noNewPrivileges"] = no_new_privileges
    verbs = ["report", ["syscall", "getsid", 0], ["write", "/dev/null", "x"], ["fork", 2]]
    profile, result = _record(runtime, bundle, *verbs)
    assert result.seen.error("syscall", "getsid") is None
    assert (profile["defaultAction"], profile["architectures"]) == ("SCMP_ACT_ERRNO", [NATIVE])
    bundle.linux["seccomp"] = profile
    for _ in range(2):
        seen = runtime.look(bundle, *verbs)
        assert seen.error("syscall", "getsid") is None and seen.error("write") is None
    seen = runtime.look(bundle, ["syscall", "getsid", 0], ["syscall", "getpgid", 0], ["syscall", "sync"])
    assert [line.get("error") for line in seen.all("syscall")] == [None, "EPERM", "EPERM"]


def test_the_recorded_profile_starts_the_program_by_create_and_start_too(runtime, bundle):
    """the manual: run --seccomp-record: with what swrun itself needs once the filter is in force"""
    bundle.linux["seccomp"], _ = _record(runtime, bundle, ["syscall", "getsid", 0])
    container = runtime.start(bundle).wait()
    assert container.seen.error("syscall", "getsid") is None


def test_a_profile_has_exactly_what_was_used(runtime, bundle):
    """the manual: run --seccomp-record: these, and nothing else"""
    less, _ = _record(runtime, bundle, ["syscall", "getppid"])
    more, _ = _record(runtime, bundle, ["syscall", "getppid"], ["syscall", "getsid", 0], ["syscall", "sched_yield"])
    assert _allowed(more) - _allowed(less) == {"getsid", "sched_yield"}
    assert not _allowed(less) - _allowed(more)
    assert not _allowed(more) & {"mount", "ptrace", "socket", "seccomp", "sendmsg", "recvmsg", "pidfd_getfd"}


def test_calls_that_fail_and_calls_without_a_name_are_no_obstacle(runtime, bundle):
    """the manual: run --seccomp-record"""
    profile, result = _record(runtime, bundle, ["syscall", "umount2", "@/none", 0], ["syscall", 999], ["syscall", 70000])
    assert result.seen.error("syscall", "umount2") == "ENOENT"
    assert "umount2" in _allowed(profile)
    assert "999" in result.stderr and "70000" in result.stderr


@on_x86_64
def test_calls_of_32_bit_programs_are_recorded_by_their_own_names(runtime, bundle):
    """the manual: run --seccomp-record: per architecture"""
    # 147 is getsid here and sched_rr... elsewhere; 102 is socketcall, which 64 bit programs do not have.
    verbs = [["int80", 147, 0], ["int80", 102, 0, 0]]
    profile, result = _record(runtime, bundle, *verbs)
    assert sorted(profile["architectures"]) == ["SCMP_ARCH_X86", "SCMP_ARCH_X86_64"]
    assert {"getsid", "socketcall"} <= _allowed(profile)
    assert result.seen.error("int80", "147") is None and result.seen.error("int80", "102") == "EINVAL"
    bundle.linux["seccomp"] = profile
    seen = runtime.look(bundle, *verbs, ["int80", 132, 0])
    assert [line.get("error") for line in seen.all("int80")] == [None, "EINVAL", "EPERM"]


def test_threads_forks_and_programs_are_all_recorded(runtime, bundle):
    """the manual: run --seccomp-record: threads, children and what they execute"""
    verbs = [["threads", 32, 50, "getsid", 0], ["risk", "getpgid", 0], ["exec", "/bin/probe", "syscall", "sched_yield"],
             ["fork", 20]]
    profile, result = _record(runtime, bundle, *verbs, seconds=60)
    assert result.seen("threads")["failed"] == 0
    assert {"getsid", "getpgid", "sched_yield", "execve"} <= _allowed(profile)
    bundle.linux["seccomp"] = profile
    assert runtime.look(bundle, *verbs).error("risk", "getpgid") is None


def test_a_profile_of_threads_does_not_depend_on_which_was_first(runtime, bundle):
    """the manual: run --seccomp-record: on one processor threads seldom wait for each other, on two they do"""
    verbs = [["threads", 32, 50, "getsid", 0], ["sleep", 0.01]]
    for processors in [{0}] * 4 + [set(os.sched_getaffinity(0))]:
        profile, _ = _record(runtime, bundle, *verbs, preexec_fn=lambda: os.sched_setaffinity(0, processors))
        assert {"futex", "munmap", "mprotect", "exit", "restart_syscall"} <= _allowed(profile)
        bundle.linux["seccomp"] = profile
        for _ in range(10):
            assert runtime.look(bundle, *verbs)("threads")["failed"] == 0
        del bundle.linux["seccomp"]


def test_a_profile_holds_for_a_container_that_is_stopped_for_a_while(runtime, bundle):
    """the manual: run --seccomp-record: the kernel goes on with what was interrupted by restart_syscall(2)"""
    bundle.linux["seccomp"], _ = _record(runtime, bundle, ["say"], ["sleep", 0.01])
    container = runtime.start(bundle.probe(["say"], ["sleep", 60]))
    container.wait_for("say")
    for _ in range(2):
        container.kill("STOP").ok()
        container.kill("CONT").ok()
        runtime.command("pause", container.id).ok()
        runtime.command("resume", container.id).ok()
        time.sleep(0.1)
    assert container.status == "running", "it sleeps on"
    container.kill("KILL").ok()
    container.wait()


def test_a_profile_holds_for_a_program_that_gets_a_signal(runtime, bundle):
    """the manual: run --seccomp-record: none came while it was recorded"""
    bundle.shared_directory()
    bundle.shell("trap 'echo got it; exit 5' TERM; echo up; sleep 0.01; while test -e /out/go; do sleep 0.1; done")
    path = runtime.directory / "profile.json"
    runtime.run(bundle, "--seccomp-record", path).ok()
    bundle.linux["seccomp"] = json.loads(path.read_text())
    (bundle.path / "shared/go").touch()
    container = runtime.start(bundle)
    host.wait_until(lambda: "up" in container.text, "the program runs")
    container.kill("TERM").ok()
    container.wait()
    assert container.text == "up\ngot it\n"


def test_what_was_allowed_without_having_been_made_is_told(runtime, bundle):
    """the manual: run --seccomp-record"""
    _, result = _record(runtime, bundle, ["threads", 2, 1, "getsid", 0])
    line = next(line for line in result.stderr.splitlines() if "allowed too" in line)
    assert "restart_syscall" in line and "getsid" not in line


def test_a_profile_is_replaced_or_merged_as_asked(runtime, bundle):
    """the manual: run --seccomp-merge"""
    _record(runtime, bundle, ["syscall", "getsid", 0])
    replaced, _ = _record(runtime, bundle, ["syscall", "getpgid", 0])
    assert "getsid" not in _allowed(replaced)
    merged, _ = _record(runtime, bundle, ["syscall", "getsid", 0], flags=["--seccomp-merge"])
    assert {"getsid", "getpgid"} <= _allowed(merged)
    assert len(merged["syscalls"]) == 1 and len(_allowed(merged)) == len(merged["syscalls"][0]["names"])


def test_a_profile_written_by_hand_keeps_its_rules_when_it_is_merged_into(runtime, bundle):
    """the manual: run --seccomp-merge: what is denied without condition and was used is allowed"""
    path = runtime.directory / "profile.json"
    condition = {"names": ["getpgid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 77,
                 "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}
    path.write_text(json.dumps({
        "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 61, "flags": ["SECCOMP_FILTER_FLAG_LOG"],
        "syscalls": [{"names": ["getsid", "sync"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}, condition]}))
    merged, _ = _record(runtime, bundle, ["syscall", "getsid", 0], flags=["--seccomp-merge"])
    assert (merged["defaultErrnoRet"], merged["flags"]) == (61, ["SECCOMP_FILTER_FLAG_LOG"])
    assert "getsid" in _allowed(merged)
    assert merged["syscalls"][:2] == [{"names": ["sync"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}, condition]
    bundle.linux["seccomp"] = merged
    seen = runtime.look(bundle, ["syscall", "getsid", 0], ["syscall", "sync"], ["syscall", "getpgid", 1])
    assert [line.get("error") for line in seen.all("syscall")] == [None, "ENOSYS", "EBADFD"]


def test_the_filter_of_the_configuration_is_set_aside_and_that_is_said(runtime, bundle):
    """the manual: run --seccomp-record: everything is allowed"""
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["getsid"], "action": "SCMP_ACT_KILL_PROCESS"}]}
    profile, result = _record(runtime, bundle, ["syscall", "getsid", 0])
    assert "getsid" in _allowed(profile)
    assert "warning: linux.seccomp" in result.stderr


def test_signals_and_exit_statuses_are_those_of_any_run(runtime, bundle):
    """the command line contract: foreground with signal forwarding"""
    path = runtime.directory / "profile.json"
    bundle.probe("signals").write()
    out = runtime.directory / "forwarded"
    with open(out, "wb") as stdout:
        process = runtime.spawn("run", "--bundle", bundle.path, "--seccomp-record", path, runtime.new_id(), stdout=stdout)
    host.wait_until(lambda: "ready" in out.read_text(), "the program is ready")
    for name in ("HUP", "USR1", "TERM"):
        process.send_signal(getattr(signal, f"SIG{name}"))
        host.wait_until(lambda: f'"signal":{int(getattr(signal, f"SIG{name}"))}}}' in out.read_text(), f"SIG{name} arrives")
    assert process.wait(host.timeout(10)) == 0
    assert runtime.run(bundle.probe(["exit", 7]), "--seccomp-record", path).status == 7
    assert runtime.run(bundle.without_namespace("pid").probe(["raise", 11]), "--seccomp-record", path).status == 128 + 11
    runtime.expect_nothing()


def test_a_container_that_is_killed_leaves_its_recording(runtime, bundle):
    """the manual: run --seccomp-record: also when the end comes from outside"""
    path = runtime.directory / "profile.json"
    bundle.probe(["syscall", "getsid", 0], ["fork", 3], "hold").write()
    id, out = runtime.new_id(), runtime.directory / "held"
    with open(out, "wb") as stdout:
        process = runtime.spawn("run", "--bundle", bundle.path, "--seccomp-record", path, id, stdout=stdout)
    host.wait_until(lambda: '"verb":"hold"' in out.read_text(), "the program is ready")
    assert not path.exists(), "the profile is written at the end, whole"
    runtime.command("kill", id, "KILL").ok()
    assert process.wait(host.timeout(10)) == 128 + 9
    assert "getsid" in _allowed(json.loads(path.read_text()))
    runtime.expect_nothing()


def test_a_container_that_is_paused_goes_on_later(runtime, bundle):
    """the manual: run --seccomp-record: pause and resume"""
    path = runtime.directory / "profile.json"
    bundle.shell("while :; do id >/dev/null; done").write()
    id = runtime.new_id()
    process = runtime.spawn("run", "--bundle", bundle.path, "--seccomp-record", path, id)
    # Its directory is there before its state is.
    host.wait_until(lambda: id in runtime.state_entries() and '"running"' in runtime.command("state", id).stdout,
                    "the container runs")
    for _ in range(5):
        runtime.command("pause", id).ok()
        assert runtime.command("state", id).json["status"] == "paused"
        runtime.command("resume", id).ok()
    runtime.command("kill", id, "KILL").ok()
    assert process.wait(host.timeout(10)) == 128 + 9
    assert {"execve", "wait4"} <= _allowed(json.loads(path.read_text()))


def test_the_container_ends_with_the_one_who_answers(runtime, bundle):
    """the manual: run --seccomp-record: without answers no call would ever work"""
    bundle.probe("hold").write()
    id, out = runtime.new_id(), runtime.directory / "held"
    with open(out, "wb") as stdout:
        process = runtime.spawn(
            "run", "--bundle", bundle.path, "--seccomp-record", runtime.directory / "profile.json", id, stdout=stdout)
    host.wait_until(lambda: '"verb":"hold"' in out.read_text(), "the program is ready")
    process.kill()
    process.wait(host.timeout(10))
    host.wait_until(lambda: runtime.command("state", id).json["status"] == "stopped", "the container ends")
    runtime.command("delete", id).ok()
    runtime.expect_nothing()


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_hooks_may_wait_for_the_container(runtime, bundle, no_new_privileges):
    """config.md, Hooks: nobody waits for ever for a system call of the container"""
    bundle.process["noNewPrivileges"] = no_new_privileges
    shared = bundle.shared_directory()
    bundle.hook("createRuntime", "say")
    bundle.hook("startContainer", ["syscall", "getsid", 0])
    bundle.hook("poststart", ["await", shared / "running"], ["say", "done"])
    profile, _ = _record(runtime, bundle, ["create", "/out/running"], ["sleep", 0.1])
    assert bundle.seen().tagged("poststart")("say", "done")
    assert ("getsid" in _allowed(profile)) != no_new_privileges, "hooks in the container may be under its filter"


def test_a_failing_poststart_hook_ends_the_recorded_container(runtime, bundle):
    """config.md, Poststart: as in any run"""
    bundle.failing_hook("poststart")
    plain = runtime.run(bundle.probe("hold"))
    result = runtime.run(bundle, "--seccomp-record", runtime.directory / "profile.json")
    assert (result.status, result.stderr) == (plain.status, plain.stderr)
    runtime.expect_nothing()


def test_a_terminal_works_while_its_program_is_recorded(runtime, bundle):
    """the command line contract: run with a terminal"""
    bundle.process["terminal"] = True
    bundle.probe("line", ["syscall", "getsid", 0]).write()
    path = runtime.directory / "profile.json"
    user = Attached(runtime.words("run", "--bundle", bundle.path, "--seccomp-record", path, runtime.new_id()))
    user.terminal.write("hello\n")
    assert user.terminal.wait_for("syscall")("line")["content"] == "hello\n"
    assert user.wait() == 0
    user.close()
    assert "getsid" in _allowed(json.loads(path.read_text()))


@pytest.mark.parametrize("user_namespace", [True, False])
def test_users_and_user_namespaces_are_recorded(runtime, bundle, user_namespace):
    """the manual: run --seccomp-record"""
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    if user_namespace:
        bundle.user_namespace()
    profile, _ = _record(runtime, bundle, ["syscall", "getsid", 0])
    bundle.linux["seccomp"] = profile
    assert runtime.look(bundle).error("syscall", "getsid") is None


def test_a_link_is_followed_and_a_failure_leaves_the_file_as_it_was(runtime, bundle):
    """the manual: run --seccomp-record"""
    target, link = runtime.directory / "target.json", runtime.directory / "link.json"
    target.write_text("before")
    link.symlink_to(target)
    failed = runtime.run(bundle.args("/bin/none"), "--seccomp-record", link)
    refused(failed, names=["/bin/none"])
    assert target.read_text() == "before"
    runtime.run(bundle.probe("say"), "--seccomp-record", link).ok()
    assert link.is_symlink() and "execve" in _allowed(json.loads(target.read_text()))
    assert sorted(path.name for path in runtime.directory.glob("*target.json*")) == ["target.json"]


@pytest.mark.parametrize("flags, culprit", [
    (["--seccomp-record", "FILE", "--detach"], "--detach"),
    (["--seccomp-record", "FILE", "--seccomp-explain"], "--seccomp-explain"),
    (["--seccomp-merge"], "--seccomp-record"), (["--seccomp-record", "."], "not a regular file"),
    (["--seccomp-record", "/dev/null"], "not a regular file"), (["--seccomp-record", "/none/profile"], "/none"),
    (["--seccomp-record", "/etc/passwd", "--seccomp-merge"], "/etc/passwd"),
])
def test_what_cannot_be_recorded_is_refused_before_anything_runs(runtime, bundle, flags, culprit):
    """one line, exit status 1, nothing left behind"""
    flags = [str(runtime.directory / "profile.json") if flag == "FILE" else flag for flag in flags]
    refused(runtime.run(bundle.probe("say"), *flags), names=[culprit])
    assert not (runtime.directory / "profile.json").exists()
    runtime.expect_nothing()
