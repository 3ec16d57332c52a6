internal import LinuxSystem
internal import RuntimeSpec

/// The container's first process, from its birth to the program it becomes. It reads from top to bottom like the
/// lifecycle in runtime.md; each step is a file in this folder.
enum ContainerInit {
    /// - Parameters:
    ///   - plan: what was worked out before the process existed
    ///   - host: the connection to the process that creates the container
    static func run(_ plan: InitPlan, _ host: consuming InitChannel) -> Never {
        var gate = StartGate(host, plan.startSignal)
        do throws(RuntimeError) {
            let program = try setUp(plan, gate.host)
            try gate.wait()
            try runContainerHooks(.startContainer, plan)
            guard let program else { throw RuntimeError("config.json has no process to start", hint: "add process") }
            throw program.execute(announceListener: { (number) throws(RuntimeError) in
                try gate.host.send(.seccompListener(descriptor: number))
            })
        } catch {
            gate.report(error)
            exitNow(1)
        }
    }

    /// Everything that `create` promises: after it the process is the container, only not yet the user's program.
    private static func setUp(
        _ plan: InitPlan, _ host: borrowing InitChannel
    ) throws(RuntimeError) -> PreparedProgram? {
        try explain("cannot start a session") { () throws(SystemError) in try startSession() }
        if plan.namespaces.newTime { try enterTimeNamespace(plan.timeOffsets) }
        let remains = try enterRoot(plan, host)
        // Nothing is left now by which a path in the container, such as a link to /proc/self/fd/7/.., could lead out of it.
        closeDescriptors(
            from: plan.inherited.end,
            except: [host.socket.descriptor.rawValue] + plan.startSignal.descriptors + remains.labels.descriptors)
        guard let program = plan.program else { return nil }
        return try PreparedProgram(program, remains, host)
    }

    /// From the host's root to the container's, with the namespaces around it.
    private static func enterRoot(
        _ plan: InitPlan, _ host: borrowing InitChannel
    ) throws(RuntimeError) -> HostRemains {
        let filesystem = RootFilesystem(plan)
        let place = try filesystem.openPlace()
        if plan.namespaces.atBirth.contains(.user) { try host.wait(for: .idsMapped) }
        if plan.namespaces.hasUserNamespace { try becomeRoot(keepingGroups: plan.config.annotations.keepsGroups) }
        // A change of the user makes a process as open to others as it was at first.
        setDumpable(false)
        if plan.namespaces.atBirth.contains(.network) { try bringLoopbackUp() }
        if plan.newKeyring { try plan.labels.joinKeyring() }

        var isInCgroup = false
        func enterCgroup() throws(RuntimeError) {
            if isInCgroup { return }
            if plan.awaitsCgroup { try enter(try host.waitForEntrance()) }
            if plan.namespaces.newCgroup { try makeCgroupNamespace() }
            isInCgroup = true
        }
        let root = try filesystem.build(at: place, beforeCgroups: enterCgroup)
        try enterCgroup()
        try setNames(plan.config)
        if plan.createHooksFollow {
            try host.send(.mounted)
            try host.wait(for: .proceed)
        }
        try runContainerHooks(.createContainer, plan)

        let terminal = try plan.console?.open(in: root, mountConsole: plan.ownsMounts)
        try setKernelParameters(plan.linux.sysctl)  // before /proc/sys is made read-only
        let directory = try filesystem.openWorkingDirectory(in: root)  // before the root is
        // Before another procfs takes the place of the host's.
        let remains = HostRemains(labels: try plan.labels.open(), home: filesystem.homeDirectory(in: root))
        try filesystem.seal(root)
        if let terminal, let console = plan.console { try console.attach(terminal) }
        if let directory {
            try explain("cannot enter the working directory", at: "process.cwd") { () throws(SystemError) in
                try enterDirectory(directory)
            }
        }
        return remains
    }
}

/// Waits, at the end of `create`, for the word to start, and is where failures go: first to the creating process, later
/// to the `start` command.
struct StartGate: ~Copyable {
    let host: InitChannel
    private let signal: StartSignal
    private var isOpen = false

    init(_ host: consuming InitChannel, _ signal: StartSignal) {
        self.host = host
        self.signal = signal
    }

    mutating func wait() throws(RuntimeError) {
        try host.send(.ready)
        switch signal {
        case .channel: try host.wait(for: .start)
        case .fifo(let ends):
            try explain("cannot wait for the word to start") { () throws(SystemError) in
                _ = try readBytes(ends.go, upTo: 1)
            }
        }
        isOpen = true
    }

    func report(_ error: RuntimeError) {
        let message = InitMessage.failed(error)
        if isOpen, case .fifo(let ends) = signal {
            try? writeWhole(ends.report, message.bytes)
        } else {
            try? host.send(message)
        }
    }
}

/// How init learns that it may start.
enum StartSignal: Equatable {
    /// From the process that created it (`run`).
    case channel
    /// From `start`.
    case fifo(ExecFIFO.Ends)

    var descriptors: [Int32] {
        switch self {
        case .channel: []
        case .fifo(let ends): [ends.go, ends.report]
        }
    }
}
