internal import LinuxSystem
internal import RuntimeSpec

/// What is mounted: a value, but for the descriptors in it.
struct MountPlan {
    let mounts: [PlannedMount]
    /// For each mount a detached bind mount, or -1: then it is made here.
    let sources: [Int32]
    let linux: Linux
    let labels: SecurityLabels
    let cgroupView: CgroupView
}

/// Puts the planned mounts into the root filesystem, in their order.
///
/// Every mount is complete before it is attached, every place is opened once, inside the root, and attached to by its
/// descriptor: a link that changes meanwhile cannot send a mount elsewhere.
struct MountSteps {
    private let plan: MountPlan
    /// Which mounts were made here, by id (statx(2), STATX_MNT_ID): of bind mounts always, of others where a later entry
    /// is a remount.
    private(set) var binds: [UInt64] = []
    private var filesystems: [UInt64] = []
    private let remembersFilesystems: Bool

    init(_ plan: MountPlan) {
        self.plan = plan
        remembersFilesystems = plan.mounts.contains { $0.content == .remount }
    }

    mutating func run(
        in root: borrowing RootDirectory, beforeCgroups: () throws(RuntimeError) -> Void = {}
    ) throws(RuntimeError) {
        for (mount, source) in zip(plan.mounts, plan.sources) {
            if mount.content.showsCgroups { try beforeCgroups() }
            do throws(SystemError) {
                try perform(mount, source, in: root)
            } catch {
                throw explainMount(mount, error)
            }
        }
    }

    private mutating func perform(
        _ mount: PlannedMount, _ source: Int32, in root: borrowing RootDirectory
    ) throws(SystemError) {
        switch mount.content {
        case .bind: try attachBind(mount, source, in: root)
        case .filesystem(let type, let source): try mountFilesystem(mount, type, source, in: root)
        case .cgroup: try plan.cgroupView.mount(mount, in: root)
        case .remount: try remount(mount, in: root)
        }
    }

    private mutating func attachBind(
        _ mount: PlannedMount, _ source: Int32, in root: borrowing RootDirectory
    ) throws(SystemError) {
        if mount.options.copySymlink, try copyLink(mount, in: root) { return }
        let detached =
            source >= 0 ? DetachedMount(FileDescriptor(owning: source)) : try openBindSource(mount, plan.linux)
        let kind: RootDirectory.Kind = try detached.descriptor.status().isDirectory ? .directory : .file
        let place = try openPlace(mount, kind, in: root)
        try refuseInsideProc(mount, place)
        try detached.attach(to: place, subject: mount.destination)
        try setPropagation(mount, detached.descriptor)
        binds.append(try detached.descriptor.mountID())
    }

    private mutating func mountFilesystem(
        _ mount: PlannedMount, _ type: String, _ source: String, in root: borrowing RootDirectory
    ) throws(SystemError) {
        // An image's link in the place of /proc or /sys would show another directory under these names.
        let place = try openPlace(mount, .directory, in: root, noLinks: type == "proc" || type == "sysfs")
        if type != "proc" { try refuseInsideProc(mount, place) }
        if mount.needsLegacyMount {
            var data = mount.options.dataText
            if let label = plan.labels.mountOption(forType: type, quoted: true) {
                data += data.isEmpty ? label : ",\(label)"
            }
            try mountLegacy(
                type: type, source: source, on: place, flags: mount.options.mountFlags, data: data)
            let mounted = try openPlace(mount, .directory, in: root)
            if remembersFilesystems { filesystems.append(try mounted.mountID()) }
            return try setPropagation(mount, mounted)
        }
        let context = try FilesystemContext(type: type)
        if !source.isEmpty { try context.set(source: source) }
        for option in mount.filesystemOptions() { try context.set(option: option) }
        if let label = plan.labels.mountOption(forType: type) { try context.set(option: label) }
        let detached = try context.mount(mount.attributes)
        if mount.options.tmpcopyup { try copyUp(place, detached.descriptor, readOnly: mount.attributes) }
        try detached.attach(to: place, subject: mount.destination)
        if remembersFilesystems { filesystems.append(try detached.descriptor.mountID()) }
        if !mount.options.recursiveAttributes.isEmpty {
            try change(detached.descriptor, mount.options.recursiveAttributes, recursive: true)
        }
        try setPropagation(mount, detached.descriptor)
    }

    /// Only what an earlier entry mounted: a link of the image could lead to the root filesystem, whose superblock is the
    /// host's.
    private func remount(_ mount: PlannedMount, in root: borrowing RootDirectory) throws(SystemError) {
        let place = try root.open(mount.destination)
        let id = try place.mountID()
        guard filesystems.contains(id) || binds.contains(id) else {
            throw SystemError("mount_setattr", "\(mount.destination) is not mounted by an earlier entry", .invalid)
        }
        // Together with bind it is about this mount only, else about the filesystem as well (mount(2), MS_REMOUNT).
        let words = mount.filesystemOptions(changing: true).filter { !$0.isEmpty }
        if mount.options.bind == .no, !words.isEmpty, !binds.contains(id) {
            let context = try FilesystemContext(reconfiguring: place)
            for word in words { try context.set(option: word) }
            try context.reconfigure()
        }
        try change(place, mount.options.attributes, recursive: false)
        try change(place, mount.options.recursiveAttributes, recursive: true)
        try setPropagation(mount, place)
    }

    private func openPlace(
        _ mount: PlannedMount, _ kind: RootDirectory.Kind, in root: borrowing RootDirectory, noLinks: Bool = false
    ) throws(SystemError) -> FileDescriptor {
        if mount.options.destinationNoFollow {
            let (directory, name) = splitPath(mount.destination)
            let parent = try root.openMaking(.directory, directory)
            if try fileStatus(name, at: parent.rawValue, followLinks: false)?.kind == .symbolicLink {
                return try FileDescriptor.open(name, .entry, at: parent.rawValue)
            }
        }
        return try root.openMaking(kind, mount.destination, noLinks ? .noLinks : .none)
    }

    /// What is written to /proc (labels, kernel parameters) must reach the kernel: nothing may be mounted there except
    /// over the few files that show the state of the machine, whatever links led to the place.
    private func refuseInsideProc(_ mount: PlannedMount, _ place: borrowing FileDescriptor) throws(SystemError) {
        guard try place.filesystemMagic() == procfsMagic, !coverableProcFiles.contains(mount.destination) else {
            return
        }
        throw SystemError("move_mount", "\(mount.destination) is inside /proc", .notPermitted)
    }

    private func change(
        _ place: borrowing FileDescriptor, _ change: MountAttributeChange, recursive: Bool
    ) throws(SystemError) {
        guard !change.isEmpty else { return }
        try place.setMountAttributes(
            set: MountAttributes(rawValue: change.set), clear: MountAttributes(rawValue: change.clear),
            recursive: recursive)
    }

    /// Only an attached mount has a propagation.
    private func setPropagation(_ mount: PlannedMount, _ place: borrowing FileDescriptor) throws(SystemError) {
        for change in mount.options.propagation {
            try place.setMountAttributes(
                propagation: change.linux, recursive: change.recursive, subject: mount.destination)
        }
    }

    /// crun's `copy-symlink`: a source that is a link is made anew at the destination. False when it is none.
    private func copyLink(_ mount: PlannedMount, in root: borrowing RootDirectory) throws(SystemError) -> Bool {
        guard try fileStatus(mount.content.source, followLinks: false)?.kind == .symbolicLink else { return false }
        let (sourceDirectory, sourceName) = splitPath(mount.content.source)
        let target = try readLink(sourceName, at: try FileDescriptor.open(sourceDirectory, .place))
        let (directory, name) = splitPath(mount.destination)
        let parent = try root.openMaking(.directory, directory)
        do throws(SystemError) {
            try parent.makeSymbolicLink(name, to: target)
        } catch {
            guard error.errno == .exists, (try? readLink(name, at: parent)) == target else { throw error }
        }
        return true
    }

    /// `tmpcopyup`: the new tmpfs begins with what it is going to hide.
    private func copyUp(
        _ place: borrowing FileDescriptor, _ mount: borrowing FileDescriptor, readOnly attributes: MountAttributes
    ) throws(SystemError) {
        if attributes.contains(.readOnly) { try mount.setMountAttributes(clear: .readOnly) }
        try copyTree(from: place, to: mount)
        if attributes.contains(.readOnly) { try mount.setMountAttributes(set: .readOnly) }
    }
}

/// Files that lxcfs and its like replace.
private let coverableProcFiles: [String] = [
    "/proc/cpuinfo", "/proc/diskstats", "/proc/meminfo", "/proc/stat", "/proc/swaps", "/proc/uptime", "/proc/loadavg",
    "/proc/slabinfo", "/proc/net/dev", "/proc/sys/kernel/ns_last_pid", "/proc/sys/crypto/fips_enabled",
]

private func explainMount(_ mount: PlannedMount, _ error: SystemError) -> RuntimeError {
    let what: String =
        switch mount.content {
        case .bind(let source): "cannot mount \(source) to \(mount.destination)"
        case .filesystem(let type, _): "cannot mount \(type) to \(mount.destination)"
        case .cgroup: "cannot mount the cgroups to \(mount.destination)"
        case .remount: "cannot remount \(mount.destination)"
        }
    let hint: String? =
        switch error.errno {
        case .loop where error.call == "openat2":
            "\(mount.destination) must be mounted on ordinary directory, and the root filesystem has a link there"
        case .noDevice where error.call == "fsopen": "the kernel does not know this filesystem, see /proc/filesystems"
        case .readOnly: "the mount point does not exist and cannot be made in a read-only filesystem"
        case .notDirectory: "the source and the mount point must both be directories, or both not"
        case .notPermitted where mount.content.isFilesystem:
            "in a user namespace a filesystem can be mounted only if the kernel allows it there, and only with the "
                + "namespace it belongs to"
        default: nil
        }
    return RuntimeError(at: mount.configPath, what, error, hint: hint)
}
