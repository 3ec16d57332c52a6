internal import LinuxSystem
internal import RuntimeSpec

/// What a mount of type `cgroup` shows: the hierarchies of the host, as the container may see them. With a cgroup
/// namespace that is its own part, with the container's cgroup as the root.
struct CgroupView: Equatable {
    let layout: CgroupLayout
    let hasOwnNamespace: Bool
    /// The container's directory in each hierarchy, for a container without a cgroup namespace.
    let cgroup: ContainerCgroup

    func mount(_ mount: PlannedMount, in root: borrowing RootDirectory) throws(SystemError) {
        let place = try root.openMaking(.directory, mount.destination)
        switch layout.kind {
        case .none: throw SystemError("mount", "the host has no cgroups", .noDevice)
        case .v2: try mountOne(layout.hierarchies[0], mount).attach(to: place, subject: mount.destination)
        case .v1, .hybrid: try mountSeparately(mount, place)
        }
    }

    /// One directory a hierarchy in a tmpfs, under the names that the host uses, and a link for every controller that
    /// shares its hierarchy with others.
    private func mountSeparately(_ mount: PlannedMount, _ place: borrowing FileDescriptor) throws(SystemError) {
        let context = try FilesystemContext(type: "tmpfs")
        try context.set(option: "mode=755")
        let tmpfs = try context.mount(mount.attributes.subtracting(.readOnly))
        // Before Linux 6.15 nothing can be mounted on what is not attached itself.
        try tmpfs.attach(to: place, subject: mount.destination)
        for hierarchy in layout.hierarchies {
            let name = hierarchy.isUnified ? "unified" : splitPath(hierarchy.mountPoint).name
            try tmpfs.descriptor.makeDirectory(name)
            try mountOne(hierarchy, mount).attach(to: tmpfs.descriptor, name)
            for controller in hierarchy.controllers where controller != name && hierarchy.controllers.count > 1 {
                try tmpfs.descriptor.makeSymbolicLink(controller, to: name)
            }
        }
        if mount.attributes.contains(.readOnly) { try tmpfs.descriptor.setMountAttributes(set: .readOnly) }
    }

    /// A new mount of the hierarchy where that shows the container's part only, else a bind mount of that part.
    private func mountOne(_ hierarchy: CgroupHierarchy, _ mount: PlannedMount) throws(SystemError) -> DetachedMount {
        if hasOwnNamespace {
            do throws(SystemError) {
                let context = try FilesystemContext(type: hierarchy.isUnified ? "cgroup2" : "cgroup")
                try context.set(source: "cgroup")
                for option in hierarchy.mountOptions { try context.set(option: option) }
                return try context.mount(mount.attributes)
            } catch {
                guard error.errno == .notPermitted || error.errno == .busy else { throw error }
            }
        }
        let detached = try ownPart(of: hierarchy)
        try detached.descriptor.setMountAttributes(set: mount.attributes)
        return detached
    }

    /// The container's cgroup; where it has none, because nobody delegated one, it stays in that of the runtime.
    private func ownPart(of hierarchy: CgroupHierarchy) throws(SystemError) -> DetachedMount {
        if let own = cgroup.directories.first(where: { $0.controllers == hierarchy.controllers }) {
            do throws(SystemError) { return try DetachedMount.clone(ofPath: own.path, recursive: false) } catch {
                guard error.errno == .noEntry else { throw error }
            }
        }
        return try DetachedMount.clone(ofPath: hierarchy.mountPoint + hierarchy.ownPath, recursive: false)
    }
}

extension CgroupHierarchy {
    /// What a mount of it is told: the controllers, or its name, which goes with "none".
    fileprivate var mountOptions: [String] {
        controllers.first?.hasPrefix("name=") == true ? ["none"] + controllers : controllers
    }
}
