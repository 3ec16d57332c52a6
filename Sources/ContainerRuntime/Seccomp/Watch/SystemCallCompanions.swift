/// Calls that go with others, made in this run or not: the same program may make them in its next one. Which thread is
/// first decides, whether a signal comes, whether somebody pauses the container. A program is not told that they are
/// denied, it ends: a C library aborts when it cannot wait for a lock or give back a stack, and a signal handler that
/// cannot return goes on in no code at all.
struct SystemCallCompanions {
    /// The calls of one architecture that were made.
    let made: [String]
    /// Whether one of them made a thread.
    let makesThreads: Bool

    /// In no order; those that were made are not among them.
    var names: [String] {
        var names: [String] = []
        if !made.isEmpty { names.append(Self.ofEveryProgram) }
        if makesThreads { names += Self.ofThreads }
        for (call, companion) in Self.ofCalls where made.contains(call.description) && !names.contains(companion) {
            names.append(companion)
        }
        // What waits for a lock can be interrupted too.
        if names.contains("futex"), !names.contains(Self.resumption) { names.append(Self.resumption) }
        return names.filter { !made.contains($0) }
    }

    /// One that was killed would have come to it.
    private static let ofEveryProgram = "exit_group"

    /// To wait for each other, to end, and to come by stacks and memory of their own: for which of them the C library has
    /// some left from another thread.
    private static let ofThreads = [
        "exit", "futex", "madvise", "mmap", "mprotect", "munmap", "rt_sigprocmask", "sched_yield",
    ]

    /// With it the kernel goes on with a call that was interrupted by SIGCONT or by a pause of the container
    /// (restart_syscall(2)).
    private static let resumption = "restart_syscall"

    private static let ofCalls: [(call: StaticString, companion: String)] = [
        ("rt_sigaction", "rt_sigreturn"), ("sigaction", "sigreturn"), ("signal", "sigreturn"),
        ("nanosleep", resumption), ("clock_nanosleep", resumption), ("poll", resumption), ("futex", resumption),
        ("clock_nanosleep_time64", resumption), ("futex_time64", resumption),
    ]
}
