internal import CLinux
internal import Glibc
internal import LinuxSystem
package import RuntimeSpec

/// Where a new container goes in each hierarchy, and what is limited there. Making the value changes nothing on the
/// host, `create` does.
package struct CgroupPlan {
    /// What is going to be made. Who keeps this in the container's state before anything is made leaves no cgroup
    /// without an owner, however it ends.
    package let cgroup: ContainerCgroup
    private let layout: CgroupLayout
    private let writes: [ControlWrite]
    private let devices: DevicePolicy
    /// Who gets the v2 cgroup, if it is to change hands.
    private let owner: UInt32?
    /// Of a cgroup below the container's, into which its first process moves when it has its namespaces.
    private let delegated: String?
    /// The property of config.json that says where.
    private let configPath: String?
    /// Of the driver systemd.
    private let scope: NewScope?

    /// Whether init is to be born in the container's cgroup of the unified hierarchy. One that allows no process at all
    /// can only be entered: `pids.max` counts births, but not those who move in.
    package let bornInside: Bool

    /// - Parameter config: valid by `Config.validate()`.
    /// - Throws: when the host or the driver cannot do what `linux.cgroupsPath` and `linux.resources` ask for.
    package init(
        config: Config, id: String, driver: CgroupDriver, layout: CgroupLayout
    ) throws(RuntimeError) {
        self.layout = layout
        let resources = config.limits
        configPath = config.linux?.cgroupsPath == nil ? nil : "linux.cgroupsPath"
        // The process that keeps a scope counts too, until init is in it.
        bornInside = !(0...(driver == .systemd ? 1 : 0)).contains(resources.pids?.limit ?? -1)
        devices = try DevicePolicy(resources.devices)
        owner = Delegation.owner(config, layout)
        delegated = try Self.delegated(config, layout, driver)
        let mark = "\(id) \(currentProcessID()) \(currentTimestamp())"
        switch driver {
        case .cgroupfs:
            scope = nil
            let location = try CgroupLocation(cgroupsPath: config.linux?.cgroupsPath, id: id)
            let directories = layout.hierarchies.map { hierarchy in
                CgroupDirectory(controllers: hierarchy.controllers, path: location.path(in: hierarchy))
            }
            cgroup = ContainerCgroup(driver: driver, directories: directories, mark: mark)
            writes = try cgroup.writes(for: resources)
        case .systemd:
            let scope = try NewScope(config, id: id)
            let directories = layout.hierarchies.map { hierarchy in
                CgroupDirectory(controllers: hierarchy.controllers, path: hierarchy.mountPoint + scope.path)
            }
            cgroup = ContainerCgroup(driver: driver, directories: directories, mark: mark, scope: scope.scope)
            self.scope = scope
            writes = try cgroup.writes(for: resources)
        case .disabled:
            scope = nil
            cgroup = ContainerCgroup(driver: driver, directories: [])
            // v1 has a file for everything, so that each limit is found.
            writes = try ControlWrites.of(resources, version: { _ in .v1 })
            if let limit {
                throw RuntimeError(
                    at: limit, "cannot be applied without a cgroup", nil,
                    hint: "drop it, or do not ask for --cgroup-manager disabled")
            }
        }
        if cgroup.directory(of: "devices") != nil { _ = try DeviceList(devices) }
        // Before the container has a state: what is in its cgroup later on is its own, and may be killed.
        if let census = cgroup.census { try requireUnused(census) }
    }

    /// The first property that asks for something only a cgroup can give; device rules, which are in every engine's
    /// default configuration, do not count.
    private var limit: String? { writes.first { !$0.isDispensable }?.property }

    /// Whether a limit is to be set there.
    private func isLimited(_ directory: CgroupDirectory) -> Bool {
        writes.contains { !$0.isDispensable && cgroup.directory(limiting: $0.controller) == directory }
    }

    /// Whether init has to enter cgroups that it is not born in.
    var isEntered: Bool { cgroup.directories.contains { !($0.isUnified && bornInside) } }

    /// Whether most of the cgroups can be made while init mounts the root filesystem: those that it enters then. Only
    /// `cgroupfs` makes them one by one, and only v1 has so many that this pays.
    var restFollowsBirth: Bool { cgroup.driver == .cgroupfs && cgroup.directories.contains { !$0.isUnified } }

    /// Makes the directories and sets the limits.
    ///
    /// - Parameters:
    ///   - cgroup: the plan's, in which it is recorded what was made. When this fails, `cgroup.remove()` removes that
    ///     and nothing else.
    ///   - isRootless: the runtime has no rights on the host of its own. Where nobody delegated a hierarchy to it and no
    ///     limit is to be set in it, the container does without a cgroup there, which is recorded too.
    package func create(_ cgroup: inout ContainerCgroup, isRootless: Bool) throws(RuntimeError) {
        try createBirthplace(&cgroup, isRootless: isRootless)
        try createRest(&cgroup, isRootless: isRootless)
    }

    /// The first part of `create`: what has to be there before init is born.
    func createBirthplace(_ cgroup: inout ContainerCgroup, isRootless: Bool) throws(RuntimeError) {
        cgroup.directories = []
        cgroup.scope = nil
        if layout.kind == .none, cgroup.driver != .disabled, !isRootless || limit != nil {
            throw RuntimeError(
                at: limit, "cannot make a cgroup: no cgroup hierarchy is mounted", nil,
                hint: "mount one at /sys/fs/cgroup, or use --cgroup-manager disabled")
        }
        try startScope(&cgroup)
        if let unified = self.cgroup.unified, let hierarchy = layout.hierarchies.last {
            try make(marked: unified, in: hierarchy, &cgroup, isRootless)
        }
        if !restFollowsBirth { try makeRest(&cgroup, isRootless: isRootless) }
    }

    /// The second part of `create`.
    func createRest(_ cgroup: inout ContainerCgroup, isRootless: Bool) throws(RuntimeError) {
        if restFollowsBirth { try makeRest(&cgroup, isRootless: isRootless) }
    }

    private func makeRest(_ cgroup: inout ContainerCgroup, isRootless: Bool) throws(RuntimeError) {
        let census = self.cgroup.census
        if let census, !census.isUnified, let index = self.cgroup.directories.firstIndex(of: census) {
            try make(marked: census, in: layout.hierarchies[index], &cgroup, isRootless)
        }
        for (index, directory) in self.cgroup.directories.enumerated() where !directory.isUnified && directory != census
        {
            guard let made = try make(directory, in: layout.hierarchies[index], isRootless) else { continue }
            // The unified hierarchy stays the last one.
            cgroup.directories.insert(
                made, at: cgroup.unified == nil ? cgroup.directories.endIndex : cgroup.directories.endIndex - 1)
        }
        // Where nobody delegated that one, the next best is marked.
        if !cgroup.directories.contains(where: { $0.path == census?.path }) { cgroup.setMark() }
        try scope?.enterSubgroup(cgroup)
        try cgroup.setLimits(writes)
        try cgroup.setDevices(devices, isRootless: isRootless)
        try delegate(cgroup)
    }

    private func delegate(_ cgroup: ContainerCgroup) throws(RuntimeError) {
        guard let path = delegatedPath(in: cgroup) ?? cgroup.unified?.path else { return }
        try explain("cannot give the container its cgroup") { () throws(SystemError) in
            if delegated != nil { _ = try makeCgroups(path, below: parentPath(path)) }
            if let owner { try Delegation.give(path, to: owner) }
        }
    }

    private func delegatedPath(in cgroup: ContainerCgroup) -> String? {
        guard let delegated, let unified = cgroup.unified else { return nil }
        return "\(unified.path)/\(delegated)"
    }

    private static func delegated(
        _ config: Config, _ layout: CgroupLayout, _ driver: CgroupDriver
    ) throws(RuntimeError) -> String? {
        guard let name = try config.annotations.cgroupName(.delegatedCgroup) else { return nil }
        guard layout.kind == .v2, driver != .disabled else {
            throw RuntimeError(
                at: "annotations[\"\(Annotation.delegatedCgroup.rawValue)\"]", "needs a cgroup of version 2", nil,
                hint: "version 1 cannot be delegated safely; drop the annotation")
        }
        return name
    }

    /// Moves init on to where the container manages for itself. Its cgroup namespace, if it has one, has begun above.
    package func moveIntoDelegated(_ pid: Int32, _ cgroup: ContainerCgroup) throws(RuntimeError) {
        guard let path = delegatedPath(in: cgroup) else { return }
        try explain(
            "cannot move the container's process", at: "annotations[\"\(Annotation.delegatedCgroup.rawValue)\"]"
        ) { () throws(SystemError) in try writeControl("\(path)/cgroup.procs", "\(pid)".utf8) }
    }

    /// The container's own process is in its cgroup now, and keeps it.
    package func releaseScope() { scope?.release() }

    /// The one that is marked comes first: no cgroup is made without a mark that leads to its container.
    private func make(
        marked directory: CgroupDirectory, in hierarchy: CgroupHierarchy, _ cgroup: inout ContainerCgroup,
        _ isRootless: Bool
    ) throws(RuntimeError) {
        guard let made = try make(directory, in: hierarchy, isRootless) else { return }
        cgroup.directories.append(made)
        cgroup.setMark()
    }

    private func startScope(_ cgroup: inout ContainerCgroup) throws(RuntimeError) {
        guard let scope else { return }
        try scope.start(writes, devices: try ScopeLimits.devices(devices, self.cgroup))
        cgroup.scope = scope.scope
    }

    /// - Returns: nil where the container does without; when it fails, nothing is left of what it made.
    private func make(
        _ directory: CgroupDirectory, in hierarchy: CgroupHierarchy, _ isRootless: Bool
    ) throws(RuntimeError) -> CgroupDirectory? {
        let made: [String]
        do throws(SystemError) {
            made = try makeCgroups(directory.path, below: hierarchy.mountPoint)
        } catch {
            let isDenied = [.accessDenied, .notPermitted, .readOnly].contains(error.errno)
            if isRootless, isDenied, !isLimited(directory) { return nil }
            throw RuntimeError(
                at: configPath, "cannot make the container's cgroup", error,
                hint: isDenied ? hint(for: error.errno, hierarchy) : nil)
        }
        do throws(RuntimeError) {
            // What systemd made has a process in it already.
            if made.isEmpty, scope == nil { try requireUnused(directory) }
            if directory.controllers.contains("cpuset"), !made.isEmpty {
                try explain("cannot set up the container's cpuset", at: configPath) { () throws(SystemError) in
                    try inheritCpuset(directory.path, below: hierarchy.mountPoint)
                }
            }
        } catch {
            removeMade(made)
            throw error
        }
        var result = directory
        result.made = scope == nil ? made.count : max(made.count, 1)
        return result
    }

    private func hint(for errno: Errno, _ hierarchy: CgroupHierarchy) -> String {
        errno == .readOnly
            ? "mount \(hierarchy.mountPoint) read-write, or use --cgroup-manager disabled"
            : "delegate a cgroup to user \(geteuid()) (systemd: Delegate=yes), or use --cgroup-manager disabled"
    }

    /// A cgroup that is there already is taken only when nobody is in it and nothing would hold the container: whoever
    /// uses it would share the fate of the container without knowing (config-linux.md, Control groups).
    private func requireUnused(_ directory: CgroupDirectory) throws(RuntimeError) {
        guard (try? fileStatus(directory.path)) != nil else { return }
        let existing = ContainerCgroup(driver: cgroup.driver, directories: [directory])
        let pids = try existing.processes()
        if !pids.isEmpty {
            throw RuntimeError(
                at: configPath,
                "container's cgroup \(directory.path) is not empty: \(pids.count) process(es) found", nil,
                hint: "choose another path, or stop process \(pids[0])")
        }
        if directory.isUnified || directory.controllers.contains("freezer"), existing.isFrozen {
            throw RuntimeError(
                at: configPath, "container's cgroup \(directory.path) unexpectedly frozen",
                nil, hint: "thaw it, or choose another path")
        }
    }
}

/// `linux.cgroupsPath` taken apart.
struct CgroupLocation: Equatable {
    /// From the top of the hierarchy, not from where the runtime is.
    let isAbsolute: Bool
    /// At least one.
    let components: [String]

    init(cgroupsPath: String?, id: String) throws(RuntimeError) {
        guard let cgroupsPath else {
            isAbsolute = false
            components = [id]
            return
        }
        isAbsolute = cgroupsPath.utf8.first == UInt8(ascii: "/")
        components = pathComponents(cgroupsPath)
        if components.isEmpty || components.contains("..") {
            throw RuntimeError(
                at: "linux.cgroupsPath", "\"\(cgroupsPath)\" names no cgroup below the top of the hierarchy", nil,
                hint: "expected a path such as \"/engine/\(id)\"")
        }
    }

    /// A relative path, and the id of a container without a path, are taken from the runtime's own cgroup, so that the
    /// limits set on the runtime hold for its containers too. On v2 that is from the cgroup above, because one with
    /// processes in it can have no controllers for the cgroups below it (cgroups(7), "no internal processes").
    func path(in hierarchy: CgroupHierarchy) -> String {
        var base = hierarchy.mountPoint
        if !isAbsolute {
            let own = hierarchy.isUnified ? parentPath(hierarchy.ownPath) : hierarchy.ownPath
            if own != "/" { base += own }
        }
        return base + "/" + joinPath(components)
    }
}

/// A v1 cpuset takes no process before it has processors and memory nodes. It is born without, and gets those of the
/// cgroup above it.
private func inheritCpuset(_ path: String, below mountPoint: String) throws(SystemError) {
    for file in ["/cpuset.cpus", "/cpuset.mems"] {
        try writeControl(path + file, cpuset(file, of: parentPath(path), below: mountPoint))
    }
}

/// What `file` says in the cgroup `path`, which gets it from above as well if whoever made it left it empty.
private func cpuset(_ file: String, of path: String, below mountPoint: String) throws(SystemError) -> [UInt8] {
    let own = try readControl(path + file)
    if own.count > 1 || path == mountPoint { return own }
    let inherited = try cpuset(file, of: parentPath(path), below: mountPoint)
    try writeControl(path + file, inherited)
    return inherited
}

extension Config {
    /// `linux.resources`, where a process limit of 0 means what the writer meant: since version 1.3 of the specification
    /// no process; before, its encoders had no other way to say "not set".
    fileprivate var limits: Resources { asMeant(linux?.resources ?? Resources()) }

    /// Limits from the same writer.
    func asMeant(_ resources: Resources) -> Resources {
        var resources = resources
        if resources.pids?.limit == 0, let version = SpecVersion(ociVersion), version.minor < 3 { resources.pids = nil }
        return resources
    }
}
