internal import LinuxSystem
internal import RuntimeSpec

/// What is being attached to a bundle, and its record.
final class Attachment {
    let bundle: Int32
    let path: String
    var record = AttachmentRecord()

    /// One filesystem of the image and where in the root filesystem it belongs ("/" first).
    struct Layer {
        let mountPoint: String
        let mounted: MountedVolume
        let subvolume: String?
    }

    /// Files of the bundle that are there for a moment.
    static let temporaryFiles = [".\(AttachmentRecord.name)", ScratchImage.name]

    init(_ bundle: Int32, _ path: String) {
        self.bundle = bundle
        self.path = path
    }

    func save() throws(BundleError) {
        let (bundle, text) = (bundle, record.json.bytes())
        try explain("\(path): cannot write \(AttachmentRecord.name)") { () throws(SystemError) in
            let name = ".\(AttachmentRecord.name)"
            let file = try FileDescriptor.open(
                name, [.writeOnly, .create, .truncate, .noFollow], mode: 0o600, at: bundle)
            try file.write(text)
            try renameEntry(name, to: AttachmentRecord.name, in: bundle)
        }
    }

    /// The daemon, as soon as it is there.
    func adopt(_ pid: Int32) throws(BundleError) {
        record.helper = ProcessMark(pid)
        record.cgroups = HelperCgroup.paths(name: "swrun-image-\(pid)")
        try save()
        record.cgroups = HelperCgroup.make(record.cgroups, for: pid)
        // A container without it cannot read its files: let others go first when memory ends. Not everybody may ask.
        try? writeFile("/proc/\(pid)/oom_score_adj", "-900")
        try save()
    }

    /// The daemon has ended, and another is going to take its place.
    func disown() throws(BundleError) {
        HelperCgroup.remove(record.cgroups)
        (record.helper, record.cgroups) = (nil, [])
        try save()
    }

    /// Mounts the filesystem of the image and the overlay on it. The current directory is the bundle.
    func mountLayer(_ index: Int, _ layer: Layer) throws(BundleError) {
        let lower = "\(AttachedImage.layers)/lower\(index)"
        let what = "\(path): cannot mount what belongs at \(layer.mountPoint)"
        record.mounts.append("\(path)/\(lower)")
        try save()
        let (bundle, mounted) = (bundle, layer.mounted)
        try explain(what) { () throws(SystemError) in
            let root = RootDirectory(try FileDescriptor.open(".", .directory, at: bundle))
            closeNow(try root.openMaking(.directory, AttachedImage.layers, .noLinks))
            let place = try root.openMaking(.directory, lower, .noLinks)
            try mounted.attach(to: place)
            for name in ["upper", "work"] {
                closeNow(try root.openMaking(.directory, "\(AttachedImage.layers)/\(name)\(index)", .noLinks))
            }
        }
        let target = layer.mountPoint == "/" ? "rootfs" : "rootfs" + layer.mountPoint
        record.mounts.append("\(path)/\(target)")
        try save()
        do throws(SystemError) {
            let source = layer.subvolume.map { "\(lower)/\($0)" } ?? lower
            try mountOverlay(source, index, on: target, bundle)
        } catch {
            throw BundleError(
                what, error, hint: error.errno == .loop ? "the mount point is reached through a link" : nil)
        }
    }

    private func mountOverlay(
        _ lower: String, _ index: Int, on target: String, _ bundle: Int32
    ) throws(SystemError) {
        let context = try FilesystemContext(type: "overlay")
        try context.set(source: "swrun")
        // Relative to the bundle: the kernel takes no more than 255 bytes for each.
        for (key, value) in [
            ("lowerdir", lower), ("upperdir", "\(AttachedImage.layers)/upper\(index)"),
            ("workdir", "\(AttachedImage.layers)/work\(index)"),
        ] {
            try context.set(option: "\(key)=\(value)")
        }
        // The lower mount's flags do not count here. Set-user-id programs are the system's own affair, devices are not.
        let mount = try context.mount([.noDevices])
        let root = RootDirectory(try FileDescriptor.open("rootfs", .directory, at: bundle))
        let inner = target == "rootfs" ? "." : String(target.dropFirst("rootfs/".count))
        let place =
            inner == "." ? try root.open(".", .place) : try root.openMaking(.directory, inner, .noLinks)
        try mount.attach(to: place, subject: target)
    }
}

extension MountedVolume {
    /// Gives the mount a place that outlives this process.
    func attach(to place: borrowing FileDescriptor) throws(SystemError) {
        try DetachedMount(try root.descriptor.duplicate()).attach(to: place)
    }
}

extension DiskSource {
    /// What is mounted where, the root first.
    ///
    /// - Parameter bundle: the bundle's directory
    func attachmentPlan(_ work: Work, _ bundle: Int32) throws(BundleError) -> [Attachment.Layer] {
        let selection = try select(work, replayingIn: bundle)
        let (root, plan) = (selection.root, selection.plan)
        var layers = [Attachment.Layer(mountPoint: "/", mounted: root.mounted, subvolume: root.subvolume)]
        // The same filesystem twice, with two subvolumes, is mounted twice: a mount has one place.
        for merged in plan.merged {
            let mounted = try disk.mount(merged.volume)
            layers.append(
                Attachment.Layer(mountPoint: merged.mountPoint, mounted: mounted, subvolume: merged.subvolume))
        }
        return layers
    }
}
