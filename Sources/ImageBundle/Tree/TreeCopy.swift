internal import CLinux
internal import Glibc
internal import LinuxSystem

/// Copies a tree with all that belongs to it: hard links, holes, extended attributes with access lists and capabilities,
/// owners, modes, times to the nanosecond, and names of any bytes.
///
/// The source is not trusted: every name is taken relative to an open directory, no link is followed, and what a file is
/// is asked of the open file. This process makes everything; others fill what is large (`CopyingProcess`), look ahead
/// (`Scout`), and have it written to the disk (`Writeback`). Entries are taken in the order of their inodes, which on
/// most filesystems is that of their content on the disk.
final class TreeCopy {
    private let work: Work
    /// The directory below which hard links are made again.
    private let targetRoot: Int32
    private let caller = (uid: effectiveUserID(), gid: effectiveGroupID())
    /// The first copies of files with several names, by their inode: where they are, and how many names are to come.
    private var linked: [Inode: (path: ByteName, left: UInt64)] = [:]
    /// Directories that are made and left empty: something else is going to be there. Paths from the top of the tree.
    var emptied: Set<ByteName> = []
    /// The path of the directory being filled, from `targetRoot`.
    private var path: ByteName
    private let content: FileContentCopy
    /// Nil where there is no memory to share: then nobody looks ahead.
    private let written: SharedCounter?
    private let attributes: AttributeCopy
    private(set) var skipped = SkippedEntries()
    /// Fills large files; made with the first of them.
    private var other: CopyingProcess?
    private var isAlone = false
    private let looksAhead: Bool
    private var scout: Scout?
    private var writeback: Writeback?
    /// From how many bytes on a file is worth being handed over.
    private static let large: Int64 = 16 << 10

    /// What tells files apart; btrfs has a device number for each subvolume.
    private struct Inode: Hashable {
        let device: UInt64
        let number: UInt64

        init(_ status: stat) { (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino)) }
    }

    /// - Parameters:
    ///   - targetRoot: an open directory that outlives this object
    ///   - path: where in it the tree goes; the directory exists
    ///   - image: where the content of the files is found, if not by reading them
    ///   - looksAhead: whether what a directory or an inode says has to be waited for
    init(
        _ work: Work, targetRoot: Int32, path: ByteName = ByteName(""), from image: ImageContent? = nil,
        looksAhead: Bool = false
    ) {
        self.work = work
        self.looksAhead = looksAhead
        self.targetRoot = targetRoot
        self.path = path
        written = try? SharedCounter()
        content = FileContentCopy(work, from: image, written)
        attributes = AttributeCopy(work)
    }

    /// A directory that is being copied: what is left to do in it, and what it gets when it is full.
    private struct Level {
        var left: [ByteEntry]
        let status: stat
        let name: ByteName
    }

    /// Copies what is in `source` and the attributes of `source` itself.
    ///
    /// Two descriptors suffice for any depth: the way up is "..", which in the source the kernel's own tree of names
    /// answers, not the image.
    func copy(from source: borrowing FileDescriptor, to target: borrowing FileDescriptor) throws(BundleError) {
        _ = umask(0)
        // Whatever happens, nobody else has a file of the image or of the bundle open after this.
        defer { (other, scout, writeback) = (nil, nil, nil) }
        if let written {
            if looksAhead { scout = try? Scout(source, content.image, written) }
            writeback = try? Writeback(target, written)
        }
        try copyTree(from: source, to: target)
        if let other { skipped.attributes += try other.finish() }
    }

    private func copyTree(
        from source: borrowing FileDescriptor, to target: borrowing FileDescriptor
    ) throws(BundleError) {
        var from = try reopen(source.rawValue, ".")
        var into = try reopen(target.rawValue, ".")
        let status = try self.status(of: from.rawValue)
        var levels = [Level(left: try entries(from.rawValue), status: status, name: ByteName(""))]
        while true {
            if let inner = try copyFiles(&levels[levels.count - 1], from.rawValue, into.rawValue) {
                let next = try open(inner.name, CL_O_DIRECTORY, from.rawValue)
                let status = try self.status(of: next.rawValue)
                let isEmptied = !emptied.isEmpty && emptied.contains(path.appending(inner.name))
                var isCopied = !isEmptied
                if isCopied, status.st_dev != levels[levels.count - 1].status.st_dev {
                    isCopied = try self.isCopied(subvolume: next, from, inner.name)
                }
                guard isCopied else {
                    try makeMountPoint(inner.name, status, into.rawValue)
                    continue
                }
                try ensure(
                    "mkdirat", inner.name, Int(cl_mkdirat(into.rawValue, inner.name.terminated, 0o700)), [EEXIST])
                into = try open(inner.name, CL_O_DIRECTORY, into.rawValue)
                from = next
                path = path.appending(inner.name)
                levels.append(Level(left: try entries(from.rawValue), status: status, name: inner.name))
                try work.count(files: 1)
                continue
            }
            let level = levels.removeLast()
            try finish(from.rawValue, into.rawValue, level.status, level.name)
            guard !levels.isEmpty else { return }
            path.removeLastComponent()
            from = try reopen(from.rawValue, "..")
            into = try reopen(into.rawValue, "..")
        }
    }

    /// Up to the next directory, which the caller enters; nil when there is none left.
    private func copyFiles(_ level: inout Level, _ from: Int32, _ into: Int32) throws(BundleError) -> ByteEntry? {
        try work.checkpoint()
        try other?.hear()
        while let entry = level.left.popLast() {
            if let inner = try copy(entry, from, into) { return inner }
        }
        return nil
    }

    private func entries(_ directory: Int32) throws(BundleError) -> [ByteEntry] {
        let most = Int(clamping: work.request.maximumFiles)
        do throws(SystemError) {
            return try entriesByInode(directory, limit: most)
        } catch {
            if error.errno.code == EOVERFLOW { try work.count(files: work.request.maximumFiles + 1) }
            throw failure("read the directory", ByteName(""), error)
        }
    }

    /// Copies one entry; gives it back when it is a directory.
    private func copy(_ entry: ByteEntry, _ from: Int32, _ into: Int32) throws(BundleError) -> ByteEntry? {
        if entry.isDirectory { return entry }
        if entry.kind == UInt8(DT_REG), try copyFile(entry.name, from, into) { return nil }
        var status = stat()
        try ensure("stat", entry.name, Int(cl_fstatat(from, entry.name.terminated, &status, CL_AT_SYMLINK_NOFOLLOW)))
        if status.st_mode & S_IFMT == S_IFDIR { return entry }
        if status.st_mode & S_IFMT == S_IFREG {
            _ = try copyFile(entry.name, from, into)
        } else {
            try copySpecial(entry.name, status, from, into)
        }
        return nil
    }

    // MARK: - Files

    /// False when it turns out to be something else: what the directory says of an entry may be a lie.
    private func copyFile(_ name: ByteName, _ from: Int32, _ into: Int32) throws(BundleError) -> Bool {
        // Non-blocking: a fifo in its place must not make us wait. The mount has no devices.
        let flags = O_NONBLOCK | CL_O_NOFOLLOW | CL_O_CLOEXEC
        let opened = Int(cl_openat(from, name.terminated, flags, 0))
        if opened == -Int(ELOOP) || opened == -Int(ENXIO) { return false }
        let input = FileDescriptor(owning: try ensure("open", name, opened))
        let status = try self.status(of: input.rawValue)
        guard status.st_mode & S_IFMT == S_IFREG else { return false }
        if status.st_nlink > 1, try linkAgain(name, status, into) { return true }
        let output = FileDescriptor(
            owning: try ensure(
                "create", name,
                Int(
                    cl_openat(
                        into, name.terminated, O_RDWR | O_CREAT | O_EXCL | CL_O_NOFOLLOW | CL_O_CLOEXEC,
                        attributes.initialMode(status)))))
        if status.st_nlink > 1 { remember(name, status) }
        try work.count(files: 1)
        if status.st_size >= Self.large, try hand(input.rawValue, output.rawValue, name) { return true }
        try fill(output.rawValue, from: input.rawValue, status, name)
        return true
    }

    /// Lets another process fill a file; false when it has enough to do.
    private func hand(_ input: Int32, _ output: Int32, _ name: ByteName) throws(BundleError) -> Bool {
        if other == nil, !isAlone {
            let before = attributes.left
            other = try? CopyingProcess(
                work,
                fill: { (input, output, path) throws(BundleError) in
                    self.path = ByteName("")
                    try fill(output, from: input, try status(of: input), path)
                }, left: { attributes.left - before })
            isAlone = other == nil
        }
        return try other?.take(input, output, path.appending(name)) ?? false
    }

    private func fill(_ output: Int32, from input: Int32, _ status: stat, _ name: ByteName) throws(BundleError) {
        do throws(SystemError) {
            try content.copy(from: input, to: output, status)
        } catch {
            throw failure("copy", name, error)
        }
        try content.throwIfStopped()
        try setAttributes(from: input, to: output, status, name)
    }

    private func remember(_ name: ByteName, _ status: stat) {
        linked[Inode(status)] = (path.appending(name), UInt64(status.st_nlink) - 1)
    }

    /// Makes another name for a file that was copied already. False when it was not.
    private func linkAgain(_ name: ByteName, _ status: stat, _ into: Int32) throws(BundleError) -> Bool {
        let inode = Inode(status)
        guard let first = linked[inode] else { return false }
        let result = Int(cl_linkat(targetRoot, first.path.terminated, into, name.terminated, 0))
        // Too many names for this filesystem, or too long a path: a second copy is what remains.
        if result == -Int(EMLINK) || result == -Int(ENAMETOOLONG) { return false }
        try ensure("link", name, result)
        linked[inode] = first.left > 1 ? (first.path, first.left - 1) : nil
        try work.count(files: 1)
        return true
    }

    // MARK: - Links, devices, fifos, sockets

    private func copySpecial(_ name: ByteName, _ status: stat, _ from: Int32, _ into: Int32) throws(BundleError) {
        if status.st_nlink > 1, try linkAgain(name, status, into) { return }
        let kind = status.st_mode & S_IFMT
        switch kind {
        case S_IFLNK:
            var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
            let length = try ensure("readlink", name, Int(cl_readlinkat(from, name.terminated, &target, Int(PATH_MAX))))
            target[length] = 0
            try ensure("symlink", name, Int(cl_symlinkat(target, into, name.terminated)))
        case S_IFCHR where status.st_rdev == 0, S_IFIFO, S_IFSOCK:
            // Number 0:0 is no device but overlayfs's mark for "removed".
            try ensure("mknod", name, Int(cl_mknodat(into, name.terminated, status.st_mode, 0)))
        case S_IFCHR, S_IFBLK:
            guard work.request.devices else {
                skipped.devices += 1
                return
            }
            try ensure("mknod", name, Int(cl_mknodat(into, name.terminated, status.st_mode, UInt64(status.st_rdev))))
        default:
            throw BundleError("\(work.request.image): \(path.appending(name).text): is of no known kind")
        }
        try attributes.changeOwner(at: into, name, status, caller) { failure("change the owner of", name, $0) }
        try attributes.copyOfSpecial(name, from, into) { failure("set an attribute of", name, $0) }
        if kind != S_IFLNK {
            try ensure("chmod", name, Int(cl_fchmodat(into, name.terminated, attributes.mode(status))))
        }
        var times = [status.st_atim, status.st_mtim]
        try ensure("set the times of", name, Int(cl_utimensat(into, name.terminated, &times, CL_AT_SYMLINK_NOFOLLOW)))
        if status.st_nlink > 1 { remember(name, status) }
        try work.count(files: 1)
    }

    /// Whether a directory that does not lie on the device of the one above is copied: a subvolume of btrfs that is part of the
    /// tree. Snapshots, of which there may be hundreds, and what somebody has mounted there are not.
    private func isCopied(
        subvolume: borrowing FileDescriptor, _ above: borrowing FileDescriptor, _ name: ByteName
    ) throws(BundleError) -> Bool {
        let flags = subvolume.btrfsSubvolumeFlags()
        do throws(SystemError) {
            let isMount = try subvolume.mountID() != above.mountID()
            if isMount || flags == nil {
                skipped.filesystems.append(path.appending(name).text)
                return false
            }
        } catch {
            throw failure("look at", name, error)
        }
        let isReadOnly: UInt64 = 2  // BTRFS_SUBVOL_RDONLY
        guard let flags, flags & isReadOnly != 0 else { return true }
        skipped.snapshots.append(path.appending(name).text)
        return false
    }

    /// A directory on which another filesystem is mounted stays empty.
    private func makeMountPoint(_ name: ByteName, _ status: stat, _ into: Int32) throws(BundleError) {
        try ensure("mkdirat", name, Int(cl_mkdirat(into, name.terminated, status.st_mode & 0o7777)), [EEXIST])
    }

    // MARK: - What a copy gets when its content is there

    private func finish(_ from: Int32, _ into: Int32, _ status: stat, _ name: ByteName) throws(BundleError) {
        try setAttributes(from: from, to: into, status, name)
    }

    /// Owner before attributes before mode before times: each of them is changed by those before.
    private func setAttributes(
        from: Int32, to copy: Int32, _ status: stat, _ name: ByteName
    ) throws(BundleError) {
        try attributes.changeOwner(at: copy, ByteName(""), status, caller) { failure("change the owner of", name, $0) }
        let hasAttributes: Bool
        do throws(SystemError) {
            hasAttributes = try attributes.copy(from: from, to: copy)
        } catch {
            throw failure("copy the attributes of", name, error)
        }
        let mode = attributes.mode(status)
        if hasAttributes || status.st_mode & S_IFMT == S_IFDIR || mode != attributes.initialMode(status) {
            try ensure("chmod", name, Int(cl_fchmod(copy, mode)))
        }
        var times = [status.st_atim, status.st_mtim]
        try ensure("set the times of", name, Int(cl_utimensat(copy, nil, &times, 0)))
        skipped.attributes = attributes.left
    }

    // MARK: - Errors

    private func status(of descriptor: Int32) throws(BundleError) -> stat {
        var status = stat()
        try ensure("stat", ByteName(""), Int(cl_fstatat(descriptor, "", &status, CL_AT_EMPTY_PATH)))
        return status
    }

    private func reopen(_ directory: Int32, _ name: StaticString) throws(BundleError) -> FileDescriptor {
        try open(ByteName("\(name)"), CL_O_DIRECTORY, directory)
    }

    private func open(_ name: ByteName, _ flags: Int32, _ directory: Int32) throws(BundleError) -> FileDescriptor {
        let result = cl_openat(directory, name.terminated, flags | CL_O_NOFOLLOW | CL_O_CLOEXEC, 0)
        return FileDescriptor(owning: try ensure("open", name, Int(result)))
    }

    @inline(__always) @discardableResult
    private func ensure(
        _ call: StaticString, _ name: ByteName, _ result: Int, _ accepted: [Int32] = []
    ) throws(BundleError) -> Int {
        if result >= 0 || accepted.contains(Int32(-result)) { return result }
        throw failure("\(call)", name, SystemError("\(call)", "", Errno(Int32(-result))))
    }

    private func failure(_ what: String, _ name: ByteName, _ error: SystemError) -> BundleError {
        let hint: String? =
            switch error.errno.code {
            case ENOSPC, EDQUOT: "the filesystem of the bundle is full"
            case EIO, EBADMSG, EUCLEAN: "the image is damaged, or its file was changed"
            case EFBIG: "the filesystem of the bundle holds no files of that size"
            default: nil
            }
        return BundleError("\(work.request.image): cannot \(what) /\(path.appending(name).text)", error, hint: hint)
    }
}
