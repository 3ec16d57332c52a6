package import LinuxSystem
package import RuntimeSpec

/// The system call filter of a container, ready for the kernel (config-linux.md, Seccomp).
package struct SeccompFilter: Equatable, Sendable {
    package let program: [FilterInstruction]
    /// For seccomp(2).
    package let flags: UInt32
    /// Whether a rule hands system calls to a listener.
    package let notifies: Bool
    /// Whether the listener is this process, without which the container's process could not live.
    var isWatched = false
    /// Whether who takes the listener out of the process is an ordinary user, as whom the host side makes this value.
    private let listenerGoesToOrdinaryUser = effectiveUserID() != 0
    /// What the filter decides where it asks this process; nil when that allows everything.
    var explained: [FilterInstruction]?

    /// Compiles the section, or takes what was compiled for an equal one before. Runs on the host; nothing is loaded.
    package static func compile(
        _ seccomp: Seccomp, cache: SeccompCache? = nil
    ) throws(RuntimeError) -> SeccompFilter {
        let notifies = seccomp.notifies
        let program: [FilterInstruction]
        if let cache {
            let key = SeccompCompiler.key(of: seccomp)
            if let stored = cache.program(for: key) {
                program = stored
            } else {
                program = try SeccompCompiler.compile(seccomp)
                cache.store(program, for: key)
            }
        } else {
            program = try SeccompCompiler.compile(seccomp)
        }
        return SeccompFilter(program: program, flags: flags(seccomp, notifies: notifies), notifies: notifies)
    }

    /// Without SPEC_ALLOW a filter switches speculation mitigations on that slow the process down and that kernels since
    /// 5.16 no longer switch on by themselves. Engines rely on it being set when the section is silent.
    static func flags(_ words: [SeccompFlag]?) -> UInt32 {
        (words ?? [.specAllow]).reduce(UInt32(0)) { $0 | $1.bit }
    }

    private static func flags(_ seccomp: Seccomp, notifies: Bool) -> UInt32 {
        var flags = flags(seccomp.flags)
        guard notifies else {
            // It says how a notified process waits; the kernel refuses it where nothing can be notified.
            return flags & ~SystemCallFilterFlag.waitKillable
        }
        flags |= SystemCallFilterFlag.newListener
        // The result of the call is a descriptor, so a thread that cannot be synchronized must be told otherwise.
        if flags & SystemCallFilterFlag.synchronizeThreads != 0 {
            flags |= SystemCallFilterFlag.synchronizeThreadsOrNoSuchProcess
        }
        return flags
    }

    /// Puts this process, and all it becomes, under the filter: one system call.
    ///
    /// - Returns: the listener, when a rule notifies.
    package func load() throws(SystemError) -> FileDescriptor? {
        try loadSystemCallFilter(program, flags: flags)
    }

    /// Loads the filter in a container's first process, and says beforehand which number its listener will have.
    func loadAnnouncing(_ announceListener: (Int32) throws(RuntimeError) -> Void) throws(RuntimeError) {
        if notifies {
            let number = try ContainerRuntime.explain("cannot open /") { () throws(SystemError) in
                try FileDescriptor.nextNumber()
            }
            // Without privilege one may take it only from a process that is open to its user. This one has nothing left
            // that is the host's, and is about to become the container's program, which is as open.
            if listenerGoesToOrdinaryUser { setDumpable(true) }
            try announceListener(number)
        }
        if isWatched {
            // Without answers every call would fail with ENOSYS, that to end the process included.
            try ContainerRuntime.explain("cannot tie the container's process to this one") { () throws(SystemError) in
                try dieWithParent()
            }
        }
        do throws(SystemError) {
            // The listener stays open until execve(2): closing it could be notified, and the host takes it from here.
            _ = try load()?.release()
        } catch {
            throw explain(error)
        }
    }

    /// The error to report when `load` failed with `error`; asks the kernel what it does not know.
    package func explain(_ error: SystemError) -> RuntimeError {
        let what = "cannot load the system call filter"
        switch error.errno {
        case .invalid:
            if let flag = SeccompFlag.allCases.first(where: { flags & $0.bit != 0 && !Self.kernelKnows($0) }) {
                return RuntimeError(
                    at: "linux.seccomp.flags", "this kernel does not know \(flag.rawValue)", error,
                    hint: "remove the flag or use a newer kernel")
            }
            if notifies && !kernelKnowsFilterFlags(SystemCallFilterFlag.newListener) {
                return RuntimeError(
                    at: "linux.seccomp", "this kernel does not know SCMP_ACT_NOTIFY", error, hint: "it needs Linux 5.0")
            }
            return RuntimeError(
                at: "linux.seccomp", what, error, hint: "the kernel may lack CONFIG_SECCOMP_FILTER")
        case .notImplemented:
            return RuntimeError(at: "linux.seccomp", what, error, hint: "the kernel lacks CONFIG_SECCOMP")
        case .accessDenied:
            return RuntimeError(
                at: "linux.seccomp", what, error,
                hint: "without CAP_SYS_ADMIN a filter needs process.noNewPrivileges to be true")
        case .busy:
            return RuntimeError(
                at: "linux.seccomp", "cannot use SCMP_ACT_NOTIFY", error,
                hint: "a filter with a listener already applies to the runtime itself")
        default:
            return RuntimeError(at: "linux.seccomp", what, error)
        }
    }

    /// The first of these calls that the filter denies whatever its arguments are. Asked when something has failed.
    func firstDenied(of names: [String]) -> String? {
        let machine = FilterMachine(program: explained ?? program)
        return names.first { (name) in
            guard let call = SystemCallNames.nativeCall(name), let answer = machine.run(call)?.answer else {
                return false
            }
            // Whoever is asked may allow it.
            return SeccompAnswer(answer).isDenial && answer != SeccompAction.notify.number
        }
    }

    static func kernelKnows(_ flag: SeccompFlag) -> Bool {
        // The kernel accepts this one only together with a listener.
        let company = flag == .waitKillableRecv ? SystemCallFilterFlag.newListener : 0
        return kernelKnowsFilterFlags(flag.bit | company)
    }
}

extension Seccomp {
    /// Whether any system call can end up at a listener.
    var notifies: Bool { defaultAction == .notify || syscalls.contains { $0.action == .notify } }
}

// MARK: As a file

extension SeccompFilter {
    /// Whether there is no more to it than instructions and flags.
    var isPlain: Bool { !notifies && !isWatched }

    /// As a file: the flags in 8 bytes, then the instructions, all as the kernel reads them.
    var kept: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(8 + program.count * MemoryLayout<FilterInstruction>.stride)
        withUnsafeBytes(of: UInt64(flags)) { bytes += $0 }
        program.withUnsafeBytes { bytes += $0 }
        return bytes
    }

    /// nil when that is no such file.
    init?(kept bytes: [UInt8]) {
        let size = MemoryLayout<FilterInstruction>.stride
        guard bytes.count > 8, (bytes.count - 8) % size == 0, bytes.count / size <= FilterInstruction.limit else {
            return nil
        }
        let flags = bytes.withUnsafeBytes { $0.load(as: UInt64.self) }
        let program = [FilterInstruction](unsafeUninitializedCapacity: (bytes.count - 8) / size) { buffer, filled in
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyBytes(from: $0[8...]) }
            filled = (bytes.count - 8) / size
        }
        self.init(program: program, flags: UInt32(truncatingIfNeeded: flags), notifies: false)
    }
}
