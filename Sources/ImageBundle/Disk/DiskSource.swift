internal import LinuxSystem
internal import RuntimeSpec

/// Disk images and ISO images as sources of a bundle.
final class DiskSource: ImageSource {
    let kind: SourceKind
    let chain: ImageChain
    private var export: QemuExport?
    private(set) var disk: Disk
    private var search: RootSearch?
    private let attachment: Attachment?

    /// - Parameter attachment: takes over what has to outlive this process; nil: nothing does
    init(_ kind: SourceKind, _ work: Work, attachedBy attachment: Attachment? = nil) throws(BundleError) {
        self.kind = kind
        self.attachment = attachment
        let hasOwnMounts =
            kind == .raw && work.request.mode == .copy && UserspaceMount.canMount && work.becomeRootWithMounts()
        chain = try ImageChain(work.request, kind)
        let image = work.request.image
        if kind == .iso {
            disk = try ISOImage.disk(image, chain.links[0].descriptor, size: chain.links[0].size)
        } else if kind == .raw {
            disk = try Disk(
                image, chain.links[0].descriptor, size: chain.links[0].size, hasOwnMounts: hasOwnMounts)
        } else {
            let export = try QemuExport(
                chain, image: image, QemuExport.Options(isDetached: attachment != nil), work.interruption
            ) { (pid) throws(BundleError) in try attachment?.adopt(pid) }
            do throws(BundleError) {
                disk = try Disk(image, export.descriptor, size: export.size)
            } catch {
                export.end()
                throw error
            }
            self.export = export
        }
    }

    /// Live media have filesystems in their files; else the disc's own files are the system.
    static func open(_ kind: SourceKind, _ work: Work) throws(BundleError) -> any ImageSource {
        let source = try DiskSource(kind, work)
        guard kind == .iso, source.disk.volumes.isEmpty else { return source }
        let file = try explain("cannot open the image") { () throws(SystemError) in
            try FileDescriptor.open(work.request.image, .readOnly)
        }
        return try ISOTree(work.request.image, file)
    }

    /// Mounts first, then what they are mounted from.
    func release() {
        search = nil
        export?.end()
        export = nil
    }

    func search(_ work: Work) throws(BundleError) -> RootSearch {
        if let search { return search }
        // Where the root is known, nothing else has to be looked at.
        let made = try RootSearch(disk, work, judges: work.request.root == nil || work.request.mode == .copy)
        search = made
        return made
    }

    /// What a bundle is made of.
    struct Selection {
        let root: RootSearch.Candidate
        let plan: MergePlan

        var journals: [(point: String, MountedVolume.Journal)] {
            [("/", root.mounted.journal)] + plan.merged.map { ($0.mountPoint, $0.mounted.journal) }
        }
        var hasDirtyJournal: Bool { journals.contains { $0.1.isDirty } }
    }

    /// Finds the root and what belongs below it. Where the machine was not shut down, its journals are replayed into a file in
    /// `directory` that is gone with the last user of the content.
    func select(_ work: Work, replayingIn directory: Int32) throws(BundleError) -> Selection {
        if try needsReplay(work) { try replayJournals(work, directory) }
        let selection = try select(work)
        for (point, journal) in selection.journals {
            guard case .dirty(let reason) = journal else { continue }
            work.warn(
                "\(work.request.image): the machine was not shut down, and the journal of what it had at \(point) cannot "
                    + "be replayed (\(reason)): what was not written before is not in the bundle")
        }
        return selection
    }

    private func select(_ work: Work) throws(BundleError) -> Selection {
        let found = try search(work)
        let root = try found.choose(work.request.root)
        return Selection(root: root, plan: try MergePlan(root, found, work))
    }

    private func needsReplay(_ work: Work) throws(BundleError) -> Bool {
        guard kind != .iso, !work.isRootless, QemuExport.isInstalled else { return false }
        // What is only in a journal may be what tells that this is the root.
        if try search(work).hasDirtyJournal { return true }
        return (try? select(work))?.hasDirtyJournal ?? false
    }

    /// Replaces the disk by one that can be written.
    private func replayJournals(_ work: Work, _ directory: Int32) throws(BundleError) {
        let size = disk.bytes.size
        // A filesystem is mounted once: what is there goes first.
        release()
        try attachment?.disown()
        let export = try ScratchImage.with(in: directory, size: size) { (scratch) throws(BundleError) in
            try QemuExport(
                chain, image: disk.image, QemuExport.Options(isDetached: attachment != nil, scratch: scratch),
                work.interruption
            ) { (pid) throws(BundleError) in try attachment?.adopt(pid) }
        }
        self.export = export
        disk = try Disk(disk.image, export.descriptor, size: export.size, isWritable: true)
    }

    // MARK: - Looking

    func layout(_ work: Work) throws(BundleError) -> String {
        let found = try search(work)
        var lines = ["\(work.request.image): \(kind.rawValue), \(disk.bytes.size) bytes"]
        for volume in disk.volumes {
            let (partition, probe) = (volume.partition, volume.probe)
            var line = partition.volume ?? "\(partition.number)"
            line += ": \(partition.size) bytes at \(partition.start), \(probe?.kind.rawValue ?? "unknown")"
            if let label = probe?.label, !label.isEmpty { line += " \"\(label)\"" }
            if let uuid = probe?.uuid, !uuid.isEmpty { line += " \(uuid)" }
            if found.hasDirtyJournal(volume) { line += ", journal not replayed" }
            lines.append(line)
            for candidate in found.candidates where candidate.volume == volume {
                let name = candidate.subvolume.map { "  subvolume \($0)" } ?? "  root"
                lines.append("\(name): \(candidate.system ?? "a system without a name"), score \(candidate.score)")
            }
        }
        lines += disk.refusals.map { "refused: \($0)" } + found.failures.map { "failed: \($0.message)" }
        do throws(BundleError) {
            let root = try found.choose(work.request.root)
            lines.append("root: \(root.summary)")
            for merged in try MergePlan(root, found, work).merged {
                lines.append("  \(merged.mountPoint): \(merged.volume.summary)")
            }
        } catch {
            lines.append("root: none, \(error.message)")
        }
        return lines.map { OneLine.text($0) + "\n" }.joined()
    }

    // MARK: - Copying

    func produce(in rootfs: borrowing FileDescriptor, _ work: Work) throws(BundleError) -> ImageFacts {
        let above = try explain("cannot open the bundle") { [number = rootfs.rawValue] () throws(SystemError) in
            try FileDescriptor.open("..", .directory, at: number)
        }
        let selection = try select(work, replayingIn: above.rawValue)
        let (root, plan) = (selection.root, selection.plan)
        work.progress.begin("copying", total: plan.usedBytes)
        var skipped = try copyRoot(root, plan, rootfs, work)
        for merged in plan.merged {
            skipped += try copy(merged, rootfs, work)
        }
        work.progress.finish()
        skipped.tell(work)
        let tree = RootDirectory(
            try explain("cannot look at the copy") { () throws(SystemError) in try rootfs.duplicate() })
        var facts = try ImageFacts.ofSystem(tree, work.request, unifiedCgroups: hasUnifiedCgroups())
        if facts.isInitSystem, !work.request.keepsFstab { try emptyFstab(tree) }
        facts.annotations = annotations(root, plan, work)
        return facts
    }

    private func copyRoot(
        _ root: RootSearch.Candidate, _ plan: MergePlan, _ rootfs: borrowing FileDescriptor, _ work: Work
    ) throws(BundleError) -> TreeCopy.SkippedEntries {
        let directory = try explain("\(disk.image): cannot open the root filesystem") { () throws(SystemError) in
            try root.mounted.directory(root.subvolume)
        }
        let copy = TreeCopy(
            work, targetRoot: rootfs.rawValue, from: ImageContent(chain, disk, root.volume, root.mounted),
            looksAhead: !work.isRootless)
        copy.emptied = Set(plan.merged.map { ByteName(String($0.mountPoint.dropFirst())) })
        try copy.copy(from: directory.descriptor, to: rootfs)
        return copy.skipped
    }

    private func copy(
        _ merged: MergePlan.Merged, _ rootfs: borrowing FileDescriptor, _ work: Work
    ) throws(BundleError) -> TreeCopy.SkippedEntries {
        let what = "\(disk.image): cannot copy what belongs at \(merged.mountPoint)"
        let tree = RootDirectory(try explain(what) { () throws(SystemError) in try rootfs.duplicate() })
        let place: FileDescriptor
        do throws(SystemError) {
            closeNow(try tree.openMaking(.directory, merged.mountPoint, .noLinks))
            place = try tree.open(merged.mountPoint, .directory, .noLinks)
        } catch {
            throw BundleError(
                what, error,
                hint: error.errno == .loop ? "the mount point is reached through a link, which may be a trap" : nil)
        }
        let source = try explain(what) { () throws(SystemError) in try merged.mounted.directory(merged.subvolume) }
        let copy = TreeCopy(
            work, targetRoot: place.rawValue, from: ImageContent(chain, disk, merged.volume, merged.mounted),
            looksAhead: !work.isRootless)
        copy.emptied = Set(merged.hidden.map { ByteName($0) })
        try copy.copy(from: source.descriptor, to: place)
        return copy.skipped
    }

    /// A system that starts would wait for disks that are not there.
    private func emptyFstab(_ tree: borrowing RootDirectory) throws(BundleError) {
        do throws(SystemError) {
            let directory = try tree.open("etc", .directory)
            guard try fileStatus("fstab", at: directory.rawValue, followLinks: false)?.kind == .regular else { return }
            try directory.rename("fstab", toNew: "fstab.orig")
            try directory.makeFile("fstab")
        } catch {
            // There is no fstab, or an fstab.orig already.
            if error.errno == .noEntry || error.errno == .exists { return }
            throw BundleError("cannot empty the fstab of the bundle", error)
        }
    }

    // MARK: - Telling

    func annotations(_ root: RootSearch.Candidate, _ plan: MergePlan, _ work: Work) -> [KeyValue] {
        let link = chain.links[0]
        let path = (try? absolutePath(link.path)) ?? link.path
        var found = [
            KeyValue("swrun.source.path", path), KeyValue("swrun.source.format", kind.rawValue),
            KeyValue("swrun.source.size", "\(link.size)"),
            KeyValue("swrun.partition.index", root.volume.partition.volume ?? "\(root.volume.partition.number)"),
            KeyValue("swrun.partition.fstype", root.mounted.probe.kind.rawValue),
        ]
        func add(_ key: String, _ value: String?) {
            if let value, !value.isEmpty { found.append(KeyValue(key, OneLine.text(value))) }
        }
        add("swrun.source.snapshot", work.request.snapshot)
        add("swrun.partition.uuid", root.mounted.probe.uuid)
        add("swrun.partition.subvol", root.subvolume)
        add("swrun.os-release.id", root.release.id)
        add("swrun.os-release.version", root.release.version)
        add("swrun.os-release.name", root.system)
        add(MakeBundle.modeAnnotation, work.request.mode.rawValue)
        let journal =
            switch root.mounted.journal {
            case .clean: "clean"
            case .replayed: "replayed"
            case .dirty: "dirty"
            }
        add("swrun.journal", journal)
        add("swrun.merged-mounts", plan.merged.map(\.mountPoint).joined(separator: " "))
        add("swrun.skipped", plan.skipped.joined(separator: " "))
        return found
    }
}

/// Text from an image as one line.
enum OneLine {
    static func text(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? "?" : $0 }))
    }
}
