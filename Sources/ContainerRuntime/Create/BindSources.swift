internal import LinuxSystem
internal import RuntimeSpec

/// The detached mounts that the host side opens for init: the root filesystem and the sources of bind mounts. Their
/// paths are paths of the runtime's namespace, and a user namespace's root may not reach them; and a source that is
/// missing is found before anything was made.
struct BindSources: ~Copyable {
    private(set) var rootfs: Int32 = -1
    /// For each mount a descriptor, or -1 where there is nothing to open here.
    private(set) var mounts: [Int32] = []

    /// - Parameter mayMount: whether this process may clone mounts; else init does it in its own namespaces
    init(_ plan: borrowing InitPlan, mayMount: Bool) throws(RuntimeError) {
        mounts = Array(repeating: -1, count: plan.mounts.count)
        guard plan.ownsMounts, mayMount else { return }
        do throws(SystemError) {
            rootfs = try DetachedMount.clone(ofPath: plan.rootfs, recursive: true).release()
        } catch {
            // Root of a user namespace need not be that of the mount namespace it is in.
            if error.errno == .notPermitted, plan.namespaces.atBirth.isSuperset(of: [.user, .mount]) { return }
            throw RuntimeError(at: "root.path", "cannot open the root filesystem", error)
        }
        for (index, mount) in plan.mounts.enumerated() where mount.content.isBind {
            do throws(SystemError) {
                mounts[index] = try openBindSource(mount, plan.linux).release()
            } catch {
                throw explainBindSource(mount, error)
            }
        }
    }

    /// One more, of a mount that was added when the state directory was made.
    mutating func open(_ mount: PlannedMount, _ linux: Linux) throws(RuntimeError) {
        do throws(SystemError) {
            mounts.append(rootfs >= 0 ? try openBindSource(mount, linux).release() : -1)
        } catch {
            throw explainBindSource(mount, error)
        }
    }

    deinit { Self.close(mounts + [rootfs]) }

    /// Init has inherited them.
    mutating func close() {
        Self.close(mounts + [rootfs])
        mounts = []
        rootfs = -1
    }

    private static func close(_ descriptors: [Int32]) {
        for descriptor in descriptors where descriptor >= 0 { closeDescriptor(descriptor) }
    }
}

/// A complete bind mount, attached nowhere: its attributes and its id mapping are set.
func openBindSource(_ mount: PlannedMount, _ linux: Linux) throws(SystemError) -> DetachedMount {
    let source = mount.content.source
    let options = mount.options
    let detached = try DetachedMount.clone(
        ofPath: source, recursive: options.bind == .recursive, followLinks: !options.sourceNoFollow)
    for (change, recursive) in [(options.attributes, false), (options.recursiveAttributes, true)]
    where !change.isEmpty {
        try detached.descriptor.setMountAttributes(
            set: MountAttributes(rawValue: change.set), clear: MountAttributes(rawValue: change.clear),
            recursive: recursive, subject: source)
    }
    // Engines without privilege bind the host's /sys read-only. That would reach the top only, and the control groups
    // below it may be delegated to the very user that the container's root is (CVE-2023-25809).
    if options.bind == .recursive, options.attributes.sets(.readonly), let path = try? absolutePath(source),
        path == "/sys" || path.hasPrefix("/sys/")
    {
        try detached.descriptor.setMountAttributes(set: .readOnly, recursive: true, subject: source)
    }
    // A clone hears of mounts below the source on the host, and the host of those in the container. Only who asks for
    // it keeps that.
    if !options.propagation.contains(where: { $0.kind == .shared }) {
        let quiet: MountPropagation = options.propagation.isEmpty ? .private : .slave
        try detached.descriptor.setMountAttributes(propagation: quiet, recursive: true, subject: source)
    }
    if mount.wantsIDMapping {
        guard let mappings = mount.mappings(container: linux) else {
            throw SystemError("mount_setattr", "\(source): the ids are not mapped in the container", .invalid)
        }
        let namespace = try makeUserNamespace(uidMap: idMapText(mappings.uid), gidMap: idMapText(mappings.gid))
        try detached.descriptor.setMountAttributes(
            recursive: options.idmap?.recursive ?? false, idMap: namespace.rawValue, subject: source)
    }
    return detached
}

func explainBindSource(_ mount: PlannedMount, _ error: SystemError) -> RuntimeError {
    let hint: String? =
        switch error.errno {
        case .noEntry: "the source must exist on the host"
        case .invalid where mount.wantsIDMapping: "the filesystem of the source does not support id-mapped mounts"
        default: nil
        }
    return RuntimeError(
        at: "\(mount.configPath).source", "cannot bind \(mount.content.source) to \(mount.destination)", error,
        hint: hint)
}

/// Mappings as the kernel reads them: "first inside, first outside, count" (user_namespaces(7)).
func idMapText(_ mappings: [IDMapping]) -> String {
    mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
}

/// A user namespace that nobody lives in, for its mappings: a child makes it and ends once the namespace is held.
private func makeUserNamespace(uidMap: String, gidMap: String) throws(SystemError) -> FileDescriptor {
    let hold = try Pipe()
    switch try clone(.user) {
    case .child:
        // Waits for the end of the pipe, which comes when the parent is done, or dead.
        let reader = hold.reader()
        _ = try? reader.read(upTo: 1)
        exitNow(0)
    case .parent(let child):
        let writer = hold.writer()
        do throws(SystemError) {
            let process = "/proc/\(child.pid)"
            try writeFile("\(process)/uid_map", uidMap)
            try writeFile("\(process)/gid_map", gidMap)
            let namespace = try FileDescriptor.open("\(process)/ns/user", .readOnly)
            closeNow(writer)
            try waitForEnd(of: child.pid)
            return namespace
        } catch {
            try? child.pidfd.signal(9)
            _ = try? waitForEnd(of: child.pid)
            throw error
        }
    }
}
