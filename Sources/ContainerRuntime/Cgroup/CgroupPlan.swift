internal import CLinux
internal import Glibc
internal import LinuxSystem
package import RuntimeSpec

/// Where a new container goes in each hierarchy, and what is limited there. Making the value changes nothing on the
/// host; `create()` does.
package struct CgroupPlan: Sendable {
    /// What `create()` is going to make. A runtime that keeps this in the container's state before it calls `create()`
    /// leaves no cgroup without an owner, however it ends.
    package let cgroup: ContainerCgroup
    private let layout: CgroupLayout
    private let resources: Resources
    private let isPathGiven: Bool

    /// - Parameter config: valid by `Config.validate()`.
    /// - Throws: when the host or the driver cannot do what `linux.cgroupsPath` and `linux.resources` ask for.
    package init(
        config: Config, id: String, driver: CgroupDriver, layout: CgroupLayout
    ) throws(RuntimeError) {
        self.layout = layout
        resources = config.linux?.resources ?? Resources()
        isPathGiven = config.linux?.cgroupsPath != nil
        switch driver {
        case .cgroupfs:
            let location = try CgroupLocation(cgroupsPath: config.linux?.cgroupsPath, id: id)
            let directories = layout.hierarchies.map { hierarchy in
                CgroupDirectory(controllers: hierarchy.controllers, path: location.path(in: hierarchy))
            }
            cgroup = ContainerCgroup(driver: driver, directories: directories)
        case .disabled:
            cgroup = ContainerCgroup(driver: driver, directories: [])
            if let limit = resources.firstLimit {
                throw RuntimeError(
                    at: "linux.resources.\(limit)", "cannot be applied without a cgroup", nil,
                    hint: "drop it, or do not ask for --cgroup-manager disabled")
            }
        case .systemd:
            throw RuntimeError("the systemd cgroup manager is not available in this version; use cgroupfs")
        }
    }

    /// Makes the directories and writes the limits; when anything fails, what was made is removed again.
    ///
    /// - Parameter isRootless: the runtime has no rights on the host of its own. Where nobody delegated a hierarchy to
    ///   it and no limit is asked for, the container does without a cgroup there, which the result tells.
    package func create(isRootless: Bool = false) throws(RuntimeError) -> ContainerCgroup {
        if layout.kind == .none, cgroup.driver != .disabled, !isRootless || resources.firstLimit != nil {
            throw RuntimeError(
                "cannot make a cgroup: no cgroup hierarchy is mounted", nil,
                hint: "mount one at /sys/fs/cgroup, or use --cgroup-manager disabled")
        }
        var made = ContainerCgroup(driver: cgroup.driver, directories: [])
        do {
            for (hierarchy, directory) in zip(layout.hierarchies, cgroup.directories) {
                if let directory = try create(directory, in: hierarchy, isRootless) {
                    made.directories.append(directory)
                }
            }
        } catch {
            try? made.remove()
            throw error
        }
        return made
    }

    /// nil where the container does without.
    private func create(
        _ directory: CgroupDirectory, in hierarchy: CgroupHierarchy, _ isRootless: Bool
    ) throws(RuntimeError) -> CgroupDirectory? {
        var result = directory
        do throws(SystemError) {
            let made = try makeCgroups(directory.path, below: hierarchy.mountPoint)
            result.made = made.count
            do throws(SystemError) {
                if directory.controllers.contains("cpuset"), !made.isEmpty {
                    try inheritCpuset(directory.path, below: hierarchy.mountPoint)
                }
            } catch {
                removeMade(made)
                throw error
            }
        } catch {
            let isDenied = [.accessDenied, .notPermitted, .readOnly].contains(error.errno)
            if isRootless, isDenied, resources.firstLimit == nil { return nil }
            throw RuntimeError(
                at: isPathGiven ? "linux.cgroupsPath" : nil, "cannot make the container's cgroup", error,
                hint: isDenied ? hint(for: error.errno, hierarchy) : nil)
        }
        if result.made == 0 { try requireUnused(result) }
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
        let existing = ContainerCgroup(driver: cgroup.driver, directories: [directory])
        let pids = try existing.processes()
        if !pids.isEmpty {
            throw RuntimeError(
                at: isPathGiven ? "linux.cgroupsPath" : nil,
                "container's cgroup \(directory.path) is not empty: \(pids.count) process(es) found", nil,
                hint: "choose another path, or stop process \(pids[0])")
        }
        if directory.isUnified || directory.controllers.contains("freezer"), existing.isFrozen {
            throw RuntimeError(
                at: isPathGiven ? "linux.cgroupsPath" : nil, "container's cgroup \(directory.path) unexpectedly frozen",
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
        components = cgroupsPath.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }.filter {
            $0 != "."
        }
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
        return base + "/" + components.joined(separator: "/")
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

extension Resources {
    /// The first thing asked for that only a cgroup can give, as a path below `linux.resources`; nil when there is
    /// nothing but device rules, which every engine's default has.
    var firstLimit: String? {
        if let memory, memory != Memory(disableOOMKiller: memory.disableOOMKiller == true ? true : nil) {
            return "memory"
        }
        if let cpu, cpu != CPU() { return "cpu" }
        if let limit = pids?.limit, limit >= 0 { return "pids" }
        if let blockIO, blockIO.hasLimits { return "blockIO" }
        if !hugepageLimits.isEmpty { return "hugepageLimits" }
        if let network, network != Network() { return "network" }
        if !rdma.isEmpty { return "rdma" }
        return unified.isEmpty ? nil : "unified"
    }
}

extension BlockIO {
    fileprivate var hasLimits: Bool {
        (weight ?? 0) != 0 || (leafWeight ?? 0) != 0 || !weightDevice.isEmpty || !throttleReadBpsDevice.isEmpty
            || !throttleWriteBpsDevice.isEmpty || !throttleReadIOPSDevice.isEmpty || !throttleWriteIOPSDevice.isEmpty
    }
}
