"""run --seccomp-explain: which system calls a filter denies (swrun's own)."""

import os
import platform
import re
import signal

import pytest

from harness import host, refused
from harness.terminal import Attached

pytestmark = pytest.mark.skipif(os.environ["RUNTIME_NAME"] != "swrun", reason="no other runtime explains denials")
on_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers and 32 bit calls are those of x86")

NATIVE = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}[platform.machine()]
LINE = re.compile(
    r"seccomp denied (?P<label>.*) to (?P<program>\S+) \(process (?P<pid>\d+)\): "
    r"(?P<name>\w+)\((?P<arguments>.*)\) = (?P<answer>[A-Z_]+)(?P<reason>.*)")


def _filter(bundle, *rules, default="SCMP_ACT_ALLOW", **more):
    bundle.linux["seccomp"] = {
        "defaultAction": default, "architectures": [NATIVE], "syscalls": list(rules), **more}


def _rule(*names, action="SCMP_ACT_ERRNO", **more):
    return {"names": list(names), "action": action, **more}


def _explain(runtime, bundle, *verbs, flags=(), **options):
    """The lines about calls as they happened, and the result of the run."""
    if verbs:
        bundle.probe(*verbs)
    result = runtime.run(bundle, "--seccomp-explain", *flags, **options)
    found = [LINE.search(line) for line in result.stderr.splitlines()]
    return [match.groupdict() for match in found if match], result


def _offered(result, by="names"):
    """The list for -S."""
    line = next(line for line in result.stderr.splitlines() if "to allow them: -S" in line)
    names, _, numbers = line.partition(" (by number: -S ")
    return numbers.rstrip(")").split(",") if by == "numbers" else names.partition("-S ")[2].split(",")


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_denied_calls_are_told_once_each_and_answered_as_the_filter_says(runtime, bundle, no_new_privileges):
    """the manual: run --seccomp-explain: name, number, arguments, process, answer; the list for -S at the end"""
    bundle.process["noNewPrivileges"] = no_new_privileges
    _filter(bundle, _rule("getsid", errnoRet=77), _rule("umount2"))
    told, result = _explain(
        runtime, bundle, ["syscall", "getsid", 0], ["syscall", "umount2", "@/some/where", 2], ["syscall", "getsid", 5],
        ["syscall", "getpgid", 0])
    seen = result.ok().seen
    assert [line.get("error") for line in seen.all("syscall")] == ["EBADFD", "EPERM", "EBADFD", None]
    assert [(line["name"], line["arguments"], line["answer"], line["program"]) for line in told] == [
        ("getsid", "0", "EBADFD", "probe"), ("umount2", '"/some/where", 0x2', "EPERM", "probe")]
    assert _offered(result) == ["getsid", "umount2"]
    assert "getsid" in result.stderr and "2 times" in result.stderr


@on_x86_64
def test_the_list_has_the_numbers_of_the_machine(runtime, bundle):
    """the manual: run --seccomp-explain"""
    _filter(bundle, _rule("getsid", "sync"))
    told, result = _explain(runtime, bundle, ["syscall", "sync"], ["syscall", "getsid", 0])
    assert [line["label"] for line in told] == ["sync (162)", "getsid (124)"]
    assert _offered(result, by="numbers") == ["162", "124"]


def test_a_run_in_which_nothing_is_denied_says_so(runtime, bundle):
    """the manual: run --seccomp-explain"""
    _filter(bundle, _rule("getsid"))
    told, result = _explain(runtime, bundle, ["syscall", "getppid"])
    assert not told and "denied nothing" in result.ok().stderr


@pytest.mark.parametrize("action, status", [
    ("SCMP_ACT_KILL", signal.SIGSYS), ("SCMP_ACT_KILL_THREAD", signal.SIGSYS), ("SCMP_ACT_KILL_PROCESS", signal.SIGSYS),
    ("SCMP_ACT_TRAP", signal.SIGSYS)])
@pytest.mark.parametrize("pid_namespace", [True, False])
def test_what_the_filter_would_kill_is_killed(runtime, bundle, action, status, pid_namespace):
    """the manual: run --seccomp-explain: the program meets the same end"""
    _filter(bundle, _rule("getsid", action=action))
    if not pid_namespace:
        bundle.without_namespace("pid")
    told, result = _explain(runtime, bundle, ["risk", "getsid", 0], ["syscall", "getsid", 0], ["say"])
    assert result.seen("risk")["signal"] == status
    assert result.status == 128 + status and not result.seen.all("say")
    assert {line["answer"] for line in told} == {action.replace("ACT_KILL", "ACT_KILL_THREAD") if action == "SCMP_ACT_KILL"
                                                else action}
    assert _offered(result) == ["getsid"]
    runtime.expect_nothing()


def test_a_traced_call_without_a_tracer_and_a_logged_one(runtime, bundle):
    """the manual: run --seccomp-explain: SCMP_ACT_TRACE is ENOSYS, SCMP_ACT_LOG is no denial"""
    _filter(bundle, _rule("getsid", action="SCMP_ACT_TRACE", errnoRet=5), _rule("getpgid", action="SCMP_ACT_LOG"))
    told, result = _explain(runtime, bundle, ["syscall", "getsid", 0], ["syscall", "getpgid", 0])
    assert [line["answer"] for line in told] == ["ENOSYS"]
    assert [line.get("error") for line in result.ok().seen.all("syscall")] == ["ENOSYS", None]


def test_a_rule_about_arguments_denies_only_those(runtime, bundle):
    """the manual: run --seccomp-explain"""
    _filter(bundle, _rule("getpgid", errnoRet=71, args=[{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]))
    told, result = _explain(runtime, bundle, ["syscall", "getpgid", 0], ["syscall", "getpgid", 1])
    assert [line.get("error") for line in result.ok().seen.all("syscall")] == [None, "EPROTO"]
    assert [(line["arguments"], "arguments" in line["reason"]) for line in told] == [("1", True)]


@on_x86_64
def test_calls_younger_than_the_profile_and_of_other_architectures_are_told_apart(runtime, bundle):
    """the manual: run --seccomp-explain: why, where no rule says it"""
    _filter(bundle, _rule("getsid"))
    told, result = _explain(runtime, bundle, ["risk", "getsid", 0], ["exec", "/bin/probe", "int80", 147, 0])
    assert result.ok().seen("exec")["signal"] == signal.SIGSYS
    assert told[1]["label"] == "getsid (147) on SCMP_ARCH_X86" and "architectures" in told[1]["reason"]
    assert _offered(result) == ["getsid"], "-S is no help for an architecture"
    assert "SCMP_ARCH_X86: list it in linux.seccomp.architectures" in result.stderr
    profile = bundle.linux["seccomp"]
    every_call = ["read", "write", "execve", "exit_group", "brk", "arch_prctl", "set_tid_address", "set_robust_list",
                  "rseq", "mprotect", "prlimit64", "readlink", "readlinkat", "getrandom", "newfstatat", "capset"]
    profile |= {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [_rule(*every_call, action="SCMP_ACT_ALLOW")]}
    told, result = _explain(runtime, bundle, ["syscall", 448], ["syscall", 999])
    assert [(line["label"], line["answer"]) for line in told if "younger" in line["reason"]] == [
        ("process_mrelease (448)", "ENOSYS"), ("number 999", "ENOSYS")]
    assert "to allow them" not in result.stderr and "process_mrelease answered ENOSYS" in result.stderr


def test_calls_that_programs_replace_are_left_out_of_the_list(runtime, bundle):
    """the manual: run --seccomp-explain: on ENOSYS a C library makes threads by clone"""
    _filter(bundle, _rule("getsid"), _rule("clone3", errnoRet=38))
    told, result = _explain(runtime, bundle, ["threads", 2, 1, "getppid"], ["syscall", "getsid", 0])
    assert result.ok().seen("threads")["failed"] == 0
    assert [(line["name"], line["answer"]) for line in told] == [("clone3", "ENOSYS"), ("getsid", "EPERM")]
    assert _offered(result) == ["getsid"] and "435" not in _offered(result, by="numbers")
    last = result.stderr.splitlines()[-1]
    assert "clone3 answered ENOSYS" in last and last.endswith("-S clone3")
    told, result = _explain(runtime, bundle, ["threads", 2, 1, "getppid"])
    assert len(told) == 1 and "to allow them" not in result.ok().stderr, "nothing is needed"


def test_an_old_call_that_is_answered_enosys_is_in_the_list(runtime, bundle):
    """the manual: run --seccomp-explain: no program expects to do without it"""
    _filter(bundle, _rule("getsid", errnoRet=38))
    _, result = _explain(runtime, bundle, ["syscall", "getsid", 0])
    assert _offered(result) == ["getsid"] and "answered ENOSYS" not in result.stderr


def test_what_a_program_and_its_children_do_at_the_same_time_is_told(runtime, bundle):
    """the manual: run --seccomp-explain: threads, forks, programs by their names"""
    _filter(bundle, _rule("getsid"), _rule("sched_yield", errnoRet=11))
    (bundle.rootfs / "bin/other").symlink_to("probe")
    told, result = _explain(
        runtime, bundle, ["threads", 32, 50, "getsid", 0], ["exec", "/bin/other", "threads", 8, 5, "sched_yield"], seconds=60)
    assert [line["failed"] for line in result.ok().seen.all("threads")] == [1600, 40]
    assert [(line["name"], line["program"]) for line in told] == [("getsid", "probe"), ("sched_yield", "other")]
    assert "1600 times" in result.stderr and "40 times" in result.stderr


def test_what_the_list_allows_works(runtime, bundle):
    """the manual: run --seccomp-explain: with the list, nothing is denied any more"""
    needed = ["read", "write", "execve", "exit_group", "capset"]
    _filter(bundle, _rule(*needed, action="SCMP_ACT_ALLOW"), default="SCMP_ACT_ERRNO")
    verbs = [["syscall", "getsid", 0], ["stat", "/bin"], ["exec", "/bin/probe", "say"]]
    for _ in range(12):
        told, result = _explain(runtime, bundle, *verbs)
        if not told:
            break
        bundle.linux["seccomp"]["syscalls"][0]["names"] += _offered(result)
    seen = runtime.look(bundle, *verbs)
    assert seen.error("syscall") is None and seen("stat")["type"] == "directory"


def test_a_start_that_the_filter_makes_impossible_is_explained(runtime, bundle):
    """one line of error, after what was denied"""
    _filter(bundle, _rule("execve"))
    told, result = _explain(runtime, bundle, "say")
    refused(result, names=["linux.seccomp does not allow execve"])
    assert [line["name"] for line in told] == ["execve"]
    assert _offered(result) == ["execve"]
    runtime.expect_nothing()
    refused(runtime.run(bundle), names=["linux.seccomp does not allow execve"])
    bundle.process["noNewPrivileges"] = False  # then the filter comes before the last words of the runtime
    _filter(bundle, _rule("write"))
    refused(runtime.run(bundle), names=["the filter denies write"])
    runtime.expect_nothing()


def test_names_from_the_container_do_not_forge_lines(runtime, bundle):
    """what a container says about itself is not to be believed, and cannot steer a terminal"""
    _filter(bundle, _rule("umount2"))
    (bundle.rootfs / "bin/a\nswrun: b").symlink_to("probe")
    told, result = _explain(
        runtime, bundle, ["exec", "/bin/a\nswrun: b", "syscall", "umount2", "@/x\n\x1b[31m\rswrun: lies", 0])
    assert result.status == 0 and "\x1b" not in result.stderr
    assert all(line.startswith(("swrun: warning: seccomp denied", "swrun: info: ")) for line in result.stderr.splitlines())


def test_explanations_come_as_they_happen_and_on_lines_of_their_own(runtime, bundle):
    """the manual: run --seccomp-explain; the caller's terminal is in raw mode"""
    _filter(bundle, _rule("getsid"))
    bundle.process["terminal"] = True
    bundle.probe(["syscall", "getsid", 0], "line", "say").write()
    user = Attached(runtime.words("run", "--bundle", bundle.path, "--seccomp-explain", runtime.new_id()))
    user.terminal.read("seccomp denied getsid")
    user.terminal.read(lambda text: "EPERM\n" in text)  # a carriage return before the line feed
    user.terminal.write("\n")
    user.terminal.read("to allow them: -S getsid")
    assert user.wait() == 0
    user.close()


def test_denials_go_to_the_log_where_there_is_one(runtime, bundle):
    """the command line contract: --log"""
    _filter(bundle, _rule("getsid"))
    log = runtime.directory / "log"
    bundle.probe(["syscall", "getsid", 0], "hold").write()
    out = runtime.directory / "held"
    with open(out, "wb") as stdout:
        process = runtime.spawn("run", "--bundle", bundle.path, "--seccomp-explain", runtime.new_id(),
                                flags=["--log", log], stdout=stdout)
    host.wait_until(lambda: '"verb":"hold"' in out.read_text(), "the program is ready")
    host.wait_until(lambda: log.exists() and "seccomp denied getsid" in log.read_text(), "the log has it at once")
    process.send_signal(signal.SIGTERM)
    assert process.wait(host.timeout(10)) == 0
    assert "-S getsid" in log.read_text()


@pytest.mark.parametrize("change, flags, culprit", [
    (None, [], "linux.seccomp"), ({"listenerPath": "/none"}, ["--detach"], "--detach"),
    ({"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/none"}, [], "SCMP_ACT_NOTIFY"),
])
def test_what_cannot_be_explained_is_refused(runtime, bundle, change, flags, culprit):
    """one line, exit status 1, nothing left behind"""
    if change is not None:
        _filter(bundle, _rule("getsid"))
        bundle.linux["seccomp"] |= change
    else:
        bundle.linux.pop("seccomp", None)
    refused(runtime.run(bundle.probe("say"), "--seccomp-explain", *flags), names=[culprit])
    runtime.expect_nothing()
