/// The header of a qcow2 image (QEMU's docs/interop/qcow2.txt), read and judged before any other program sees the file.
struct Qcow2Header: Equatable {
    var version: UInt32
    var clusterBits: UInt32
    /// The size of the disk, in bytes.
    var virtualSize: UInt64
    var level1Size: UInt64
    var level1Offset: UInt64
    /// The size of a level 2 entry: 16 with a bitmap of parts of a cluster behind each.
    var entrySize = 8
    var backing: Backing?
    var snapshots: [Snapshot] = []

    struct Backing: Equatable {
        var name: String
        /// As the image says; empty when it does not.
        var format: String
    }

    struct Snapshot: Equatable {
        var id: String
        var name: String
        var level1Offset: UInt64
        var level1Size: UInt64
        /// nil: the size of the disk now.
        var virtualSize: UInt64?
    }

    var clusterSize: UInt64 { 1 << UInt64(clusterBits) }

    /// QEMU's own limit for a level 1 table, QCOW_MAX_L1_SIZE.
    private static let mostLevel1Bytes: UInt64 = 32 << 20

    /// - Throws: what is wrong with the image, for a message that begins with its name
    init(_ file: some ByteSource) throws(BundleError) {
        guard let head = try file.bytesIfPresent(at: 0, count: 72) else { throw BundleError("truncated: no header") }
        version = head.big32(4)
        guard version == 2 || version == 3 else { throw BundleError("qcow2 version \(version) is not known") }
        clusterBits = head.big32(20)
        guard (9...21).contains(clusterBits) else {
            throw BundleError("clusters of 2^\(clusterBits) bytes are not allowed in qcow2")
        }
        virtualSize = head.big64(24)
        guard virtualSize > 0, virtualSize < 1 << 56 else {
            throw BundleError("a disk of \(virtualSize) bytes is not possible")
        }
        guard head.big32(32) == 0 else { throw BundleError("encrypted: not supported") }
        level1Size = UInt64(head.big32(36))
        level1Offset = head.big64(40)
        try checkFeatures(file)
        try readBacking(file, at: head.big64(8), length: head.big32(16))
        try checkTable("the level 1 table", at: level1Offset, bytes: level1Size * 8, most: Self.mostLevel1Bytes, file)
        let perTable = clusterSize / UInt64(entrySize)
        let covered = (virtualSize + clusterSize - 1) / clusterSize
        guard (covered + perTable - 1) / perTable <= level1Size else {
            throw BundleError("the level 1 table has \(level1Size) entries, too few for \(virtualSize) bytes")
        }
        try checkTable(
            "the refcount table", at: head.big64(48), bytes: UInt64(head.big32(56)) * clusterSize, most: 8 << 20, file)
        snapshots = try readSnapshots(file, count: head.big32(60), at: head.big64(64))
        try checkClusters(file, level1Offset, level1Size)
    }

    private func checkTable(
        _ what: String, at offset: UInt64, bytes: UInt64, most: UInt64, _ file: some ByteSource
    ) throws(BundleError) {
        guard bytes <= most else { throw BundleError("\(what) has \(bytes) bytes, which is not sensible") }
        guard offset % clusterSize == 0 else { throw BundleError("\(what) is not at the beginning of a cluster") }
        guard offset <= file.size, bytes <= file.size - offset else {
            throw BundleError("truncated: \(what) at \(offset) lies beyond the end (\(file.size) bytes)")
        }
    }

    // MARK: - Features and extensions

    private mutating func checkFeatures(_ file: some ByteSource) throws(BundleError) {
        var place: UInt64 = 72
        if version == 3 {
            guard let more = try file.bytesIfPresent(at: 72, count: 32) else {
                throw BundleError("truncated: no header")
            }
            let incompatible = more.big64(0)
            if incompatible & 0x2 != 0 {
                throw BundleError("marked as corrupt", hint: "qemu-img check -r all may mend it")
            }
            if incompatible & 0x4 != 0 {
                let name = try externalDataFile(file, from: UInt64(more.big32(28))) ?? ""
                throw BundleError("refers to external data file \"\(name)\"; never allowed")
            }
            // 1: dirty refcounts, 8: the compression type, 16: extended level 2 entries
            guard incompatible & ~0x1f == 0 else {
                throw BundleError("uses unknown features (0x\(hexadecimal(incompatible, width: 1)))")
            }
            if incompatible & 0x10 != 0 { entrySize = 16 }
            guard more.big32(24) <= 6 else { throw BundleError("refcounts of 2^\(more.big32(24)) bits are not known") }
            place = UInt64(more.big32(28))
            guard place >= 104, place <= clusterSize, place % 8 == 0 else {
                throw BundleError("a header of \(place) bytes is not sensible")
            }
            if place > 104, let type = try file.bytesIfPresent(at: 104, count: 1), type[0] > 1 {
                throw BundleError("compression type \(type[0]) is not known")
            }
        }
        if let name = try externalDataFile(file, from: place) {
            throw BundleError("refers to external data file \"\(name)\"; never allowed")
        }
    }

    /// The text of the header extension 0x44415441, external data file name.
    private func externalDataFile(_ file: some ByteSource, from start: UInt64) throws(BundleError) -> String? {
        try eachExtension(file, from: start) { (type, content) in
            type == 0x4441_5441 ? String(decoding: content, as: UTF8.self) : nil
        }
    }

    /// Hands the header extensions to `body` until it returns something.
    private func eachExtension(
        _ file: some ByteSource, from start: UInt64, _ body: (UInt32, [UInt8]) -> String?
    ) throws(BundleError) -> String? {
        var place = start
        while place <= clusterSize - 8, let head = try file.bytesIfPresent(at: place, count: 8) {
            let (type, length) = (head.big32(0), UInt64(head.big32(4)))
            if type == 0 { return nil }
            place += 8
            guard length <= clusterSize - place else {
                throw BundleError("a header extension is longer than the header")
            }
            if type == 0x0537_be77 { throw BundleError("encrypted: not supported") }
            guard let content = try file.bytesIfPresent(at: place, count: Int(length)) else {
                throw BundleError("truncated: the header extensions lie beyond the end")
            }
            if let found = body(type, content) { return found }
            place += (length + 7) / 8 * 8
        }
        return nil
    }

    private mutating func readBacking(
        _ file: some ByteSource, at offset: UInt64, length: UInt32
    ) throws(BundleError) {
        guard offset != 0 else { return }
        guard length > 0, length < 1024, offset < clusterSize, UInt64(length) <= clusterSize - offset,
            let bytes = try file.bytesIfPresent(at: offset, count: Int(length))
        else { throw BundleError("the name of the backing file lies beyond the header") }
        let start = version == 2 ? 72 : UInt64(try file.bytes(at: 100, count: 4).big32(0))
        let format = try eachExtension(file, from: start) { (type, content) in
            type == 0xe279_2aca ? String(decoding: content, as: UTF8.self) : nil
        }
        backing = Backing(name: String(decoding: bytes, as: UTF8.self), format: format ?? "")
    }

    // MARK: - Snapshots

    private func readSnapshots(
        _ file: some ByteSource, count: UInt32, at offset: UInt64
    ) throws(BundleError) -> [Snapshot] {
        guard count > 0 else { return [] }
        guard count <= 65536 else { throw BundleError("\(count) snapshots are not sensible") }
        guard offset % clusterSize == 0, offset < file.size else {
            throw BundleError("truncated: the snapshot table at \(offset) lies beyond the end (\(file.size) bytes)")
        }
        var found: [Snapshot] = []
        var place = offset
        for _ in 0..<count {
            guard let head = try file.bytesIfPresent(at: place, count: 40) else {
                throw BundleError("truncated: the snapshot table lies beyond the end")
            }
            let (idSize, nameSize, extra) = (Int(head.big16(12)), Int(head.big16(14)), Int(head.big32(36)))
            guard extra <= 1024, let rest = try file.bytesIfPresent(at: place + 40, count: extra + idSize + nameSize)
            else { throw BundleError("an entry of the snapshot table is not sensible") }
            found.append(
                Snapshot(
                    id: rest.text(extra..<(extra + idSize)),
                    name: rest.text((extra + idSize)..<(extra + idSize + nameSize)),
                    level1Offset: head.big64(0), level1Size: UInt64(head.big32(8)),
                    virtualSize: extra >= 16 ? rest.big64(8) : nil))
            place += UInt64(40 + extra + idSize + nameSize + 7) / 8 * 8
        }
        return found
    }

    /// The snapshot of that id or name, checked like the disk itself.
    func snapshot(_ wanted: String, _ file: some ByteSource) throws(BundleError) -> Snapshot {
        guard let found = snapshots.first(where: { $0.name == wanted }) ?? snapshots.first(where: { $0.id == wanted })
        else {
            let names = snapshots.map { "\"\($0.name)\"" }.joined(separator: ", ")
            throw BundleError(
                "has no snapshot \"\(wanted)\"", hint: names.isEmpty ? "it has none at all" : "it has \(names)")
        }
        try checkTable(
            "the level 1 table of a snapshot", at: found.level1Offset, bytes: found.level1Size * 8,
            most: Self.mostLevel1Bytes, file)
        try checkClusters(file, found.level1Offset, found.level1Size)
        return found
    }

    // MARK: - Clusters

    /// Whether everything that the tables name is there: of a file that was cut off, QEMU would read zeros.
    private func checkClusters(_ file: some ByteSource, _ offset: UInt64, _ count: UInt64) throws(BundleError) {
        // The bits of an entry that are a place in the file.
        let mask: UInt64 = 0x00ff_ffff_ffff_fe00
        let level1 = try file.bytes(at: offset, count: Int(count) * 8)
        // Larger disks have more of them; those are looked at when they are read.
        var tablesLeft: UInt64 = (64 << 20) / clusterSize
        let end = (file.size + clusterSize - 1) / clusterSize * clusterSize
        for index in 0..<Int(count) {
            let table = level1.big64(8 * index) & mask
            if table == 0 { continue }
            guard table % clusterSize == 0, table <= file.size, clusterSize <= file.size - table else {
                throw BundleError("truncated: a level 2 table at \(table) lies beyond the end (\(file.size) bytes)")
            }
            guard tablesLeft > 0 else { continue }
            tablesLeft -= 1
            let last = try largestPlace(try file.bytes(at: table, count: Int(clusterSize)), mask)
            guard last < end else {
                throw BundleError("truncated: data at \(last) lies beyond the end (\(file.size) bytes)")
            }
        }
    }

    private func largestPlace(_ table: [UInt8], _ mask: UInt64) throws(BundleError) -> UInt64 {
        // Of compressed clusters only some bits are the place, and the data may begin anywhere.
        let compressedMask: UInt64 = (1 << (62 - (UInt64(clusterBits) - 8))) - 1
        var largest: UInt64 = 0
        table.withUnsafeBytes { bytes in
            let words = bytes.bindMemory(to: UInt64.self)
            for index in stride(from: 0, to: words.count, by: entrySize / 8) where words[index] != 0 {
                let entry = UInt64(bigEndian: words[index])
                let isCompressed = entry & 1 << 62 != 0
                largest = max(largest, entry & (isCompressed ? compressedMask : mask))
            }
        }
        return largest
    }
}
