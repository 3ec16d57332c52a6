internal import LinuxSystem
internal import RuntimeSpec

/// The steps of `exec` that are done from outside the container, in the order `ExecContainer` calls them.
struct ExecHost: ~Copyable {
    private let request: ExecRequest
    private let record: ContainerRecord
    private let container: FileDescriptor
    private let cgroup: ContainerCgroup
    private var plan: ExecPlan
    private var console: HostConsole
    private let channel: HostChannel
    /// The process's end of the connection, until it has it.
    private let childEnd: Int32
    private let interruption: Interruption
    private var pid: Int32 = 0
    private var process: FileDescriptor?

    /// Everything that can be refused is refused here, before anything is made.
    init(_ request: ExecRequest, _ warn: (String) -> Void) throws(RuntimeError) {
        let inherited = InheritedDescriptors(preserved: request.preservedDescriptors)
        try inherited.check()
        let state = try request.stateRoot.open(request.id)
        let record = try state.readRecord()
        // Opened before its start time is compared: what is entered is this container, whatever happens meanwhile.
        let process = record.openProcess()
        try Self.check(state.status(of: record, isAlive: process != nil), request)
        guard let container = process else { throw RuntimeError("cannot exec in a stopped container") }
        let pattern = try state.readExecPattern(record)
        var warnings: [String] = []
        var plan = try ExecPlan(request, record, pattern, warnings: &warnings)
        let console = try HostConsole(socket: request.consoleSocket, plan.process)
        plan.console = console.setup
        plan.console?.mayUseHost = false
        let (ours, theirs) = try explain("cannot make a connection to the process") { () throws(SystemError) in
            try MessageSocket.pair()
        }
        for warning in warnings { warn(warning) }
        let cgroup = try request.place(record)
        interruption = try Interruption()
        channel = HostChannel(socket: MessageSocket(FileDescriptor(owning: ours)))
        childEnd = theirs
        self.request = request
        self.record = record
        self.container = container
        self.cgroup = cgroup
        self.plan = plan
        self.console = console
    }

    private static func check(_ status: ContainerStatus, _ request: ExecRequest) throws(RuntimeError) {
        switch status {
        case .created, .running: break
        case .creating: throw RuntimeError("cannot exec in a container that is being created")
        case .stopped: throw RuntimeError("cannot exec in a stopped container")
        case .paused:
            guard request.ignoresPause else {
                throw RuntimeError("cannot exec in a paused container (use --ignore-paused to override)")
            }
        }
    }

    /// Two clone3(2). In the child this does not return.
    mutating func giveBirth() throws(RuntimeError) {
        let entrance = try cgroup.openEntrance()
        // There is no other way for the program to have been in the class of service from its first moment.
        try record.resourceControl?.add(currentProcessID())
        let entering = ContainerEntering(plan, root: try rootWithoutMountNamespace(), container: container.rawValue)
        let kept = [childEnd, plan.console?.receiver].compactMap { $0 } + entrance.descriptors
        let birth = Birth(newNamespaces: .none, cgroup: entrance.birthCgroup, scope: cgroup.scope)
        let birthplace = entrance.birthCgroup
        let born = try birth.give(sharingMemory: entering.mayShareMemory) { (report) throws(RuntimeError) in
            try entering.begin(keeping: kept + [report, birthplace].compactMap { $0 })
        }
        switch consume born {
        case .child: becomeProcess(entering, consume entrance)
        case .parent(let process):
            pid = process.pid
            self.process = process.intoPidfd()
            closeDescriptor(childEnd)
        }
    }

    /// In the child; all of this value stays borrowed, as in `HostSide.becomeInit`.
    @inline(never)
    private borrowing func becomeProcess(_ entering: ContainerEntering, _ cgroup: consuming CgroupEntrance) -> Never {
        ExecProcess.run(plan, entering, cgroup, InitChannel(socket: MessageSocket(FileDescriptor(owning: childEnd))))
    }

    /// A container that has no mount namespace of its own has only another root.
    private func rootWithoutMountNamespace() throws(RuntimeError) -> Int32? {
        if plan.namespaces.contains(.mount) { return nil }
        return try explain("cannot open the container's root") { () throws(SystemError) in
            try FileDescriptor.open("/proc/\(record.pid)/root", .place).release()
        }
    }

    /// Hears what the process says until it has become the program.
    mutating func converse(_ warn: (String) -> Void) throws(RuntimeError) {
        while true {
            try interruption.wait(for: channel.number)
            let message = try explain("cannot hear from the process") { () throws(SystemError) in
                try channel.receive()
            }
            switch message {
            case .seccompListener(let descriptor): try forwardListener(descriptor)
            case .warning(let text): warn(text)
            case .failed(let error): throw error
            case .closed: return
            case .mounted, .ready: continue
            }
        }
    }

    mutating func publish() throws(RuntimeError) {
        if let path = request.pidfdSocket {
            try explain("cannot send a pidfd to \(path)", hint: "somebody must listen at this unix socket") {
                () throws(SystemError) in
                let socket = try connectUnixSocket(path)
                try sendDescriptor(process.number ?? -1, over: socket.rawValue, name: "pidfd")
            }
        }
        if let path = request.pidFile { try writePIDFile(path, pid) }
    }

    mutating func undo() {
        guard let process = process.take() else { return }
        try? process.signal(9)
        _ = try? waitForEnd(of: pid)
    }

    /// Until the process has ended.
    mutating func stay() throws(RuntimeError) -> Int32 {
        let terminal = try console.receive()
        if let terminal = terminal.number, isTerminal(0) { copyTerminalSize(from: 0, to: terminal) }
        var foreground = try Foreground(process: process.number ?? -1, pid: pid, terminal: terminal.number)
        return try foreground.stay().shellStatus
    }

    private borrowing func forwardListener(_ number: Int32) throws(RuntimeError) {
        guard let listener = plan.seccompListener else { return }
        let process = try explain("cannot hold the process") { () throws(SystemError) in
            try FileDescriptor.process(pid)
        }
        let state = record.state(.running)
        try listener.forward(
            number, from: process, pid: pid, specVersion: state.ociVersion, state: state.hookJSON)
    }
}
