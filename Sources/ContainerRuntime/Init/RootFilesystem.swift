internal import LinuxSystem
internal import RuntimeSpec

/// The container's root filesystem, from a bind mount of the bundle's directory to the root that the program sees.
///
/// After `build` everything goes through the descriptor of the root, never through its path.
struct RootFilesystem {
    private let plan: InitPlan

    init(_ plan: InitPlan) { self.plan = plan }

    /// Where in this mount namespace the root filesystem is attached: at its own path, so that hooks find it there.
    /// It is opened while this process still has the host's user; where that user may not reach the path either, the
    /// top of the tree serves as well.
    func openPlace() throws(RuntimeError) -> FileDescriptor {
        try explain("cannot open \(plan.rootfs)", at: "root.path") { () throws(SystemError) in
            do throws(SystemError) {
                return try FileDescriptor.open(plan.rootfs, .place)
            } catch {
                guard error.errno == .accessDenied, plan.namespaces.atBirth.contains(.mount) else { throw error }
                return try FileDescriptor.open("/", .place)
            }
        }
    }

    /// Mounts and devices.
    ///
    /// - Parameter beforeCgroups: called before each mount that shows cgroups
    func build(
        at place: borrowing FileDescriptor, beforeCgroups: () throws(RuntimeError) -> Void
    ) throws(RuntimeError) -> RootDirectory {
        let root = try openRoot(at: place)
        var mounts = MountSteps(plan.mountPlan)
        try mounts.run(in: root, beforeCgroups: beforeCgroups)
        if try suppliesDevices(root, binds: mounts.binds) {
            try DeviceSetup(nodes: plan.devices, inUserNamespace: plan.namespaces.hasUserNamespace).run(in: root)
        }
        return root
    }

    /// Whoever binds a directory of the host over /dev has furnished it: nothing is made there. It is found out from the
    /// mount itself, for a destination can be spelled, and be reached through links of the image, in many ways.
    private func suppliesDevices(_ root: borrowing RootDirectory, binds: [UInt64]) throws(RuntimeError) -> Bool {
        guard !binds.isEmpty else { return true }
        return try explain("cannot look at /dev") { () throws(SystemError) in
            guard let dev = try root.openIfPresent("/dev", .place) else { return true }
            return !binds.contains(try dev.mountID())
        }
    }

    private func openRoot(at place: borrowing FileDescriptor) throws(RuntimeError) -> RootDirectory {
        try explain("cannot mount the root filesystem", at: "root.path") { () throws(SystemError) in
            guard plan.ownsMounts else { return RootDirectory(try place.duplicate()) }
            if plan.namespaces.atBirth.contains(.mount) {
                // What is mounted from here on must not show up on the host.
                try setPropagation(.slave, ofEverythingBelow: "/")
            }
            let mount =
                plan.rootfsMount >= 0
                ? DetachedMount(FileDescriptor(owning: plan.rootfsMount))
                : try DetachedMount.clone(ofPath: plan.rootfs, recursive: true)
            let keepsHostEvents = [.slave, .rslave].contains(plan.linux.rootfsPropagation)
            try mount.descriptor.setMountAttributes(propagation: keepsHostEvents ? .slave : .private, recursive: true)
            try mount.attach(to: place, subject: plan.rootfs)
            return RootDirectory(mount.intoDescriptor())
        }
    }

    /// The working directory, made when it does not exist. It is opened inside the root and through no magic link, so
    /// it cannot be a directory of the host that some descriptor still stands for.
    func openWorkingDirectory(in root: borrowing RootDirectory) throws(RuntimeError) -> FileDescriptor? {
        guard let process = plan.config.process else { return nil }
        return try explain(
            "cannot open the working directory \(process.cwd)", at: "process.cwd",
            hint: "it must be a directory inside the root filesystem"
        ) { () throws(SystemError) in try root.openMaking(.directory, process.cwd) }
    }

    /// The value for HOME, where there is a process.
    func homeDirectory(in root: borrowing RootDirectory) -> String {
        guard let process = plan.config.process else { return "/" }
        return ContainerRuntime.homeDirectory(of: process, in: root)
    }

    /// Hides and protects paths, and makes the root this process's root.
    func seal(_ root: borrowing RootDirectory) throws(RuntimeError) {
        try MaskedPaths(masked: plan.linux.maskedPaths, readOnly: plan.linux.readonlyPaths).run(in: root)
        if plan.config.root?.readonly == true {
            try explain("cannot make the root filesystem read-only", at: "root.readonly") { () throws(SystemError) in
                try root.descriptor.setMountAttributes(set: .readOnly)
            }
        }
        try explain(
            "cannot change to the new root", hint: plan.noPivot ? nil : "use --no-pivot where / is an initramfs"
        ) { () throws(SystemError) in
            if !plan.namespaces.atBirth.contains(.mount) {
                // The namespace is somebody else's too: only this process's root changes.
                try enterDirectory(root.descriptor)
                try changeRoot()
            } else if plan.noPivot {
                // They would stay mounted, whole, where no path leads: enough for the kernel to let a user namespace of
                // the container mount fresh ones, without what is masked and read-only in the container's.
                try detachMounts(
                    ofTypes: ["proc", "sysfs"], outside: try hostPath(of: root.descriptor))
                try moveRoot(to: root.descriptor)
            } else {
                try pivotRoot(to: root.descriptor)
            }
        }
        try explain("cannot set the propagation of /", at: "linux.rootfsPropagation") { () throws(SystemError) in
            switch plan.linux.rootfsPropagation {
            case .shared: try root.descriptor.setMountAttributes(propagation: .shared)
            case .unbindable: try root.descriptor.setMountAttributes(propagation: .unbindable)
            case .rshared: try root.descriptor.setMountAttributes(propagation: .shared, recursive: true)
            case .runbindable: try root.descriptor.setMountAttributes(propagation: .unbindable, recursive: true)
            case .slave, .rslave, .private, .rprivate, nil: break
            }
        }
    }
}

/// The home directory that the container's /etc/passwd gives the process's user; "/" when it does not tell, or when it
/// is not asked for. The file is the image's: it may be anything.
func homeDirectory(of process: Process, in root: borrowing RootDirectory) -> String {
    guard !process.env.contains(where: { $0.hasPrefix("HOME=") && $0 != "HOME=" }),
        let place = try? root.openIfPresent("/etc/passwd"), let file = try? openRegularFile(place, "/etc/passwd"),
        let bytes = try? file.readToEnd(limit: 1 << 20), let entry = passwdEntry(process.user.uid, bytes),
        !entry.home.isEmpty
    else { return "/" }
    return entry.home
}
