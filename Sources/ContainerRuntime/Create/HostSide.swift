internal import LinuxSystem
internal import RuntimeSpec

/// The steps of `create` that are done from outside the container, in the order `CreateContainer` calls them.
struct HostSide: ~Copyable {
    private let request: CreateRequest
    private let bundle: Bundle
    private let joined: JoinedNamespaces
    private var sources: BindSources
    private var console: HostConsole
    private var plan: InitPlan
    private var record: ContainerRecord
    private let cgroup: CgroupPlan
    private let resourceControl: ResourceControlPlan?
    private var warnings: [String]

    private var state: StateDirectory?
    /// A pidfd of init, once there is one.
    private var process: FileDescriptor?
    /// Those that are in the container already.
    private var networkDevices: NetworkDevices?
    private let bridge: BridgeNetwork?
    private let channel: HostChannel
    /// Init's end of the connection, until init has it.
    private let initEnd: Int32
    private let interruption: Interruption
    /// Answers for the container's system calls, where they are watched.
    private let watcher: SystemCallWatcher?
    private var hooksBegan = false
    /// Until then the cgroup in the record may be somebody else's.
    private var cgroupIsMade = false
    private var resourceControlIsMade = false

    init(_ bundle: Bundle, _ request: CreateRequest) throws(RuntimeError) {
        let layout = try CgroupLayout.detect()
        // A class of service that a killed create has made looks like one that somebody else has.
        if bundle.config.linux?.intelRdt != nil, request.stateRoot.exists(request.id) {
            try request.stateRoot.clearLeftover(request.id)
        }
        let cgroup = try Self.planCgroup(bundle.config, request, layout)
        var record = ContainerRecord(bundle, request, cgroup.cgroup)
        let resourceControl = try bundle.config.linux?.intelRdt.map { (rdt) throws(RuntimeError) in
            try ResourceControlPlan(rdt, id: request.id.text)
        }
        record.resourceControl = resourceControl?.group
        var warnings: [String] = []
        var plan = try InitPlan(bundle.config, record, request, layout, warnings: &warnings)
        let bridge = try BridgeNetwork(annotations: bundle.config.annotations)
        try bridge?.check(plan.namespaces, isRootless: request.rootless)
        let joined = try JoinedNamespaces(plan.namespaces)
        let sources = try BindSources(plan, mayMount: effectiveUserID() == 0)
        plan.rootfsMount = sources.rootfs
        plan.bindSources = sources.mounts
        let console = try HostConsole(socket: request.consoleSocket, bundle.config.process)
        plan.console = console.setup
        plan.awaitsCgroup = cgroup.isEntered
        let (ours, theirs) = try explain("cannot make a connection to init") { () throws(SystemError) in
            try MessageSocket.pair()
        }
        let profile = plan.linux.seccomp
        let watcher = try request.seccompWatch.map { (watch) throws(RuntimeError) in
            try SystemCallWatcher(watch, profile, request.seccompCache)
        }
        interruption = try Interruption()
        channel = HostChannel(socket: MessageSocket(FileDescriptor(owning: ours)))
        initEnd = theirs
        self.request = request
        self.bundle = bundle
        self.watcher = watcher
        self.bridge = bridge
        self.joined = joined
        self.sources = sources
        self.console = console
        self.plan = plan
        self.record = record
        self.cgroup = cgroup
        self.resourceControl = resourceControl
        self.warnings = warnings
    }

    /// Also of a restore.
    static func planCgroup(
        _ config: Config, _ request: CreateRequest, _ layout: CgroupLayout
    ) throws(RuntimeError) -> CgroupPlan {
        let (id, driver) = (request.id, request.cgroupDriver)
        do throws(RuntimeError) {
            return try CgroupPlan(config: config, id: id.text, driver: driver, layout: layout)
        } catch {
            // A container of the same id may have the cgroup: that is what the caller got wrong, unless it is only half
            // a container, of a create that was killed.
            guard request.stateRoot.exists(id) else { throw error }
            try request.stateRoot.clearLeftover(id)
            return try CgroupPlan(config: config, id: id.text, driver: driver, layout: layout)
        }
    }

    /// The state directory, with a record that says what a create that is killed leaves behind.
    mutating func makeState() throws(RuntimeError) {
        let directory = try request.stateRoot.create(request.id)
        do throws(RuntimeError) {
            try directory.writeRecord(record, first: true)
            if NotifySocket.manager != nil, plan.ownsMounts {
                try directory.makeNotifyDirectory()
                try plan.addNotifySocket(stateDirectory: directory.path)
                try sources.open(plan.mounts[plan.mounts.count - 1], plan.linux)
                plan.bindSources = sources.mounts
            }
            if !request.startsAtOnce { plan.startSignal = .fifo(try directory.makeExecFIFO()) }
        } catch {
            state = consume directory
            throw error
        }
        state = consume directory
    }

    /// What init is born in exists before it.
    mutating func makeBirthplace() throws(RuntimeError) {
        // From here on the record has what was made and nothing else, also when this fails half way.
        cgroupIsMade = true
        try cgroup.createBirthplace(&record.cgroup, isRootless: request.rootless)
        guard let resourceControl else { return }
        try resourceControl.make()
        resourceControlIsMade = true
    }

    /// The other cgroups, which init then enters.
    mutating func makeCgroup() throws(RuntimeError) {
        try cgroup.createRest(&record.cgroup, isRootless: request.rootless)
        if record.cgroup.directories.isEmpty, request.cgroupDriver != .disabled {
            warnings.append(
                "the container has no cgroup of its own, without which there are no limits, statistics and pauses: "
                    + "delegate one to user \(effectiveUserID()) (systemd: Delegate=yes, or chown a cgroup and start swrun "
                    + "in it); --cgroup-manager disabled asks for none")
        }
        guard plan.awaitsCgroup else { return }
        let gates = try record.cgroup.openGates(bornInside: cgroup.bornInside)
        try tell { (channel) throws(SystemError) in try channel.send(gates) }
    }

    /// What later commands need to know, where nobody looks for it yet. Later changes to the bundle have no effect on the
    /// container.
    mutating func prepareState() throws(RuntimeError) {
        try state?.writeConfig(bundle.text)
        try state?.writeExecPattern(ExecPattern(bundle.config, plan.seccomp))
        guard let start = processStartTime(record.pid) else { throw unexpectedEnd() }
        record.processStartTime = start
        try state?.prepareRecord(record)
    }

    /// One clone3(2), or two when namespaces are joined. In the child this does not return.
    mutating func giveBirth() throws(RuntimeError) {
        // Init is born into namespaces that others may share: from its first moment nobody there may look into it. Its
        // files in /proc belong to root then, so without privilege it has to wait until its ids are mapped.
        if effectiveUserID() == 0 || !plan.namespaces.atBirth.contains(.user) { setDumpable(false) }
        let birthplace = cgroup.bornInside ? try record.cgroup.openBirthplace() : nil
        let birth = Birth(newNamespaces: plan.namespaces.atBirth, cgroup: birthplace.number, scope: record.cgroup.scope)
        switch try birth.give(joined) {
        case .child: becomeInit(consume birthplace)
        case .parent(let process):
            record.pid = process.pid
            self.process = process.intoPidfd()
            closeDescriptor(initEnd)
            if case .fifo(let ends) = plan.startSignal { ends.close() }
            // Before it has children of its own.
            try resourceControl?.group.add(record.pid)
        }
        // Elsewhere init still has to enter it.
        if record.cgroup.directories.count == 1, cgroup.bornInside { cgroup.releaseScope() }
        sources.close()
    }

    /// In the child. All of this value is borrowed for as long as init runs: none of the descriptors that init inherits by
    /// their numbers may be closed as no longer needed, which the compiler would do on the way to a call that never returns.
    @inline(never)
    private borrowing func becomeInit(_ birthplace: consuming FileDescriptor?) -> Never {
        _ = consume birthplace
        // Held here as well, the lock and the host's end would outlive the host.
        closeDescriptor(channel.number)
        if let lock = state.descriptorNumber { closeDescriptor(lock) }
        ContainerInit.run(plan, InitChannel(socket: MessageSocket(FileDescriptor(owning: initEnd))))
    }

    /// The mappings of a new user namespace (config-linux.md, "User namespace mappings").
    mutating func mapIDs() throws(RuntimeError) {
        if let score = plan.config.process?.oomScoreAdj {
            try explain(
                "cannot set the oom score", at: "process.oomScoreAdj", hint: "lowering it needs CAP_SYS_RESOURCE"
            ) {
                () throws(SystemError) in try writeFile("/proc/\(record.pid)/oom_score_adj", "\(score)")
            }
        }
        guard plan.namespaces.atBirth.contains(.user) else { return }
        try plan.settings?.raiseHardLimits(of: record.pid)
        try writeIDMappings(plan.linux.uidMappings, plan.linux.gidMappings, of: record.pid)
        try tell(.idsMapped)
    }

    mutating func moveNetworkDevices() throws(RuntimeError) {
        try bridge?.connect(pid: record.pid, container: record.place(in: request.stateRoot))
        guard !plan.linux.netDevices.isEmpty else { return }
        var devices = try NetworkDevices.connect(toNamespaceOf: record.pid)
        try devices.move(plan.linux.netDevices)
        networkDevices = consume devices
    }

    /// Hears what init says until it is ready, and runs the hooks that belong between its steps.
    mutating func converse(_ warn: (String) -> Void) throws(RuntimeError) {
        for warning in warnings { warn(warning) }
        while true {
            switch try hear(warn) {
            case .mounted:
                hooksBegan = true
                try hostHooks(.prestart, .creating).run()
                try hostHooks(.createRuntime, .creating).run()
                try tell(.proceed)
            case .seccompListener(let descriptor):
                try forwardListener(descriptor)
            case .warning(let text): warn(text)
            case .failed(let error): throw error
            case .closed: throw unexpectedEnd()
            case .ready: return
            }
        }
    }

    /// From here on other commands see a created container: the state first, then the pid file.
    mutating func publish() throws(RuntimeError) {
        try cgroup.moveIntoDelegated(record.pid, record.cgroup)
        cgroup.releaseScope()
        try state?.publishRecord()
        for path in [request.pidfdSocket, plan.config.annotations[.pidfdReceiver]].compactMap({ $0 }) {
            try explain("cannot send a pidfd to \(path)", hint: "somebody must listen at this unix socket") {
                () throws(SystemError) in
                let socket = try connectUnixSocket(path)
                try sendDescriptor(process.number ?? -1, over: socket.rawValue, name: "pidfd")
            }
        }
        if let path = request.pidFile { try writePIDFile(path, record.pid) }
    }

    /// Undoes all of it, last step first: nothing is left of a container that could not be created.
    mutating func undo(_ warn: (String) -> Void) {
        watcher?.giveUp(warn)
        // Before their namespace goes, and they with it.
        if var devices = networkDevices.take() { devices.moveBack() }
        bridge?.disconnect(container: record.place(in: request.stateRoot))
        if let process = process.take() {
            try? process.signal(9)
            _ = try? waitForEnd(of: record.pid)
        }
        if resourceControlIsMade { resourceControl?.group.undo() }
        cgroup.releaseScope()
        do throws(RuntimeError) {
            if cgroupIsMade {
                try record.cgroup.killAll(9)
                try record.cgroup.remove()
            }
        } catch {
            // Then the state stays, as that of a create that was killed: it leads to what is left.
            warn("the cgroup is left behind: \(error.message); delete --force \(record.id) tries again")
            state = nil
        }
        if hooksBegan {
            for failure in hostHooks(.poststop, .stopped).runAll() { warn(failure.message) }
        }
        if let state = state.take() { try? state.remove() }
    }

    consuming func finish() throws(RuntimeError) -> CreatedContainer {
        let terminal = try console.receive()
        guard let state = state.take(), let process = process.take() else { throw unexpectedEnd() }
        state.unlock()
        return CreatedContainer(
            state: state, record: record, process: process, channel: channel, terminal: terminal,
            watcher: watcher)
    }

    // MARK: - Talking to init

    private borrowing func tell(_ message: HostMessage) throws(RuntimeError) {
        try tell { (channel) throws(SystemError) in try channel.send(message) }
    }

    private borrowing func tell(
        _ send: (borrowing HostChannel) throws(SystemError) -> Void
    ) throws(RuntimeError) {
        do throws(SystemError) {
            try send(channel)
        } catch {
            // Init has ended; why, it has said before, and that is heard later.
            guard error.errno == .brokenPipe else { throw RuntimeError("cannot talk to init", error) }
        }
    }

    private borrowing func hear(_ warn: (String) -> Void) throws(RuntimeError) -> InitMessage {
        try interruption.wait(for: channel.number, answering: watcher, warn)
        return try explain("cannot hear from init") { () throws(SystemError) in try channel.receive() }
    }

    /// The failure that init has reported and that nobody has heard yet.
    borrowing func failureOfInit() -> RuntimeError? {
        var entries = [PollEntry(channel.number, readable: true)]
        while (try? poll(&entries, milliseconds: 0)) == true, let message = try? channel.receive() {
            switch message {
            case .failed(let error): return error
            case .closed: return nil
            default: continue
            }
        }
        return nil
    }

    private borrowing func forwardListener(_ number: Int32) throws(RuntimeError) {
        let process = try explain("cannot hold init") { () throws(SystemError) in
            try FileDescriptor.process(record.pid)
        }
        if let watcher { return try watcher.attach(number, of: process) }
        guard let listener = plan.seccompListener else { return }
        let state = record.state(.creating)
        try listener.forward(
            number, from: process, pid: record.pid, specVersion: state.ociVersion, state: state.hookJSON)
    }

    private borrowing func unexpectedEnd() -> RuntimeError {
        if let denied = plan.seccomp?.firstDenied(of: ["write", "read"]) {
            return RuntimeError(
                at: "linux.seccomp",
                "the container's first process ended before it was ready, for the filter denies \(denied)",
                hint: "allow read, write, capset and execve, which start the program, or set process.noNewPrivileges")
        }
        return RuntimeError(
            "the container's first process ended before it was ready",
            hint: "it was killed, perhaps for lack of memory: see the kernel's log")
    }

    private func hostHooks(_ name: HookName, _ status: ContainerStatus) -> HookRunner {
        HookRunner(name, bundle.config.hooks, record.state(status), directory: record.bundle, bundle.config.annotations)
    }
}
