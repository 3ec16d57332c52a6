internal import CLinux
internal import Glibc
internal import LinuxSystem
internal import RuntimeSpec

/// An ISO image whose own directories are a root filesystem, written out file by file.
final class ISOTree: ImageSource {
    private let image: String
    private let file: FileDescriptor
    private let bytes: FileBytes
    private let iso: ISO9660
    /// Where directories were read: one that comes again would never end.
    private var visited: Set<UInt64> = []
    private static let deepest = 128
    private static let step = 1 << 20

    init(_ image: String, _ file: consuming FileDescriptor) throws(BundleError) {
        self.image = image
        let size = try explain("\(image): cannot look at it") { [number = file.rawValue] () throws(SystemError) in
            UInt64(try descriptorSize(number))
        }
        bytes = FileBytes(file.rawValue, size: size, name: image)
        self.file = file
        do throws(BundleError) {
            iso = try ISO9660(bytes)
            try requireSystem()
        } catch {
            throw Self.named(error, image)
        }
    }

    /// A disc of files is no system.
    private func requireSystem() throws(BundleError) {
        let top = try iso.entries(iso.root)
        for (directory, name) in [("etc", "os-release"), ("sbin", "init"), ("bin", "sh")] {
            guard let found = top.first(where: { $0.isDirectory && $0.name == Array(directory.utf8) }) else { continue }
            if try iso.entries(found).contains(where: { $0.name == Array(name.utf8) }) { return }
        }
        throw BundleError("no root filesystem: neither a live system's squashfs nor os-release, init or a shell")
    }

    private static func named(_ error: BundleError, _ image: String) -> BundleError {
        error.message.hasPrefix(image) || error.exitCode > 1
            ? error : BundleError("\(image): \(error.message)", exitCode: error.exitCode)
    }

    func release() {}

    func layout(_ work: Work) throws(BundleError) -> String {
        "\(image): iso, \(bytes.size) bytes\nroot: the files on it\n"
    }

    func produce(in rootfs: borrowing FileDescriptor, _ work: Work) throws(BundleError) -> ImageFacts {
        do throws(BundleError) {
            work.progress.begin("copying", total: bytes.size)
            _ = umask(0)
            try write(iso.root, to: rootfs.rawValue, depth: 0, work)
            work.progress.finish()
        } catch {
            throw Self.named(error, image)
        }
        let tree = RootDirectory(
            try explain("cannot look at the copy") { () throws(SystemError) in try rootfs.duplicate() })
        var facts = try ImageFacts.ofSystem(tree, work.request, unifiedCgroups: hasUnifiedCgroups())
        facts.annotations = [
            KeyValue("swrun.source.path", (try? absolutePath(image)) ?? image), KeyValue("swrun.source.format", "iso"),
            KeyValue("swrun.source.size", "\(bytes.size)"), KeyValue(MakeBundle.modeAnnotation, "copy"),
        ]
        return facts
    }

    // MARK: - Writing

    private func write(
        _ directory: ISO9660.Record, to target: Int32, depth: Int, _ work: Work
    ) throws(BundleError) {
        guard depth < Self.deepest, visited.insert(directory.offset).inserted else {
            throw BundleError("its directories run in a circle")
        }
        for record in try iso.entries(directory) {
            try work.checkpoint()
            try work.count(files: 1)
            let name = ByteName(record.name)
            guard name.count > 0, name.count <= 255, !record.name.contains(0), !record.name.contains(UInt8(ascii: "/")),
                record.name != [46], record.name != [46, 46]
            else { throw BundleError("the name \"\(OneLine.text(name.text))\" is not possible") }
            try write(record, as: name, to: target, depth: depth, work)
        }
    }

    private func write(
        _ record: ISO9660.Record, as name: ByteName, to target: Int32, depth: Int, _ work: Work
    ) throws(BundleError) {
        let attributes = RockRidge.attributes(record.systemUse)
        let mode = attributes?.mode ?? (record.isDirectory ? S_IFDIR | 0o755 : S_IFREG | 0o644)
        if let moved = RockRidge.field("CL", record.systemUse), moved.count >= 12 {
            // A directory that was too deep stands elsewhere.
            return try makeDirectory(
                try iso.directory(atBlock: moved.little32(4)), name, target, mode, attributes, depth, work)
        }
        if RockRidge.field("RE", record.systemUse) != nil { return }
        if record.isDirectory { return try makeDirectory(record, name, target, mode, attributes, depth, work) }
        switch mode & S_IFMT {
        case S_IFLNK:
            guard let link = RockRidge.link(record.systemUse) else {
                throw BundleError("a link is damaged: \(name.text)")
            }
            try ensure("symlink", name, Int(cl_symlinkat(ByteName(link).terminated, target, name.terminated)))
            try setOwner(target, name, attributes, work)
            try setTime(target, name, record, isEntry: true)
        case S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK:
            guard mode & S_IFMT == S_IFIFO || mode & S_IFMT == S_IFSOCK || work.request.devices else { return }
            let device = RockRidge.device(record.systemUse) ?? (0, 0)
            try ensure(
                "mknod", name, Int(cl_mknodat(target, name.terminated, mode, cl_makedev(device.major, device.minor))))
            try setOwner(target, name, attributes, work)
            try setTime(target, name, record, isEntry: true)
        default:
            try makeFile(record, name, target, mode, attributes, work)
        }
    }

    private func makeDirectory(
        _ record: ISO9660.Record, _ name: ByteName, _ target: Int32, _ mode: UInt32,
        _ attributes: RockRidge.Attributes?,
        _ depth: Int, _ work: Work
    ) throws(BundleError) {
        try ensure("mkdir", name, Int(cl_mkdirat(target, name.terminated, 0o700)))
        let inner = try explain("cannot open \(name.text)") { () throws(SystemError) in
            try openByteDirectory(name, at: target)
        }
        try write(record, to: inner.rawValue, depth: depth + 1, work)
        try setOwner(inner.rawValue, ByteName(""), attributes, work)
        try ensure("chmod", name, Int(cl_fchmod(inner.rawValue, mode & 0o7777)))
        try setTime(inner.rawValue, name, record)
    }

    private func makeFile(
        _ record: ISO9660.Record, _ name: ByteName, _ target: Int32, _ mode: UInt32,
        _ attributes: RockRidge.Attributes?,
        _ work: Work
    ) throws(BundleError) {
        guard record.offset <= bytes.size, record.size <= bytes.size - record.offset else {
            throw BundleError("truncated: \(name.text) lies beyond the end (\(bytes.size) bytes)")
        }
        let flags = O_WRONLY | O_CREAT | O_EXCL | CL_O_NOFOLLOW | CL_O_CLOEXEC
        let output = FileDescriptor(
            owning: try ensure("create", name, Int(cl_openat(target, name.terminated, flags, 0o600))))
        var done: UInt64 = 0
        while done < record.size {
            let count = min(record.size - done, UInt64(Self.step))
            let content = try bytes.bytes(at: record.offset + done, count: Int(count))
            try explain("cannot write \(name.text)") { () throws(SystemError) in try output.write(content) }
            try work.count(bytes: count)
            try work.checkpoint()
            done += count
        }
        try setOwner(output.rawValue, ByteName(""), attributes, work)
        let permissions = work.request.noSetUserID ? mode & 0o1777 : mode & 0o7777
        try ensure("chmod", name, Int(cl_fchmod(output.rawValue, permissions)))
        try setTime(output.rawValue, name, record)
    }

    private func setOwner(
        _ directory: Int32, _ name: ByteName, _ attributes: RockRidge.Attributes?, _ work: Work
    ) throws(BundleError) {
        guard effectiveUserID() == 0, let attributes else { return }
        let flags = name.count == 0 ? CL_AT_EMPTY_PATH : CL_AT_SYMLINK_NOFOLLOW
        try ensure(
            "chown", name, Int(cl_fchownat(directory, name.terminated, attributes.uid, attributes.gid, flags)))
    }

    /// - Parameter isEntry: `file` is the directory in which the file of that name is; otherwise the file itself
    private func setTime(
        _ file: Int32, _ name: ByteName, _ record: ISO9660.Record, isEntry: Bool = false
    ) throws(BundleError) {
        guard let seconds = RockRidge.modified(record.systemUse) else { return }
        var times = [timespec(tv_sec: Int(seconds), tv_nsec: 0), timespec(tv_sec: Int(seconds), tv_nsec: 0)]
        let result =
            isEntry
            ? cl_utimensat(file, name.terminated, &times, CL_AT_SYMLINK_NOFOLLOW) : cl_utimensat(file, nil, &times, 0)
        try ensure("set the time of", name, Int(result))
    }

    @discardableResult
    private func ensure(_ call: StaticString, _ name: ByteName, _ result: Int) throws(BundleError) -> Int {
        guard result < 0 else { return result }
        throw BundleError("cannot write \(OneLine.text(name.text))", SystemError("\(call)", "", Errno(Int32(-result))))
    }
}

extension ISO9660 {
    /// A directory by its place; its own first record says how large it is.
    func directory(atBlock block: UInt32) throws(BundleError) -> Record {
        guard let record = try own(at: UInt64(block) * Self.block) else { throw BundleError("a directory is damaged") }
        return record
    }
}
