internal import LinuxSystem
internal import RuntimeSpec

/// A bundle that runs from its image: what makes its root filesystem appear, and takes it away.
///
/// From below: qemu-storage-daemon shows the image's content as a file (not for raw and ISO images); a loop device shows
/// a part of it as a disk; its filesystem is mounted read-only on `DIR/.image/lower0`; an overlay with what the container
/// writes, in `DIR/.image/upper0`, is mounted on `DIR/rootfs`. Volumes that the image's fstab mounts are further numbers.
///
/// What was made is recorded in `DIR/attached.json` before it is made, and undone in the opposite order.
package enum AttachedImage {
    static let layers = ".image"

    /// Makes the root filesystem appear in `DIR/rootfs`.
    ///
    /// - Parameters:
    ///   - directory: the bundle's
    ///   - registry: where it is noted, for `--gc`
    ///   - forProcess: this process needs it, and no container that can be found in the state directory
    package static func attach(
        _ directory: String, in registry: ImageRegistry? = nil, forProcess: Bool = false,
        _ warn: @escaping (String) -> Void
    ) throws(BundleError) {
        let bundle = try open(directory)
        try lock(bundle, directory)
        let there = try explain("cannot look into \(directory)") { () throws(SystemError) in
            try fileStatus(AttachmentRecord.name, at: bundle.rawValue, followLinks: false)
        }
        guard there == nil else {
            throw BundleError(
                "\(directory): another container runs from this bundle",
                hint: "swrun bundle --gc clears what a crash has left")
        }
        let record: ImageRecord = try read(ImageRecord.name, bundle, directory)
        let work = try Work(record.request, SilentProgress(), warn)
        try requireUnchanged(record)
        let attachment = Attachment(bundle.rawValue, directory)
        if forProcess { attachment.record.owner = .current }
        do throws(BundleError) {
            registry?.add(.attached, directory)
            try attachment.save()
            try build(record, attachment, work)
        } catch {
            _ = try? detach(directory, in: registry, locked: true)
            throw error
        }
    }

    private static func build(_ record: ImageRecord, _ attachment: Attachment, _ work: Work) throws(BundleError) {
        let source = try DiskSource(record.format, work, attachedBy: attachment)
        // Not released: what it started is the attachment's now.
        let plan = try source.attachmentPlan(work, attachment.bundle)
        let bundle = attachment.bundle
        let before = try explain("\(attachment.path): cannot enter the bundle") { () throws(SystemError) in
            let before = try FileDescriptor.open(".", .place)
            try enterDirectory(FileDescriptor.open(".", .directory, at: bundle))
            return before
        }
        // Paths on the command line mean what they meant.
        defer { try? enterDirectory(before) }
        for (index, layer) in plan.enumerated() {
            try work.checkpoint()
            try attachment.mountLayer(index, layer)
        }
    }

    /// Takes the root filesystem away again: overlays, then filesystems, with which their loop devices go, then the daemon.
    ///
    /// - Returns: false when nothing was attached
    @discardableResult
    package static func detach(
        _ directory: String, in registry: ImageRegistry? = nil, locked: Bool = false
    ) throws(BundleError) -> Bool {
        let bundle = try open(directory)
        if !locked { try lock(bundle, directory) }
        let there = try explain("cannot look into \(directory)") { () throws(SystemError) in
            try fileStatus(AttachmentRecord.name, at: bundle.rawValue, followLinks: false)
        }
        for name in Attachment.temporaryFiles { try? bundle.remove(name) }
        guard there != nil else {
            registry?.remove(directory)
            return false
        }
        let record: AttachmentRecord = try read(AttachmentRecord.name, bundle, directory)
        for path in record.mounts.reversed() { try unmount(path) }
        if let helper = record.helper, let process = try? FileDescriptor.process(helper.pid), helper.isAlive {
            try? process.signal(SignalNumber.kill)
            _ = try? process.waitReadable(milliseconds: 5000)
            _ = collectEnded(helper.pid)
        }
        HelperCgroup.remove(record.cgroups)
        try? bundle.remove(AttachmentRecord.name)
        registry?.remove(directory)
        return true
    }

    /// Whether the process for which it was attached has ended; false when it was attached for a container.
    package static func ownerHasEnded(_ directory: String) -> Bool? {
        guard let bundle = try? open(directory),
            let record: AttachmentRecord = try? read(AttachmentRecord.name, bundle, directory),
            let owner = record.owner
        else { return nil }
        return !owner.isAlive
    }

    private static func unmount(_ path: String) throws(BundleError) {
        for attempt in 0... {
            do throws(SystemError) {
                return try unmountPlain(path)
            } catch {
                switch error.errno {
                // Not mounted any more: somebody else did it.
                case .invalid, .noEntry: return
                case .busy where attempt < 100: sleep(milliseconds: 5)
                default:
                    throw BundleError("cannot take \(path) away", error, hint: "some process still uses it")
                }
            }
        }
    }

    // MARK: - Files of the bundle

    private static func open(_ directory: String) throws(BundleError) -> FileDescriptor {
        let bundle = try explain("cannot open the bundle \(directory)") { () throws(SystemError) in
            try FileDescriptor.open(directory, .directoryItself)
        }
        // Processes are killed and mounts removed because these files say so.
        let status = try explain("cannot look at \(directory)") { () throws(SystemError) in try bundle.status() }
        guard status.uid == effectiveUserID(), status.mode & 0o022 == 0 else {
            throw BundleError(
                "\(directory): belongs to user \(status.uid), or others may write it; it is not to be trusted")
        }
        return bundle
    }

    private static func lock(_ bundle: borrowing FileDescriptor, _ directory: String) throws(BundleError) {
        let number = bundle.rawValue
        let locked = try explain("cannot lock \(directory)") { () throws(SystemError) in
            for _ in 0..<500 {
                if try flock(number, waiting: false) { return true }
                sleep(milliseconds: 10)
            }
            return false
        }
        guard locked else { throw BundleError("\(directory): another command has been using the bundle for 5 s") }
    }

    private static func read<Record: JSONDecodable>(
        _ name: String, _ bundle: borrowing FileDescriptor, _ directory: String
    ) throws(BundleError) -> Record {
        let number = bundle.rawValue
        let text = try explain("cannot read \(directory)/\(name)") { () throws(SystemError) in
            try readFile(name, at: number)
        }
        do throws(SpecError) {
            return try Record.decode(text)
        } catch {
            throw BundleError("\(directory)/\(name): \(error)")
        }
    }

    private static func requireUnchanged(_ record: ImageRecord) throws(BundleError) {
        let now = try explain("cannot find the image of the bundle") { () throws(SystemError) in
            try ImageIdentity(record.image)
        }
        guard now.size == record.size, now.inode == record.inode, now.modified == record.modified else {
            throw BundleError("\(record.image): was changed after the bundle was made", hint: "make the bundle again")
        }
    }
}

/// What tells whether a file is still the same.
struct ImageIdentity: Equatable {
    let size: UInt64
    let inode: UInt64
    let modified: String

    init(_ path: String) throws(SystemError) {
        let found = try fileIdentity(path)
        size = found.size
        inode = found.inode
        modified = timestamp(seconds: found.seconds, nanoseconds: found.nanoseconds)
    }
}
