internal import LinuxSystem

/// A tar archive of a root filesystem, compressed or not.
final class TarSource: ImageSource {
    private let file: FileDescriptor

    init(_ file: consuming FileDescriptor) { self.file = file }

    func layout(_ work: Work) throws(BundleError) -> String {
        let archive = try open(work)
        var reader = TarReader(archive.stream)
        var members = 0
        var size: UInt64 = 0
        while let entry = try reader.next() {
            try work.admit(bytes: reader.storedSize, files: 1)
            if members.isMultiple(of: 64) { try work.checkpoint() }
            members += 1
            size += entry.segments == nil ? entry.size : reader.storedSize
        }
        return "tar archive, compression \(archive.compression.rawValue), \(members) members, \(size) bytes\n"
    }

    func produce(in rootfs: borrowing FileDescriptor, _ work: Work) throws(BundleError) -> ImageFacts {
        let size = try explain("cannot read the archive") { () throws(SystemError) in try file.size() }
        work.progress.begin("unpacking", total: UInt64(size))
        let archive = try open(work)
        let tree = try TreeWriter(rootfs, work)
        var reader = TarReader(archive.stream)
        var isEmpty = true
        while let entry = try reader.next() {
            isEmpty = false
            try tree.add(entry, &reader)
        }
        _ = try archive.finish()
        // Nothing else tells whether this is all of it: there is no digest.
        guard reader.hasEndMark, !isEmpty else {
            throw BundleError(isEmpty ? "the archive is empty" : "truncated: the archive has no end mark")
        }
        try tree.finish()
        work.progress.finish()
        return try ImageFacts.ofTree(rootfs, work, format: .tar)
    }

    func release() {}

    private func open(_ work: Work) throws(BundleError) -> ArchiveInput {
        let size = try explain("cannot read the archive") { () throws(SystemError) in try file.size() }
        return try ArchiveInput(
            file.rawValue, ArchiveIndex.Extent(offset: 0, count: UInt64(size)), work, sums: false)
    }
}
