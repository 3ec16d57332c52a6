internal import LinuxSystem

/// Where the parts of a container image lie: files by their path, in a directory or in an archive.
final class ImageStore {
    /// A file of the store: where it is in which open file.
    struct Part {
        let descriptor: Int32
        let extent: ArchiveIndex.Extent
    }

    /// The directory of the layout, or the archive.
    private let file: FileDescriptor
    /// nil: `file` is a directory.
    private let index: ArchiveIndex?
    /// The file of a directory that was opened last stays open until the next one is.
    private var current: FileDescriptor?

    init(directory: consuming FileDescriptor) {
        file = directory
        index = nil
    }

    init(archive: consuming FileDescriptor, _ index: ArchiveIndex) {
        file = archive
        self.index = index
    }

    /// - Returns: nil when there is no such file. The part is good until the next call.
    func open(_ path: String) throws(BundleError) -> Part? {
        if let index {
            return index[path].map { Part(descriptor: file.rawValue, extent: $0) }
        }
        return try explain("cannot open \(path)") { () throws(SystemError) in
            // A link may stay inside the layout, not lead out of it: what it names would become part of the bundle.
            let directory = RootDirectory(try file.duplicate())
            guard let found = try directory.openIfPresent(path, .path) else { return nil }
            let opened = try openRegularFile(found, path)
            let size = UInt64(try opened.size())
            let part = Part(
                descriptor: opened.rawValue, extent: ArchiveIndex.Extent(offset: 0, count: size))
            current = consume opened
            return part
        }
    }

    /// The whole of a small file; nil when there is none.
    func read(_ path: String, limit: Int = 4 << 20) throws(BundleError) -> [UInt8]? {
        guard let part = try open(path) else { return nil }
        guard part.extent.count <= UInt64(limit) else {
            throw BundleError("\(path) of \(part.extent.count) bytes is longer than the \(limit) that are read of it")
        }
        return try explain("cannot read \(path)") { () throws(SystemError) in
            try readBytes(part.descriptor, at: part.extent.offset, upTo: Int(part.extent.count))
        }
    }

    // MARK: - Blobs

    /// The path of a blob, image-layout.md.
    static func path(of digest: Digest) -> String { "blobs/sha256/\(digest.hex)" }

    /// The content of a small blob, verified.
    func read(_ blob: Descriptor) throws(BundleError) -> [UInt8] {
        let digest = blob.digest
        guard let bytes = try read(Self.path(of: digest)) else { throw Self.missing(digest) }
        guard UInt64(bytes.count) == blob.size else {
            throw BundleError("the blob \(digest) has \(bytes.count) bytes, not the \(blob.size) it should have")
        }
        guard SHA256.digest(of: bytes) == digest else { throw Self.mismatch(digest) }
        return bytes
    }

    static func missing(_ digest: Digest) -> BundleError { BundleError("the blob \(digest) is not in the image") }

    static func mismatch(_ digest: Digest) -> BundleError {
        BundleError("the content of the blob \(digest) is another than its name says: damaged or changed")
    }
}
