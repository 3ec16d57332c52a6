internal import LinuxSystem
internal import RuntimeSpec

extension DiskSource {
    /// `--mode mount`: the bundle's directory gets its root filesystem when a container is created. Here the image is
    /// looked at, and what was found is written down.
    func prepareMount(in bundle: borrowing FileDescriptor, _ work: Work) throws(BundleError) -> ImageFacts {
        let selection = try select(work, replayingIn: bundle.rawValue)
        let (root, plan) = (selection.root, selection.plan)
        let tree = try explain("\(disk.image): cannot open the root filesystem") { () throws(SystemError) in
            try root.mounted.directory(root.subvolume)
        }
        try warnAboutMarks(tree, work)
        var facts = try ImageFacts.ofSystem(tree, work.request, unifiedCgroups: hasUnifiedCgroups())
        facts.annotations = annotations(root, plan, work)
        let record = try record(root, work)
        let (number, text) = (bundle.rawValue, record.json.bytes(indent: "    "))
        try explain("cannot write \(ImageRecord.name)") { () throws(SystemError) in
            let file = try FileDescriptor.open(
                ImageRecord.name, [.writeOnly, .create, .exclusive], mode: 0o644, at: number)
            try file.write(text)
        }
        return facts
    }

    private func record(_ root: RootSearch.Candidate, _ work: Work) throws(BundleError) -> ImageRecord {
        let request = work.request
        do throws(SystemError) {
            let path = try absolutePath(request.image)
            let identity = try ImageIdentity(path)
            let volume = root.volume.partition.volume ?? "\(root.volume.partition.number)"
            var backing: [String] = []
            for directory in request.allowedBacking { backing.append(try absolutePath(directory)) }
            return ImageRecord(
                image: path, format: kind, root: volume + (root.subvolume.map { ":\($0)" } ?? ""),
                snapshot: request.snapshot, allowedBacking: backing, mergesFstab: request.mergesFstab,
                size: identity.size, inode: identity.inode, modified: identity.modified)
        } catch {
            throw BundleError("cannot look at \(request.image)", error)
        }
    }

    /// An overlay takes some things in a lower layer for marks of its own. Looked for where they are: at the top, as container
    /// images leave them, and where a machine with containers keeps its layers.
    private func warnAboutMarks(_ tree: borrowing RootDirectory, _ work: Work) throws(BundleError) {
        let hint = "cannot be seen; --mode copy keeps it"
        for entry in (try? byteEntries(tree.descriptor.rawValue)) ?? [] {
            guard let status = try? fileStatus(entry.name.text, at: tree.descriptor.rawValue, followLinks: false),
                status.kind == .characterDevice, status.target == DeviceNumber(major: 0, minor: 0)
            else { continue }
            work.warn("\(disk.image): /\(entry.name.text) is a mark of overlayfs and \(hint)")
        }
        for path in ["var/lib/docker/overlay2", "var/lib/containers/storage/overlay"] {
            guard let layers = try? tree.open(path, .directory), let entries = try? byteEntries(layers.rawValue),
                entries.contains(where: \.isDirectory)
            else { continue }
            work.warn("\(disk.image): what overlayfs has marked in the layers of /\(path) \(hint)")
        }
    }
}
