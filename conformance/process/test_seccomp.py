"""seccomp: actions, arguments, architectures, and when the filter is loaded (config-linux.md, Seccomp)."""

import platform
import signal

import pytest

NATIVE = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}[platform.machine()]

# What starting and running a small program takes.
PROGRAM = (
    "read write open openat close fstat newfstatat stat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask "
    "ioctl pread64 access execve execveat exit exit_group arch_prctl set_tid_address set_robust_list rseq prlimit64 "
    "getrandom readlink readlinkat uname futex fcntl getppid prctl capget capset setuid setgid setgroups setresuid "
    "setresgid umask chdir fchdir getcwd close_range dup dup2 dup3 faccessat faccessat2 statx fstatfs statfs getpid "
    "gettid tgkill kill epoll_ctl epoll_pwait nanosleep clock_nanosleep sched_yield sched_getaffinity madvise sigaltstack "
    "rt_sigreturn clone clone3 wait4 getuid getgid geteuid getegid getdents64 pipe2 eventfd2 epoll_create1 openat2 "
    "sendto recvfrom sendmsg recvmsg poll ppoll getsockopt setsockopt keyctl seccomp"
).split()


def _filter(bundle, *syscalls, default="SCMP_ACT_ALLOW", **more):
    bundle.linux["seccomp"] = {"defaultAction": default, "architectures": [NATIVE], "syscalls": list(syscalls), **more}


def _rule(*names, action="SCMP_ACT_ERRNO", **more):
    return {"names": list(names), "action": action, **more}


@pytest.mark.parametrize("no_new_privileges", [True, False])
def test_a_syscall_is_denied_with_eperm_or_the_errno_that_is_given(runtime, bundle, no_new_privileges):
    """config-linux.md, Seccomp: SCMP_ACT_ERRNO, errnoRet; the default is EPERM"""
    bundle.process["noNewPrivileges"] = no_new_privileges
    _filter(bundle, _rule("getsid"), _rule("getpgid", errnoRet=95), _rule("mkdirat", "sync", errnoRet=38))
    seen = runtime.look(
        bundle, "report", ["syscall", "getsid", 0], ["syscall", "getpgid", 0], ["syscall", "sync"],
        ["syscall", "getppid"])
    assert seen.error("syscall", "getsid") == "EPERM"
    assert seen.error("syscall", "getpgid") in ("EOPNOTSUPP", "ENOTSUP")
    assert seen.error("syscall", "sync") == "ENOSYS"
    assert seen("syscall", "getppid")["result"] == 0
    assert seen.status_field("Seccomp") == "2"
    assert seen.report["no_new_privs"] == int(no_new_privileges)


def test_the_filter_is_loaded_by_a_process_without_capabilities(runtime, bundle):
    """config-linux.md, Seccomp: with user, capabilities and noNewPrivileges as they may come"""
    for no_new_privileges in (True, False):
        bundle.process["noNewPrivileges"] = no_new_privileges
        bundle.process["user"] = {"uid": 1000, "gid": 1000}
        bundle.capabilities()
        _filter(bundle, _rule("getsid", errnoRet=77))
        seen = runtime.look(bundle, "report", ["syscall", "getsid", 0])
        assert seen.error("syscall") == "EBADFD"
        assert seen.report["capabilities"]["effective"] == "0" * 16


def test_only_what_is_allowed_works_when_the_default_denies(runtime, bundle):
    """config-linux.md, Seccomp: defaultAction, defaultErrnoRet; SCMP_ACT_ALLOW"""
    _filter(bundle, _rule(*PROGRAM, action="SCMP_ACT_ALLOW"), default="SCMP_ACT_ERRNO", defaultErrnoRet=61)
    seen = runtime.look(bundle, ["syscall", "getsid", 0], ["syscall", "getppid"], ["syscall", "sync"])
    assert [line.get("error") for line in seen.all("syscall")] == ["ENODATA", None, "ENODATA"]


def test_a_call_younger_than_the_filter_does_not_exist(runtime, bundle):
    """contract: ENOSYS for numbers above all that the profile names, so that programs fall back to older calls"""
    _filter(bundle, _rule(*PROGRAM, action="SCMP_ACT_ALLOW"), default="SCMP_ACT_ERRNO", defaultErrnoRet=61)
    seen = runtime.look(bundle, ["syscall", 999], ["syscall", "sync"])
    assert [line.get("error") for line in seen.all("syscall")] == ["ENOSYS", "ENODATA"]
    _filter(bundle, _rule("getsid"), default="SCMP_ACT_ALLOW")
    assert runtime.look(bundle, ["syscall", 999]).error("syscall") == "ENOSYS", "the kernel's own answer"


@pytest.mark.parametrize("action, number", [
    ("SCMP_ACT_KILL", signal.SIGSYS), ("SCMP_ACT_KILL_THREAD", signal.SIGSYS), ("SCMP_ACT_KILL_PROCESS", signal.SIGSYS),
    ("SCMP_ACT_TRAP", signal.SIGSYS)])
def test_actions_that_end_the_process(runtime, bundle, action, number):
    """config-linux.md, Seccomp: action"""
    _filter(bundle, _rule("getsid", action=action))
    seen = runtime.look(bundle, ["risk", "getsid", 0], ["risk", "getppid"])
    assert seen("risk", "getsid")["signal"] == number
    assert seen("risk", "getppid")["exit"] == 0


def test_a_logged_syscall_is_allowed_and_a_traced_one_fails_without_a_tracer(runtime, bundle):
    """config-linux.md, Seccomp: SCMP_ACT_LOG, SCMP_ACT_TRACE"""
    _filter(bundle, _rule("getsid", action="SCMP_ACT_LOG"), _rule("getpgid", action="SCMP_ACT_TRACE", errnoRet=5))
    seen = runtime.look(bundle, ["syscall", "getsid", 0], ["syscall", "getpgid", 0])
    assert seen.error("syscall", "getsid") is None
    assert seen.error("syscall", "getpgid") == "ENOSYS"


@pytest.mark.parametrize("op, value, more, hits", [
    ("SCMP_CMP_EQ", 5, {}, {5}), ("SCMP_CMP_NE", 5, {}, {4, 6, 13}), ("SCMP_CMP_LT", 5, {}, {4}),
    ("SCMP_CMP_LE", 5, {}, {4, 5}), ("SCMP_CMP_GE", 5, {}, {5, 6, 13}), ("SCMP_CMP_GT", 5, {}, {6, 13}),
    ("SCMP_CMP_MASKED_EQ", 12, {"valueTwo": 4}, {4, 5, 6}),
])
def test_every_operator_compares_an_argument(runtime, bundle, op, value, more, hits):
    """config-linux.md, Seccomp: args: index, value, valueTwo, op"""
    _filter(bundle, _rule("sched_yield", errnoRet=71, args=[{"index": 1, "value": value, "op": op, **more}]))
    seen = runtime.look(bundle, *[["syscall", "sched_yield", 0, number] for number in (4, 5, 6, 13)])
    denied = {int(line["arguments"][2]) for line in seen.all("syscall") if line.get("error") == "EPROTO"}
    assert denied == hits


def test_several_arguments_must_all_match(runtime, bundle):
    """config-linux.md, Seccomp: args"""
    arguments = [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}, {"index": 2, "value": 1 << 40, "op": "SCMP_CMP_EQ"}]
    _filter(bundle, _rule("sched_yield", errnoRet=71, args=arguments))
    seen = runtime.look(
        bundle, ["syscall", "sched_yield", 1, 0, 1 << 40], ["syscall", "sched_yield", 1, 0, 0],
        ["syscall", "sched_yield", 0, 0, 1 << 40])
    assert [line.get("error") for line in seen.all("syscall")] == ["EPROTO", None, None]


def test_a_name_that_this_architecture_lacks_is_passed_over(runtime, bundle):
    """config-linux.md, Seccomp: profiles of engines list the calls of all architectures and of newer kernels"""
    _filter(bundle, _rule("getsid", "no_such_call_ever", "sync_file_range2", errnoRet=77))
    assert runtime.look(bundle, ["syscall", "getsid", 0]).error("syscall") == "EBADFD"


@pytest.mark.parametrize("change", [
    {"defaultAction": "SCMP_ACT_NONE"}, {"defaultAction": None}, {"architectures": ["SCMP_ARCH_NONE"]},
    {"syscalls": [_rule("getsid", action="DENY")]}, {"syscalls": [_rule(action="SCMP_ACT_ERRNO")]},
    {"syscalls": [{"names": ["getsid"]}]}, {"flags": ["SECCOMP_FILTER_FLAG_NONE"]},
    {"syscalls": [_rule("getsid", args=[{"index": 0, "value": 1, "op": "SCMP_CMP_XX"}])]},
    {"syscalls": [_rule("getsid", args=[{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}])]},
    {"syscalls": [_rule("getsid", args=[{"value": 1, "op": "SCMP_CMP_EQ"}])]},
    {"listenerMetadata": "without a path"},
])
def test_a_filter_that_makes_no_sense_is_refused(runtime, bundle, change):
    """config-linux.md, Seccomp: REQUIRED properties, valid constants, names MUST contain at least one entry"""
    _filter(bundle, _rule("getsid"))
    bundle.linux["seccomp"] |= change
    if change.get("defaultAction", "") is None:
        del bundle.linux["seccomp"]["defaultAction"]
    runtime.refuses(bundle, "seccomp")


@pytest.mark.parametrize("change", [
    {"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1},
    {"syscalls": [_rule("getsid", action="SCMP_ACT_KILL", errnoRet=1)]},
    {"syscalls": [_rule("getsid", action="SCMP_ACT_ALLOW", errnoRet=1)]},
])
def test_an_errno_for_an_action_that_has_none_is_refused(runtime, bundle, change):
    """config-linux.md, Seccomp: when the action doesn't support an errno, the runtime MUST print an error and fail"""
    _filter(bundle, _rule("getsid"))
    bundle.linux["seccomp"] |= change
    runtime.refuses(bundle, "seccomp")


def test_an_empty_filter_of_allow_changes_nothing(runtime, bundle):
    """config-linux.md, Seccomp: syscalls is OPTIONAL"""
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW"}
    assert runtime.look(bundle, ["syscall", "getppid"]).error("syscall") is None


def test_the_container_works_with_a_filter_for_several_architectures(runtime, bundle):
    """config-linux.md, Seccomp: architectures"""
    _filter(bundle, _rule("getsid", errnoRet=77))
    bundle.linux["seccomp"]["architectures"] = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"]
    assert runtime.look(bundle, ["syscall", "getsid", 0]).error("syscall") == "EBADFD"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="32 bit calls are those of x86")
def test_calls_of_an_architecture_that_is_listed_are_filtered_by_their_own_numbers(runtime, bundle):
    """config-linux.md, Seccomp: architectures: 147 is getsid on x86, 124 on x86-64"""
    _filter(bundle, _rule("getsid", errnoRet=77), _rule("socketcall", errnoRet=71))
    bundle.linux["seccomp"]["architectures"] = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"]
    seen = runtime.look(bundle, ["syscall", "getsid", 0], ["int80", 147, 0], ["int80", 124, 0], ["int80", 102, 0], ["int80", 20])
    assert seen.error("syscall", "getsid") == "EBADFD"
    assert [line.get("error") for line in seen.all("int80")][::3] == ["EBADFD", None]
    assert seen.all("int80")[1].get("error") != "EBADFD" and seen.all("int80")[2]["error"] == "EPROTO"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x32 is an architecture of x86-64")
def test_calls_of_x32_are_those_of_an_architecture_of_their_own(runtime, bundle):
    """config-linux.md, Seccomp: architectures: SCMP_ARCH_X32, which the kernel tells apart by a bit of the number"""
    getsid = 0x4000_0000 | 124
    _filter(bundle, _rule("getsid", errnoRet=77))
    bundle.linux["seccomp"]["architectures"] = ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32"]
    seen = runtime.look(bundle, ["syscall", getsid, 0], ["syscall", "getsid", 0])
    assert [line["error"] for line in seen.all("syscall")] == ["EBADFD", "EBADFD"]
    bundle.linux["seccomp"]["architectures"] = ["SCMP_ARCH_X86_64"]
    assert runtime.look(bundle, ["risk", getsid, 0])("risk")["signal"] == signal.SIGSYS


@pytest.mark.skipif(platform.machine() != "x86_64", reason="32 bit calls are those of x86")
def test_calls_of_an_architecture_that_is_not_listed_end_the_process(runtime, bundle):
    """config-linux.md, Seccomp: architectures: the filter knows nothing of those calls, and lets none through"""
    _filter(bundle, _rule("getsid", errnoRet=77))
    seen = runtime.look(bundle, ["exec", "/bin/probe", "int80", 20], ["syscall", "getppid"])
    assert seen("exec")["signal"] == signal.SIGSYS


@pytest.mark.parametrize("flags", [
    [], ["SECCOMP_FILTER_FLAG_TSYNC"], ["SECCOMP_FILTER_FLAG_LOG"], ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
    ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"],
])
def test_a_filter_with_flags_is_in_force(runtime, bundle, flags):
    """config-linux.md, Seccomp: flags"""
    _filter(bundle, _rule("getsid", errnoRet=77), flags=flags)
    seen = runtime.look(bundle, "report", ["syscall", "getsid", 0])
    assert seen.error("syscall") == "EBADFD" and seen.status_field("Seccomp_filters") == "1"


def test_every_argument_has_its_own_place(runtime, bundle):
    """config-linux.md, Seccomp: args: index 0 to 5"""
    for index in range(6):
        _filter(bundle, _rule("sched_yield", errnoRet=71, args=[{"index": index, "value": 9, "op": "SCMP_CMP_EQ"}]))
        calls = [["syscall", "sched_yield", *[9 if place == at else 0 for place in range(6)]] for at in range(6)]
        seen = runtime.look(bundle, *calls)
        assert [line.get("error") for line in seen.all("syscall")] == ["EPROTO" if at == index else None for at in range(6)]


def test_several_comparisons_of_one_argument_are_alternatives(runtime, bundle):
    """the profiles of engines count on it: any of them may match"""
    values = [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"} for value in (3, 5)]
    _filter(bundle, _rule("sched_yield", errnoRet=71, args=values))
    seen = runtime.look(bundle, *[["syscall", "sched_yield", number] for number in (3, 4, 5)])
    assert [line.get("error") for line in seen.all("syscall")] == ["EPROTO", None, "EPROTO"]
