internal import LinuxSystem
internal import RuntimeSpec

/// `restore`: makes a container whose processes go on where a checkpoint left them. The bundle says what the container
/// is; the images say what runs in it.
package enum RestoreContainer {
    /// - Parameters:
    ///   - request: as for `run`
    ///   - started: called when the processes run and this one stays with them
    /// - Returns: the exit status of the container's first process, or 0 when detached
    package static func run(
        _ request: CreateRequest, _ options: CriuOptions, keep: Bool, reaper: Bool, started: () -> Void,
        _ warn: (String) -> Void
    ) throws(RuntimeError) -> Int32 {
        let before = request.detached ? nil : blockSignals()
        defer { if let before { setBlockedSignals(before) } }
        if !request.detached, reaper {
            try explain("cannot become a subreaper") { () throws(SystemError) in try becomeSubreaper() }
        }
        var host = try RestoreHost(request, options)
        do throws(RuntimeError) {
            try host.makeState()
            try host.makeCgroup()
            try host.makeMountPoints()
            try host.restore()
            try host.publish()
        } catch {
            host.undo(warn)
            throw error
        }
        if request.detached { return 0 }
        started()
        return try host.stay(keep: keep, warn)
    }
}

/// The steps of a restore, in the order `RestoreContainer` calls them.
struct RestoreHost: ~Copyable {
    private let request: CreateRequest
    private let options: CriuOptions
    private let bundle: Bundle
    private let cgroup: CgroupPlan
    private let directories: CriuDirectories
    private var record: ContainerRecord
    private var state: StateDirectory?
    private var terminal: FileDescriptor?
    private var cgroupIsMade = false

    init(_ request: CreateRequest, _ options: CriuOptions) throws(RuntimeError) {
        try request.inherited.check()
        let bundle = try Bundle(request)
        let cgroup = try HostSide.planCgroup(bundle.config, request, try CgroupLayout.detect())
        let directories = try CriuDirectories(options, making: false)
        self.cgroup = cgroup
        self.directories = directories
        record = ContainerRecord(bundle, request, cgroup.cgroup)
        self.request = request
        self.options = options
        self.bundle = bundle
    }

    mutating func makeState() throws(RuntimeError) {
        let directory = try request.stateRoot.create(request.id)
        do throws(RuntimeError) {
            try directory.writeRecord(record, first: true)
            try directory.writeConfig(bundle.text)
            try directory.writeExecPattern(ExecPattern(bundle.config, nil))
        } catch {
            state = consume directory
            throw error
        }
        state = consume directory
    }

    mutating func makeCgroup() throws(RuntimeError) {
        cgroupIsMade = true
        try cgroup.create(&record.cgroup, isRootless: request.rootless)
        let before = record.cgroup.directories.first { $0.made == 0 }
        if options.cgroupMode == .strict, let before {
            throw RuntimeError(
                at: "linux.cgroupsPath", "the cgroup \(before.path) is there already", nil,
                hint: "--manage-cgroups-mode strict wants a new one: remove it, or use full")
        }
    }

    /// In a root filesystem that was not the checkpoint's, the places may be missing where something is to be mounted.
    func makeMountPoints() throws(RuntimeError) {
        let root = RootDirectory(
            try explain("cannot open \(record.rootfs)", at: "root.path") { () throws(SystemError) in
                try FileDescriptor.open(record.rootfs, .place)
            })
        let external = ExternalMount.expected(bundle.config, record)
        var covered: [String] = []
        for mount in bundle.config.mounts {
            // What lies in another mount is made by criu, in that one.
            defer { covered.append(mount.destination + "/") }
            if covered.contains(where: { mount.destination.hasPrefix($0) }) { continue }
            let source = external.first { $0.key == mount.destination }?.value
            let isFile = source.flatMap { (try? fileStatus($0)) ?? nil }.map { !$0.isDirectory } ?? false
            try explain("cannot make the place of \(mount.destination)", at: "mounts") { () throws(SystemError) in
                _ = try root.openMaking(isFile ? .file : .directory, mount.destination)
            }
        }
    }

    /// Criu runs in the container's cgroup.
    mutating func restore() throws(RuntimeError) {
        var options = options
        // That the cgroups are new was seen to: in criu's eyes they are there, because it runs in them.
        if options.cgroupMode == .strict { options.cgroupMode = .full }
        var call = CriuCall(
            task: .restore, options: options, images: directories.images.rawValue, work: directories.work.number)
        call.externalMounts = ExternalMount.expected(bundle.config, record)
        call.inherited = try StandardStreams(in: directories.images).inherited
        if !request.rootless, let root = MappedRoot(bundle.config) {
            try explain("cannot let the container's root read the images") { () throws(SystemError) in
                try root.giveImages(directories.images)
            }
            root.giveStreams(call.inherited.map(\.descriptor))
        }
        call.configFile = CriuDirectories.configFile(bundle.config)
        var shared: [Int32] = []
        defer { for number in shared { closeDescriptor(number) } }
        for namespace in try ExternalNamespace.list(bundle.config) {
            let file = try explain("cannot open the namespace", at: "linux.namespaces") { () throws(SystemError) in
                try FileDescriptor.open(namespace.path, .readOnly).release()
            }
            shared.append(file)
            call.inherited.append((namespace.name, file))
        }
        let entrance = try record.cgroup.openEntrance(birth: cgroup.bornInside)
        let kept = [call.images, call.work, options.statusFD].compactMap { $0 } + shared
        var criu = try Criu(cgroup: entrance.birthCgroup, keeping: kept) { () throws(RuntimeError) in
            try explain("cannot enter the container's cgroup") { () throws(SystemError) in try entrance.enter() }
        }
        do throws(RuntimeError) {
            call.root = try state?.mountCriuRoot(record.rootfs)
            call.cgroupRoots = try criu.cgroups()
            let pid = try criu.call(call) { (name, pid, file) throws(RuntimeError) in
                try reach(name, pid: pid, file)
            }
            if let pid { record.pid = pid }
        } catch {
            criu.end()
            try? state?.unmountCriuRoot()
            throw error
        }
        criu.end()
        try explain("cannot unmount what criu has restored from") { () throws(SystemError) in
            try state?.unmountCriuRoot()
        }
    }

    private mutating func reach(
        _ moment: String, pid: Int32?, _ file: consuming FileDescriptor?
    ) throws(RuntimeError) {
        switch moment {
        case "setup-namespaces":
            if let pid { record.pid = pid }
            for name in [HookName.prestart, .createRuntime] {
                try HookRunner(
                    name, bundle.config.hooks, record.state(.creating), directory: record.bundle,
                    bundle.config.annotations
                ).run()
            }
        case "post-restore":
            if let pid { record.pid = pid }
        case "orphan-pts-master":
            guard let path = request.consoleSocket else {
                terminal = file
                return
            }
            guard let file else { return }
            try explain("--console-socket", hint: "somebody must listen at this unix socket") {
                () throws(SystemError) in
                let socket = try connectUnixSocket(path)
                try sendDescriptor(file.rawValue, over: socket.rawValue, name: "/dev/ptmx")
            }
        default: break
        }
    }

    /// From here on other commands see a running container.
    mutating func publish() throws(RuntimeError) {
        guard record.pid > 0 else { throw RuntimeError("criu did not say which process it has restored") }
        // One that has ended meanwhile is a stopped container, as it would be a moment later.
        record.processStartTime = processStartTime(record.pid) ?? 0
        try state?.writeRecord(record)
        if record.hasPoststartHooks { try runPoststartHooks(record, bundle.config) }
        if let path = request.pidFile { try writePIDFile(path, record.pid) }
        state?.unlock()
    }

    mutating func undo(_ warn: (String) -> Void) {
        do throws(RuntimeError) {
            if cgroupIsMade {
                try record.cgroup.killAll(9)
                try record.cgroup.remove()
            }
        } catch {
            warn("the cgroup is left behind: \(error.message)")
        }
        if let state = state.take() { try? state.remove() }
    }

    /// Until the first process has ended.
    mutating func stay(keep: Bool, _ warn: (String) -> Void) throws(RuntimeError) -> Int32 {
        let process = try explain("container not running") { () throws(SystemError) in
            try FileDescriptor.process(record.pid)
        }
        let terminal = terminal.take()
        if let number = terminal.number, isTerminal(0) { copyTerminalSize(from: 0, to: number) }
        var foreground = try Foreground(process: process.rawValue, pid: record.pid, terminal: terminal.number)
        let end = try foreground.stay()
        if !keep, let state = state.take() { DestroyContainer.runOrWarn(state, record, warn) }
        return end.shellStatus
    }
}

extension StateDirectory {
    private static let criuRootName = "criu-root"

    /// Criu wants a mount as the root of what it restores, in the mount namespace that it shares with whoever gave it its
    /// directories. It is made here, where only this user can look, and is gone when the restore is over.
    borrowing func mountCriuRoot(_ rootfs: String) throws(RuntimeError) -> String {
        try explain("cannot mount the root filesystem for criu", at: "root.path") { () throws(SystemError) in
            let mount = try DetachedMount.clone(ofPath: rootfs, recursive: true)
            try mount.descriptor.setMountAttributes(propagation: .private, recursive: true)
            try descriptor.makeDirectory(Self.criuRootName, mode: 0o700)
            try mount.attach(to: descriptor, Self.criuRootName)
        }
        return "\(path)/\(Self.criuRootName)"
    }

    borrowing func unmountCriuRoot() throws(SystemError) {
        try detachMount("\(path)/\(Self.criuRootName)", followLinks: false)
        try descriptor.remove(Self.criuRootName, directory: true)
    }
}
