internal import CLibseccomp
internal import ContainerRuntime
internal import RuntimeSpec

/// The system calls that `-s` allows. Enough for a C library to start a program and for a shell to run others: to open,
/// read and write files, to look at directories, to make processes and wait for them. Nothing that renames, removes or
/// changes the mode of a file, no sockets, no threads with new namespaces, nothing for administration.
enum SystemCallList {
    /// runc looks at /proc (fstatfs) under the filter before it executes the program.
    static let minimal: [(purpose: String, names: String)] = [
        ("start and end a program", "execve exit exit_group arch_prctl set_tid_address set_robust_list rseq prlimit64"),
        ("memory", "brk mmap munmap mprotect mremap madvise"),
        ("files that are open", "read write readv writev pread64 pwrite64 lseek close fstat fcntl dup dup2 dup3 ioctl"),
        (
            "look at files",
            "open openat access faccessat faccessat2 stat lstat newfstatat statx fstatfs readlink readlinkat getdents64 getcwd "
                + "chdir"
        ),
        ("processes", "vfork fork wait4 waitid getpid getppid gettid getpgrp getpgid setpgid getsid kill tgkill"),
        ("pipes and waiting", "pipe pipe2 poll ppoll select pselect6 futex nanosleep clock_nanosleep"),
        (
            "signals",
            "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sigaltstack restart_syscall"
        ),
        ("who and where", "getuid geteuid getgid getegid getgroups umask uname"),
        ("time and chance", "clock_gettime gettimeofday time getrandom"),
    ]

    static var minimalNames: [String] { minimal.flatMap { $0.names.split(separator: " ").map(String.init) } }

    /// CLONE_NEWNS to CLONE_NEWNET, and CLONE_NEWCGROUP: a new process may not bring new namespaces.
    private static let namespaceFlags: UInt64 = 0x7e02_0000

    /// The filter that allows the minimal list, or what a profile does in its place, and `others`.
    static func filter(_ profile: Seccomp?, allowing others: [String]) -> Seccomp {
        guard var profile else { return filter(allowing: others) }
        for name in others { profile.allow(name) }
        return profile
    }

    static func filter(allowing others: [String]) -> Seccomp {
        var names = minimalNames.filter(exists)
        for name in others where !names.contains(name) { names.append(name) }
        var rules = [SeccompSyscall(names: names, action: .allow)]
        if !others.contains("clone") {
            rules.append(
                SeccompSyscall(
                    names: ["clone"], action: .allow,
                    args: [SeccompArgument(index: 0, value: namespaceFlags, valueTwo: 0, op: .maskedEqual)]))
        }
        if !others.contains("clone3") {
            // Its flags are in memory, where a filter cannot look. C libraries fall back to clone(2) on this answer.
            rules.append(SeccompSyscall(names: ["clone3"], action: .errno, errnoRet: 38))  // ENOSYS
        }
        return Seccomp(
            defaultAction: .errno, defaultErrnoRet: 1, architectures: nativeArchitecture.map { [$0] } ?? [],
            syscalls: rules)
    }

    /// Whether the machine has the system call: arm64 does without many that x86-64 still has.
    private static func exists(_ name: String) -> Bool { seccomp_syscall_resolve_name(name) >= 0 }

    static var nativeArchitecture: SeccompArchitecture? {
        let native = seccomp_arch_native()
        return SeccompArchitecture.allCases.first { seccomp_arch_resolve_name($0.libseccompName) == native }
    }
}

/// `49,51,connect`: names of system calls, and numbers of the machine's own architecture.
func systemCallNames(_ text: String) throws(RuntimeError) -> [String] {
    var names: [String] = []
    let machine = SystemCallList.nativeArchitecture?.libseccompName ?? "this machine"
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
        let word = String(word)
        if let number = Int(word) {
            guard let call = UInt32(exactly: number), let name = SystemCallNames.name(ofNative: call) else {
                throw RuntimeError(
                    "\(word) is not the number of a system call of \(machine)",
                    hint: "numbers differ between architectures: names are safer")
            }
            names.append(name)
        } else {
            // Negative numbers stand for calls of other architectures.
            guard SystemCallNames.isNative(word) else {
                throw RuntimeError(
                    word.isEmpty ? "an empty name in \"\(text)\"" : "\(machine) has no system call \"\(word)\"",
                    hint: "give names or numbers, with commas between them: 49,51,connect")
            }
            names.append(word)
        }
    }
    return names
}
