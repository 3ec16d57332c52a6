internal import CLibseccomp
internal import Glibc
internal import LinuxSystem

/// Takes system calls away from a process that reads what cannot be trusted: a mistake in what reads it is then worth little
/// to whoever made the image.
struct SystemCallSandbox {
    /// The calls that stay, by their names; what this kernel or machine does not have is passed over.
    private let allowed: [StaticString]
    /// What any other call comes to.
    private let answer: UInt32
    /// Whether the process may make others of its kind: threads, or a program's children. Never with new namespaces.
    private let mayMultiply: Bool

    /// SCMP_ACT_KILL_PROCESS, SCMP_ACT_ALLOW and SCMP_ACT_ERRNO, which are macros.
    private static let kill: UInt32 = 0x8000_0000
    private static let allow: UInt32 = 0x7fff_0000
    private static func fail(_ errno: Int32) -> UInt32 { 0x0005_0000 | UInt32(errno) }

    /// For our own code that decompresses: it reads and writes what is open, gets memory, and ends. Anything else is no
    /// mistake of ours.
    static let decoding = SystemCallSandbox(
        allowed: memory + ["read", "write", "lseek", "exit_group", "exit", "rt_sigprocmask", "futex", "getrandom"],
        answer: kill, mayMultiply: false)

    /// For qemu-storage-daemon: files, threads, and waiting for both. No sockets, no mounts, no other processes' affairs.
    static let serving = SystemCallSandbox(
        allowed: memory + streams + starting + waiting, answer: fail(ENOSYS), mayMultiply: true)

    private static let memory: [StaticString] = ["mmap", "munmap", "mremap", "brk", "madvise", "mprotect"]

    private static let streams: [StaticString] = [
        "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev", "pwritev2", "lseek",
        "close", "fstat", "fcntl", "dup", "dup2", "dup3", "pipe", "pipe2", "splice", "vmsplice", "tee",
    ]

    /// What the C library does before and after main, and what looks at files.
    private static let starting: [StaticString] = [
        "execve", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "getrlimit", "getrandom",
        "open", "openat", "access", "faccessat", "faccessat2", "stat", "lstat", "newfstatat", "statx", "fstatfs",
        "statfs", "readlink", "readlinkat", "getcwd", "uname", "sysinfo", "getpid", "gettid", "getuid", "geteuid",
        "getgid", "getegid", "umask", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "tgkill",
        "exit", "exit_group", "futex", "sched_yield", "sched_getaffinity", "clock_gettime", "clock_getres",
        "gettimeofday", "time", "restart_syscall", "getrusage", "prctl", "membarrier",
    ]

    private static let waiting: [StaticString] = [
        "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait",
        "epoll_pwait", "epoll_pwait2", "eventfd2", "signalfd4", "timerfd_create", "timerfd_settime", "timerfd_gettime",
        "nanosleep", "clock_nanosleep", "rt_sigtimedwait", "fallocate", "ftruncate", "fsync", "fdatasync",
        "sync_file_range", "fadvise64", "sched_getparam", "sched_getscheduler", "sched_setscheduler",
    ]

    /// CLONE_NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
    private static let namespaces: UInt64 = 0x7e02_0080

    /// From here on this process obeys, and what it executes. Sets no_new_privs.
    func enter() throws(SystemError) {
        guard let filter = seccomp_init(answer) else { throw SystemError("seccomp_init", "", Errno(ENOMEM)) }
        defer { seccomp_release(filter) }
        for name in allowed { try add(name, [], to: filter) }
        if mayMultiply {
            let noNamespace = scmp_arg_cmp(
                arg: 0, op: SCMP_CMP_MASKED_EQ, datum_a: Self.namespaces, datum_b: 0)
            try add("clone", [noNamespace], to: filter)
            // clone3(2) has its flags in memory, where a filter cannot look; the C library then takes clone(2).
            try add("vfork", [], to: filter)
            try add("wait4", [], to: filter)
        }
        let result = seccomp_load(filter)
        if result < 0 { throw SystemError("seccomp_load", "", Errno(-result)) }
    }

    private func add(_ name: StaticString, _ conditions: [scmp_arg_cmp], to filter: scmp_filter_ctx) throws(SystemError)
    {
        let text = "\(name)"
        let number = seccomp_syscall_resolve_name(text)
        // Negative are also calls of other machines.
        guard number >= 0 else { return }
        let result = seccomp_rule_add_array(
            filter, Self.allow, number, UInt32(conditions.count), conditions)
        if result < 0 { throw SystemError("seccomp_rule_add", text, Errno(-result)) }
    }
}
