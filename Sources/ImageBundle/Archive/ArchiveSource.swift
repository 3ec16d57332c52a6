internal import LinuxSystem

/// Opens archives: what looks like a tar may hold a tree of files or a container image.
enum ArchiveSource {
    /// - Parameter format: `tar`, `ociArchive` or `dockerArchive` where the user says so, nil to look.
    static func open(_ path: String, _ format: SourceKind?, _ work: Work) throws(BundleError) -> any ImageSource {
        let file = try explain("cannot open the archive") { () throws(SystemError) in
            try openRegularFile(try FileDescriptor.open(path, .path), path)
        }
        if format == .tar { return TarSource(file) }
        let size = try explain("cannot read the archive") { () throws(SystemError) in try file.size() }
        let head = try explain("cannot read the archive") { () throws(SystemError) in try file.read(at: 0, upTo: 6) }
        guard Compression(head: head) != .none else { return try open(plain: file, format) }
        if format == nil, try !holdsImage(file, size, work) { return TarSource(file) }
        // The parts of an image are read in another order than that of the archive.
        return try open(plain: try decompressed(file, size, work), format)
    }

    private static func open(
        plain file: consuming FileDescriptor, _ format: SourceKind?
    ) throws(BundleError) -> any ImageSource {
        let index = try ArchiveIndex(file) { (first, path) in format != nil || isImageMember(first) }
        guard let index else { return TarSource(file) }
        let isLayout = index["oci-layout"] != nil && index["index.json"] != nil
        let kind = format ?? (index["manifest.json"] != nil ? .dockerArchive : isLayout ? .ociArchive : .tar)
        switch kind {
        case .dockerArchive: return try ContainerImageSource(docker: ImageStore(archive: file, index))
        case .ociArchive: return try ContainerImageSource(layout: ImageStore(archive: file, index), .ociArchive)
        default: return TarSource(file)
        }
    }

    /// Names at the top of the archives that skopeo, podman, buildah and docker make. One that is none of these, and the
    /// archive is a tree of files.
    static func isImageMember(_ first: [UInt8]) -> Bool {
        for name in ["blobs", "oci-layout", "index.json", "manifest.json", "repositories"]
        where first.elementsEqual(name.utf8) {
            return true
        }
        // "0123...ef/layer.tar", "0123...ef.tar", "0123...ef.json"
        guard Digest(hex: first.prefix(64)) != nil else { return false }
        let rest = first.dropFirst(64)
        return rest.isEmpty || rest.elementsEqual(".tar".utf8) || rest.elementsEqual(".json".utf8)
    }

    /// Whether the first name in a compressed archive is one of an image's.
    private static func holdsImage(
        _ file: borrowing FileDescriptor, _ size: Int64, _ work: Work
    ) throws(BundleError) -> Bool {
        let archive = try ArchiveInput(
            file.rawValue, ArchiveIndex.Extent(offset: 0, count: UInt64(size)), work, sums: false)
        var reader = TarReader(archive.stream)
        while let entry = try reader.next() {
            let path = try EntryPath(entry.path).full
            if !path.isEmpty { return isImageMember(Array(path.prefix { $0 != UInt8(ascii: "/") })) }
        }
        return false
    }

    /// The archive as a file without a name, which goes away by itself.
    private static func decompressed(
        _ file: borrowing FileDescriptor, _ size: Int64, _ work: Work
    ) throws(BundleError) -> FileDescriptor {
        let place = Self.directory(of: work.request.output)
        let copy = try explain("cannot make a temporary file in \(place)") { () throws(SystemError) in
            try FileDescriptor.open(place, [.readWrite, .unnamed], mode: 0o600)
        }
        work.progress.begin("decompressing", total: UInt64(size))
        let archive = try ArchiveInput(
            file.rawValue, ArchiveIndex.Extent(offset: 0, count: UInt64(size)), work, sums: false)
        let descriptor = copy.rawValue
        var written: UInt64 = 0
        _ = try archive.stream.forEach(upTo: .max) { (piece) throws(BundleError) in
            written += UInt64(piece.count)
            guard written <= work.request.maximumBytes else {
                throw BundleError(
                    "unpacks to more than \(work.request.maximumBytes) bytes", hint: "--max-size allows more")
            }
            try work.checkpoint()
            try explain("cannot write a temporary file in \(place)") { () throws(SystemError) in
                try writeAll(piece, to: descriptor)
            }
        }
        _ = try archive.finish()
        work.progress.finish()
        return copy
    }

    private static func directory(of output: String) -> String {
        guard !output.isEmpty else { return "/var/tmp" }
        guard let slash = output.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == output.startIndex ? "/" : String(output[..<slash])
    }
}
