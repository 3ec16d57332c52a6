/// Reads a tar archive from front to back: POSIX ustar and pax, GNU (long names, sparse files), old V7.
///
/// Nothing that the archive says is believed before it was checked, and no more is kept of it in memory than one
/// extended header.
package struct TarReader {
    private let stream: ByteStream
    /// Bytes of the current member that were not handed out yet, and the padding behind them.
    private var left: UInt64 = 0
    private var padding: UInt64 = 0
    private var globals = PaxRecords()
    /// Whether the two blocks of zeros at the end were there.
    package private(set) var hasEndMark = false

    static let truncated = BundleError("truncated: the archive ends in the middle of a member")

    package init(_ stream: ByteStream) { self.stream = stream }

    /// How far into the archive the data of the current member begins.
    package var dataOffset: UInt64 { stream.position }
    /// How many bytes of data the current member has in the archive.
    package var storedSize: UInt64 { left }

    /// The next member; nil at the end. What was not read of the one before is skipped.
    package mutating func next() throws(BundleError) -> TarEntry? {
        var extensions = Extensions()
        while true {
            try skipData()
            let block = try stream.window(atLeast: TarHeader.size)
            if block.count < TarHeader.size || TarHeader.isZero(UnsafeRawBufferPointer(rebasing: block.prefix(512))) {
                guard extensions.isEmpty, block.isEmpty || block.count >= TarHeader.size else { throw Self.truncated }
                hasEndMark = !block.isEmpty
                return nil
            }
            let raw = UnsafeRawBufferPointer(rebasing: block.prefix(TarHeader.size))
            let header = try TarHeader(raw)
            guard try !extensions.take(header, &self) else { continue }
            // The sparse map may reach into the following blocks, so the header has to be looked at while it is there.
            return try entry(header, raw, extensions)
        }
    }

    /// Hands out the data of the current member in pieces. Of a file with holes: only what is stored.
    package mutating func readData(
        upTo count: UInt64, _ body: (UnsafeRawBufferPointer) throws(BundleError) -> Void
    ) throws(BundleError) {
        let wanted = min(count, left)
        guard try stream.forEach(upTo: wanted, body) == wanted else { throw Self.truncated }
        left -= wanted
    }

    private mutating func skipData() throws(BundleError) {
        if left > 0 {
            guard try stream.skip(left) == left else { throw Self.truncated }
        }
        // Some programs neither fill the last block nor mark the end. With the data all there is.
        if padding > 0 { _ = try stream.skip(padding) }
        (left, padding) = (0, 0)
    }

    private mutating func begin(_ size: UInt64) {
        left = size
        padding = (512 - size % 512) % 512
    }

    /// The whole data of a small member.
    private mutating func readAll(limit: Int, _ what: StaticString) throws(BundleError) -> [UInt8] {
        guard left <= UInt64(limit) else { throw BundleError("\(what) of \(left) bytes is longer than any can be") }
        let bytes = try stream.read(Int(left))
        guard bytes.count == Int(left) else { throw Self.truncated }
        left = 0
        return bytes
    }

    /// What the members before a member say about it.
    private struct Extensions {
        var path: [UInt8]?
        var link: [UInt8]?
        var records: PaxRecords?

        var isEmpty: Bool { path == nil && link == nil && records == nil }

        /// False when the header is a member's own.
        mutating func take(_ header: TarHeader, _ reader: inout TarReader) throws(BundleError) -> Bool {
            switch header.type {
            case UInt8(ascii: "x"), UInt8(ascii: "X"), UInt8(ascii: "g"):
                reader.consume(header)
                let bytes = try reader.readAll(limit: PaxRecords.maximumSize, "an extended header")
                let parsed = try PaxRecords(parsing: bytes)
                if header.type == UInt8(ascii: "g") { reader.globals = parsed } else { records = parsed }
            case UInt8(ascii: "L"):
                reader.consume(header)
                path = try Self.text(try reader.readAll(limit: PaxRecords.maximumSize, "a long name"))
            case UInt8(ascii: "K"):
                reader.consume(header)
                link = try Self.text(try reader.readAll(limit: PaxRecords.maximumSize, "a long link"))
            case UInt8(ascii: "V"):
                reader.consume(header)  // the name of the tape
            default:
                return false
            }
            return true
        }

        private static func text(_ bytes: [UInt8]) throws(BundleError) -> [UInt8] { Array(bytes.prefix { $0 != 0 }) }
    }

    private mutating func consume(_ header: TarHeader) {
        stream.consume(TarHeader.size)
        begin(header.size)
    }

    private mutating func entry(
        _ header: TarHeader, _ block: UnsafeRawBufferPointer, _ extensions: Extensions
    ) throws(BundleError) -> TarEntry {
        var entry = TarEntry()
        let records = extensions.records ?? PaxRecords()
        entry.path = records["path"].map(Array.init) ?? extensions.path ?? header.name
        entry.link = records["linkpath"].map(Array.init) ?? extensions.link ?? header.linkName
        let named = try Self.kind(of: header.type, entry.path)
        entry.kind = named
        // Before POSIX a directory was a file whose name ends in a slash.
        if header.type == UInt8(ascii: "0"), entry.path.last == UInt8(ascii: "/") { entry.kind = .directory }
        try apply(header, records, to: &entry)
        let stored = try records.unsigned("size", upTo: UInt64(Int64.max - 1024)) ?? header.size
        // Only files have data; the size of a link is that of the file in some archives. GNU's incremental archives
        // store the names in a directory.
        let hasData = entry.kind == .regular || header.type == UInt8(ascii: "D")
        if header.type == UInt8(ascii: "S") {
            let copy = [UInt8](block)
            consume(header)
            var map = SparseMap()
            entry.size = try copy.withUnsafeBufferPointer { (bytes) throws(BundleError) in
                try map.readOldGNU(header: UnsafeRawBufferPointer(bytes), stream)
            }
            begin(stored)
            try finish(&entry, map)
        } else {
            stream.consume(TarHeader.size)
            begin(hasData ? stored : 0)
            entry.size = entry.kind == .regular ? stored : 0
            if entry.kind == .regular, let records = extensions.records { try readSparse(&entry, records) }
        }
        guard !entry.path.contains(0), !entry.link.contains(0) else {
            throw BundleError("the name \(shown(entry.path)) has a zero byte in it")
        }
        return entry
    }

    private static func kind(of type: UInt8, _ path: [UInt8]) throws(BundleError) -> TarEntry.Kind {
        switch type {
        case UInt8(ascii: "0"), UInt8(ascii: "7"), UInt8(ascii: "S"): return .regular
        case UInt8(ascii: "1"): return .hardLink
        case UInt8(ascii: "2"): return .symbolicLink
        case UInt8(ascii: "3"): return .characterDevice
        case UInt8(ascii: "4"): return .blockDevice
        case UInt8(ascii: "5"), UInt8(ascii: "D"): return .directory
        case UInt8(ascii: "6"): return .fifo
        default: throw BundleError("\(shown(path)) is of type \(shown([type])), which is no kind of file that is known")
        }
    }

    /// Everything but names and data. A member's own records go before those of the whole archive.
    private func apply(_ header: TarHeader, _ records: PaxRecords, to entry: inout TarEntry) throws(BundleError) {
        (entry.mode, entry.uid, entry.gid) = (header.mode, header.uid, header.gid)
        (entry.major, entry.minor) = (header.major, header.minor)
        entry.modified = Timestamp(seconds: header.modified)
        for list in [globals, records] where !list.records.isEmpty {
            let highest = UInt64(UInt32.max) - 1
            if let uid = try list.unsigned("uid", upTo: highest) { entry.uid = UInt32(uid) }
            if let gid = try list.unsigned("gid", upTo: highest) { entry.gid = UInt32(gid) }
            if let major = try list.unsigned("SCHILY.devmajor", upTo: 0xfff) { entry.major = UInt32(major) }
            if let minor = try list.unsigned("SCHILY.devminor", upTo: 0xfffff) { entry.minor = UInt32(minor) }
            if let time = try list.time("mtime") { entry.modified = time }
            if let time = try list.time("atime") { entry.accessed = time }
        }
        if !records.records.isEmpty { entry.attributes = try records.extendedAttributes() }
    }

    /// GNU's sparse files in pax archives.
    private mutating func readSparse(_ entry: inout TarEntry, _ records: PaxRecords) throws(BundleError) {
        let most = UInt64(Int64.max - 1024)
        if let name = records["GNU.sparse.name"] { entry.path = Array(name) }
        if let major = try records.unsigned("GNU.sparse.major", upTo: most), major > 0 {
            let minor = try records.unsigned("GNU.sparse.minor", upTo: most) ?? 0
            guard major == 1, minor == 0 else {
                throw BundleError("\(shown(entry.path)) is a sparse file of the unknown format \(major).\(minor)")
            }
            guard let size = try records.unsigned("GNU.sparse.realsize", upTo: most) else {
                throw BundleError("\(shown(entry.path)) is a sparse file without its size")
            }
            entry.size = size
            var map = SparseMap()
            left -= try map.readLines(stream, upTo: left)
            return try finish(&entry, map)
        }
        let size =
            if let size = try records.unsigned("GNU.sparse.realsize", upTo: most) { size } else {
                try records.unsigned("GNU.sparse.size", upTo: most)
            }
        guard let size else { return }
        entry.size = size
        try finish(&entry, try SparseMap(records: records))
    }

    private func finish(_ entry: inout TarEntry, _ map: SparseMap) throws(BundleError) {
        try map.validate(size: entry.size, stored: left)
        entry.segments = map.segments
    }
}
