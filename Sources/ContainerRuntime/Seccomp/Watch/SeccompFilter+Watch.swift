internal import LinuxSystem
internal import RuntimeSpec

extension SeccompFilter {
    /// Asks about every call, on every architecture.
    static let askingAlways = SeccompFilter(
        program: [FilterInstruction(FilterInstruction.answer, SeccompAction.notify.number)],
        flags: SeccompFlag.specAllow.bit | askingFlags, notifies: true, isWatched: true)

    /// The filter of a container whose denials are explained.
    static func explaining(_ profile: Seccomp?, _ cache: SeccompCache) throws(RuntimeError) -> SeccompFilter {
        guard let profile else {
            throw RuntimeError(
                "--seccomp-explain: config.json has no linux.seccomp, so that nothing is denied",
                hint: "add a filter, or leave the option out")
        }
        guard !profile.notifies else {
            throw RuntimeError(
                at: "linux.seccomp",
                "--seccomp-explain cannot be used with SCMP_ACT_NOTIFY: the kernel gives a process one "
                    + "listener, and that is the agent's", hint: "use another action for the time of the test")
        }
        return try compile(profile, cache: cache).askingBeforeDenial()
    }

    /// The same filter, only that it asks where it would deny. Every other answer is the kernel's own, at its own speed.
    ///
    /// It asks about execve too: there the container's first process, which holds the listener, has to wait until this
    /// one has taken it.
    func askingBeforeDenial() -> SeccompFilter {
        let asking = program.map { (instruction) in
            guard instruction.code == FilterInstruction.answer, SeccompAnswer(instruction.operand).isDenial else {
                return instruction
            }
            return FilterInstruction(FilterInstruction.answer, SeccompAction.notify.number)
        }
        let threads = flags & SystemCallFilterFlag.synchronizeThreads != 0
        return SeccompFilter(
            program: Self.askingAbout("execve") + asking,
            flags: flags | Self.askingFlags | (threads ? SystemCallFilterFlag.synchronizeThreadsOrNoSuchProcess : 0),
            notifies: true, isWatched: true, explained: program)
    }

    /// The beginning of a filter that asks about one call of the machine's own architecture.
    private static func askingAbout(_ name: String) -> [FilterInstruction] {
        guard let call = SystemCallNames.nativeCall(name) else { return [] }
        return [
            FilterInstruction(FilterInstruction.load, 4),
            FilterInstruction(FilterInstruction.jumpIfEqual, call.architecture, false: 3),
            FilterInstruction(FilterInstruction.load, 0),
            FilterInstruction(FilterInstruction.jumpIfEqual, call.number, false: 1),
            FilterInstruction(FilterInstruction.answer, SeccompAction.notify.number),
        ]
    }

    /// A call that was looked at is not interrupted by signals, where the kernel (5.19) can do that: a program would see
    /// calls fail with EINTR that never do.
    private static var askingFlags: UInt32 {
        let flags = SystemCallFilterFlag.newListener | SystemCallFilterFlag.waitKillable
        return kernelKnowsFilterFlags(flags) ? flags : SystemCallFilterFlag.newListener
    }
}

/// What a filter says to a call (SECCOMP_RET_*).
struct SeccompAnswer: Equatable {
    let value: UInt32

    init(_ value: UInt32) { self.value = value }

    private var action: UInt32 { value & 0xffff_0000 }

    /// Whether the call is not made. Without a tracer, SCMP_ACT_TRACE is ENOSYS.
    var isDenial: Bool { action != SeccompAction.allow.number && action != SeccompAction.log.number }

    /// What the caller gets to see; nil where it is ended instead.
    var errno: Errno? {
        switch action {
        case SeccompAction.errno.number: Errno(Int32(min(value & 0xffff, 4095)))
        case SeccompAction.trace.number: .notImplemented
        default: nil
        }
    }

    /// Whether the program may have a handler for the signal.
    var isTrap: Bool { action == SeccompAction.trap.number }

    /// What a person reads: "EPERM", "SCMP_ACT_KILL_PROCESS".
    var text: String {
        if let errno { return errno.name }
        return SeccompAction.allCases.first { $0 != .kill && $0.number == action }?.rawValue
            ?? "0x\(String(value, radix: 16))"
    }
}
