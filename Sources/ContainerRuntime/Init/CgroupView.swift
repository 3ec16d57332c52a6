internal import LinuxSystem
internal import RuntimeSpec

/// What a mount of type `cgroup` shows: the hierarchies of the host, as the container may see them. With a cgroup
/// namespace that is its own part, with the container's cgroup as the root.
struct CgroupView: Equatable {
    let layout: CgroupLayout
    let hasOwnNamespace: Bool
    /// The container's directory in each hierarchy, by mount point; for a container without a cgroup namespace.
    let directories: [String: String]

    func mount(_ mount: PlannedMount, in root: borrowing RootDirectory) throws(SystemError) {
        let place = try root.openMaking(.directory, mount.destination)
        if layout.v1.isEmpty {
            guard let v2 = layout.v2 else { throw SystemError("mount", "the host has no cgroups", .noDevice) }
            return try mountOne("cgroup2", [], v2.mountPoint, mount).attach(to: place, subject: mount.destination)
        }
        try mountSeparately(mount, place)
    }

    /// One directory a hierarchy in a tmpfs, under the names that the host uses, and a link for every controller that
    /// shares its hierarchy with others.
    private func mountSeparately(_ mount: PlannedMount, _ place: borrowing FileDescriptor) throws(SystemError) {
        let context = try FilesystemContext(type: "tmpfs")
        try context.set(option: "mode=755")
        let tmpfs = try context.mount(mount.attributes.subtracting(.readOnly))
        try tmpfs.attach(to: place, subject: mount.destination)
        for hierarchy in layout.v1 {
            let name = splitPath(hierarchy.mountPoint).name
            try mountHierarchy(name, "cgroup", hierarchy.mountOptions, hierarchy.mountPoint, mount, in: tmpfs.descriptor)
            for controller in hierarchy.controllers where controller != name && hierarchy.controllers.count > 1 {
                try tmpfs.descriptor.makeSymbolicLink(controller, to: name)
            }
        }
        if let v2 = layout.v2 {
            try mountHierarchy("unified", "cgroup2", [], v2.mountPoint, mount, in: tmpfs.descriptor)
        }
        if mount.attributes.contains(.readOnly) { try tmpfs.descriptor.setMountAttributes(set: .readOnly) }
    }

    private func mountHierarchy(
        _ name: String, _ type: String, _ options: [String], _ mountPoint: String, _ mount: PlannedMount,
        in tmpfs: borrowing FileDescriptor
    ) throws(SystemError) {
        try tmpfs.makeDirectory(name)
        let place = try FileDescriptor.open(name, [.path, .directory, .noFollow], at: tmpfs.rawValue)
        try mountOne(type, options, mountPoint, mount).attach(to: place, subject: "\(mount.destination)/\(name)")
    }

    /// A new mount of the hierarchy where that shows the container's part only, else a bind mount of that part.
    private func mountOne(
        _ type: String, _ options: [String], _ mountPoint: String, _ mount: PlannedMount
    ) throws(SystemError) -> DetachedMount {
        if hasOwnNamespace {
            do throws(SystemError) {
                let context = try FilesystemContext(type: type)
                try context.set(source: "cgroup")
                for option in options { try context.set(option: option) }
                return try context.mount(mount.attributes)
            } catch {
                guard error.errno == .notPermitted || error.errno == .busy else { throw error }
            }
        }
        let detached = try DetachedMount.clone(ofPath: directories[mountPoint] ?? mountPoint, recursive: false)
        try detached.descriptor.setMountAttributes(set: mount.attributes)
        return detached
    }
}
