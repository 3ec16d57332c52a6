internal import LinuxSystem

/// Where the files of an archive lie in it, so that they can be read in any order.
struct ArchiveIndex {
    /// A stretch of a file.
    struct Extent: Equatable {
        let offset: Int64
        let count: UInt64
    }

    private var extents: [[UInt8]: Extent] = [:]
    /// Links of an archive to its own files: old archives of `docker save` have each layer once.
    private var links: [[UInt8]: [UInt8]] = [:]

    private static let maximumMembers = 100_000

    /// - Parameter accepts: whether a member may be in the archive, by the first component of its path and the whole.
    /// - Returns: nil as soon as one may not.
    init?(_ archive: borrowing FileDescriptor, accepts: ([UInt8], EntryPath) -> Bool) throws(BundleError) {
        let size = try explain("cannot read the archive") { () throws(SystemError) in try archive.size() }
        let fd = archive.rawValue
        var position: Int64 = 0
        let stream = ByteStream(
            capacity: 16 * 1024,
            skip: { (count) throws(BundleError) in
                let skipped = min(count, UInt64(max(0, size - position)))
                position += Int64(skipped)
                return skipped
            },
            refill: { (buffer) throws(BundleError) in
                let filled = try explain("cannot read the archive") { () throws(SystemError) in
                    try readOnce(fd, into: buffer, at: position)
                }
                position += Int64(filled)
                return filled
            })
        var reader = TarReader(stream)
        var members = 0
        while let entry = try reader.next() {
            let path = try EntryPath(entry.path)
            let full = path.full
            guard !full.isEmpty else { continue }
            let first = Array(full.prefix { $0 != UInt8(ascii: "/") })
            guard accepts(first, path) else { return nil }
            members += 1
            guard members <= Self.maximumMembers else { throw BundleError("the archive has too many members") }
            switch entry.kind {
            case .regular where entry.segments == nil:
                extents[full] = Extent(offset: Int64(reader.dataOffset), count: reader.storedSize)
            case .symbolicLink:
                links[full] = Self.resolve(entry.link, from: path.directory)
            case .hardLink:
                links[full] = try EntryPath(entry.link).full
            default: break
            }
        }
    }

    /// nil when there is no such file.
    subscript(path: String) -> Extent? {
        var path = Array(path.utf8)
        for _ in 0..<8 {
            if let extent = extents[path] { return extent }
            guard let target = links[path] else { return nil }
            path = target
        }
        return nil
    }

    /// The path that a link means, inside the archive.
    private static func resolve(_ link: [UInt8], from directory: [UInt8]) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        var components = link.first == slash ? [] : directory.split(separator: slash)
        for component in link.split(separator: slash) where component != [UInt8(ascii: ".")] {
            if component.elementsEqual("..".utf8) { _ = components.popLast() } else { components.append(component) }
        }
        return Array(components.joined(separator: [slash]))
    }
}
