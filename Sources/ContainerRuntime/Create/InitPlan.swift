internal import LinuxSystem
internal import RuntimeSpec

/// All that init has to know, worked out before anything is made. It is a value: nothing in it has happened yet. The
/// descriptors in it are opened by the host side and inherited by init under the same numbers.
struct InitPlan {
    let config: Config
    let linux: Linux
    let record: ContainerRecord
    /// The absolute path of the root filesystem on the host.
    var rootfs: String { record.rootfs }

    let namespaces: NamespacePlan
    let timeOffsets: [TimeOffset]
    private(set) var mounts: [PlannedMount]
    let devices: [DeviceNode]
    let cgroupView: CgroupView
    let credentials: CredentialPlan?
    let seccomp: SeccompFilter?
    let seccompListener: SeccompListener?
    let settings: ProcessSettings?
    let labels: SecurityLabels
    let newKeyring: Bool
    let noPivot: Bool
    let inherited: InheritedDescriptors

    /// A detached bind mount of the root filesystem, or -1: then init makes it itself.
    var rootfsMount: Int32 = -1
    /// For each mount a detached bind mount, or -1.
    var bindSources: [Int32] = []
    var console: ConsoleSetup?
    var startSignal = StartSignal.channel
    /// Whether the host side makes cgroups that init has to enter.
    var awaitsCgroup = false

    /// Whether the container has a mount namespace other than the runtime's.
    var ownsMounts: Bool { namespaces.atBirth.contains(.mount) || namespaces.joins(.mount) }

    /// Whether the program can send readiness messages.
    private(set) var hasNotifySocket = false

    var mountPlan: MountPlan {
        MountPlan(mounts: mounts, sources: bindSources, linux: linux, labels: labels, cgroupView: cgroupView)
    }

    /// nil for a container without a process, which cannot be started.
    var program: ProgramPlan? {
        guard let process = config.process, let credentials, let settings else { return nil }
        return ProgramPlan(
            process: process, credentials: credentials, seccomp: seccomp, settings: settings,
            listenDescriptors: inherited.listening, hasNotifySocket: hasNotifySocket,
            endsWithCaller: record.caller != nil)
    }

    /// The last mount: the directory in which the socket for readiness messages appears.
    mutating func addNotifySocket(stateDirectory: String) throws(RuntimeError) {
        mounts.append(try PlannedMount(NotifySocket.mount(from: stateDirectory), index: mounts.count, bundle: ""))
        hasNotifySocket = true
    }

    /// Whether the host side has to know when the hooks of `create` begin.
    var createHooksFollow: Bool {
        !config.hooks.prestart.isEmpty || !config.hooks.createRuntime.isEmpty || !config.hooks.createContainer.isEmpty
    }

    init(
        _ config: Config, _ record: ContainerRecord, _ request: CreateRequest, _ layout: CgroupLayout,
        warnings: inout [String]
    ) throws(RuntimeError) {
        self.config = config
        self.record = record
        linux = config.linux ?? Linux()
        namespaces = NamespacePlan(linux.namespaces)
        timeOffsets = linux.timeOffsets.isEmpty ? try config.annotations.timeOffsets() : linux.timeOffsets
        mounts = try Self.mounts(config, bundle: record.bundle)
        devices = DeviceNode.standard + (try Self.devices(linux.devices))
        cgroupView = CgroupView(layout: layout, hasOwnNamespace: namespaces.newCgroup, cgroup: record.cgroup)
        (seccomp, seccompListener) = try Self.filter(config, request, &warnings)
        let inUserNamespace = namespaces.hasUserNamespace
        let hasFilter = seccomp != nil
        credentials = try config.process.map { (process) throws(RuntimeError) in
            try CredentialPlan(
                process, hasFilter: hasFilter, inUserNamespace: inUserNamespace, isRootless: request.rootless,
                annotations: config.annotations, warnings: &warnings)
        }
        let (personality, memoryPolicy) = (linux.personality, linux.memoryPolicy)
        settings = config.process.map { ProcessSettings($0, personality: personality, memoryPolicy: memoryPolicy) }
        labels = try SecurityLabels(config.process, mountLabel: linux.mountLabel, annotations: config.annotations)
        newKeyring = request.newKeyring
        noPivot = request.noPivot
        inherited = request.inherited
        try checkMountNamespace()
        if noPivot, namespaces.hasUserNamespace {
            throw RuntimeError(
                "--no-pivot: not in a user namespace, where the host's /proc could not be taken away",
                hint: "use a root filesystem that can be pivoted to, or a container without linux.uidMappings")
        }
    }

    /// The filter to be loaded, and who listens to it beside this process.
    private static func filter(
        _ config: Config, _ request: CreateRequest, _ warnings: inout [String]
    ) throws(RuntimeError) -> (SeccompFilter?, SeccompListener?) {
        let profile = config.linux?.seccomp
        switch request.seccompWatch {
        case .record:
            if profile != nil {
                warnings.append(
                    "linux.seccomp of config.json is not in force: everything is allowed while it is recorded")
            }
            return (.askingAlways, nil)
        case .explain: return (try .explaining(profile, request.seccompCache), nil)
        case nil:
            let filter = try ContainerFilter(config, cache: request.seccompCache)
            return (filter.filter, filter.listener)
        }
    }

    private static func mounts(_ config: Config, bundle: String) throws(RuntimeError) -> [PlannedMount] {
        var planned: [PlannedMount] = []
        let replaced = config.annotations[.systemdHierarchy]
        for (index, mount) in config.mounts.enumerated() {
            planned.append(
                mount.destination == replaced
                    ? try PlannedMount(systemdHierarchyInsteadOf: mount, index: index)
                    : try PlannedMount(mount, index: index, bundle: bundle))
        }
        if let replaced, !config.mounts.contains(where: { $0.destination == replaced }) {
            throw RuntimeError(
                at: "annotations[\"\(Annotation.systemdHierarchy.rawValue)\"]", "nothing is mounted to \"\(replaced)\"",
                hint: "expected the destination of one of mounts, such as /sys/fs/cgroup")
        }
        return planned
    }

    private static func devices(_ devices: [Device]) throws(RuntimeError) -> [DeviceNode] {
        var nodes: [DeviceNode] = []
        for (index, device) in devices.enumerated() {
            nodes.append(try DeviceNode(device, at: "linux.devices[\(index)]"))
        }
        // A configured device takes the place of the default one of the same path.
        return nodes
    }

    /// Without a mount namespace of its own a container would change the host's mounts for good.
    private func checkMountNamespace() throws(RuntimeError) {
        guard !ownsMounts else { return }
        let needing: String? =
            !mounts.isEmpty
            ? "mounts"
            : !linux.maskedPaths.isEmpty
                ? "linux.maskedPaths"
                : !linux.readonlyPaths.isEmpty
                    ? "linux.readonlyPaths"
                    : config.root?.readonly == true
                        ? "root.readonly" : linux.rootfsPropagation != nil ? "linux.rootfsPropagation" : nil
        if let needing {
            throw RuntimeError(
                at: needing, "it needs a mount namespace of the container's own",
                hint: "add {\"type\": \"mount\"} to linux.namespaces")
        }
    }
}
