// The headers of the formats that swrun does not write: read and judged before QEMU sees the file. What matters is that
// none of them can name another file.

/// Hands the 32-bit numbers of a table to `body`. Larger tables than any sensible disk has are not looked at as a whole.
private func eachPlace(
    _ file: some ByteSource, at offset: UInt64, count: UInt64, _ body: (UInt64) throws(BundleError) -> Void
) throws(BundleError) {
    let step: UInt64 = 1 << 18
    var done: UInt64 = 0
    while done < min(count, 1 << 24) {
        let some = min(step, count - done)
        guard let bytes = try file.bytesIfPresent(at: offset + done * 4, count: Int(some) * 4) else {
            throw BundleError("truncated: a table lies beyond the end (\(file.size) bytes)")
        }
        for index in 0..<Int(some) { try body(UInt64(bytes.little32(4 * index))) }
        done += some
    }
}

/// VMware's sparse extents ("Virtual Disk Format 5.0").
enum VMDKHeader {
    static func check(_ file: some ByteSource) throws(BundleError) {
        if try file.bytesIfPresent(at: 0, count: 21)?.has("# Disk DescriptorFile", at: 0) == true {
            throw BundleError(
                "is a descriptor that names other files; never allowed",
                hint: "qemu-img convert makes one file of it, where you trust it")
        }
        guard let head = try file.bytesIfPresent(at: 0, count: 512) else { throw BundleError("truncated: no header") }
        guard head.has("KDMV", at: 0) else { throw BundleError("this kind of vmdk is not supported") }
        try checkSparse(head, file)
        // A file that was written as a stream has its true header near the end.
        if head.little64(56) == .max {
            guard file.size >= 2048, let footer = try file.bytesIfPresent(at: file.size - 1024, count: 512),
                footer.has("KDMV", at: 0)
            else { throw BundleError("truncated: no footer") }
            try checkSparse(footer, file)
            guard footer.little64(56) != .max else { throw BundleError("the footer names no grain directory") }
        }
        try checkDescriptor(head, file)
    }

    private static func checkSparse(_ head: [UInt8], _ file: some ByteSource) throws(BundleError) {
        guard (1...3).contains(head.little32(4)) else {
            throw BundleError("vmdk version \(head.little32(4)) is not known")
        }
        let (capacity, grain, entries) = (head.little64(12), head.little64(20), UInt64(head.little32(44)))
        // QEMU takes a capacity of 0 for "look into the descriptor", which may name other files.
        guard capacity > 0, capacity < 1 << 47 else {
            throw BundleError("a disk of \(capacity) sectors is not possible")
        }
        guard grain >= 8, grain <= 1 << 18, grain & (grain - 1) == 0, entries > 0, entries <= 512 else {
            throw BundleError("grains of \(grain) sectors in tables of \(entries) are not sensible")
        }
        let sectors = file.size / 512
        let tables = (capacity + grain * entries - 1) / (grain * entries)
        guard tables <= 8 << 20 else {
            throw BundleError("the grain directory has \(tables) entries, which is not sensible")
        }
        let directory = head.little64(56)
        if directory != .max {
            guard directory <= sectors, tables * 4 <= file.size - directory * 512 else {
                throw BundleError("truncated: the grain directory lies beyond the end (\(file.size) bytes)")
            }
            try eachPlace(file, at: directory * 512, count: tables) { (table) throws(BundleError) in
                guard table > 1 else { return }
                guard table <= sectors, entries * 4 <= file.size - table * 512 else {
                    throw BundleError("truncated: a grain table lies beyond the end (\(file.size) bytes)")
                }
                try eachPlace(file, at: table * 512, count: entries) { (place) throws(BundleError) in
                    guard place < sectors else {
                        throw BundleError("truncated: data lies beyond the end (\(file.size) bytes)")
                    }
                }
            }
        }
    }

    /// The text in the file that describes it, and could name a parent.
    private static func checkDescriptor(_ head: [UInt8], _ file: some ByteSource) throws(BundleError) {
        let (start, count) = (head.little64(28), head.little64(36))
        guard start > 0, count > 0, count <= 128, start <= file.size / 512,
            let bytes = try file.bytesIfPresent(at: start * 512, count: Int(count) * 512)
        else { throw BundleError("has no descriptor of a sensible size") }
        // QEMU looks for words anywhere in 20 sectors from the second one on.
        let around = try file.bytesIfPresent(at: 512, count: Int(min(20 * 512, file.size - 512))) ?? []
        for text in [bytes, around] {
            guard !contains(text, "parentFileNameHint") else {
                throw BundleError("refers to a parent image; never allowed")
            }
        }
        guard contains(bytes, "createType=\"monolithicSparse\"") || contains(bytes, "createType=\"streamOptimized\"")
        else {
            throw BundleError("only vmdk of the types monolithicSparse and streamOptimized are supported")
        }
    }

    private static func contains(_ bytes: [UInt8], _ word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard bytes.count >= length else { return false }
        for start in 0...(bytes.count - length) where bytes[start] == word.utf8Start[0] && bytes.has(word, at: start) {
            return true
        }
        return false
    }
}

/// VirtualBox's format.
enum VDIHeader {
    static func check(_ file: some ByteSource) throws(BundleError) {
        guard let head = try file.bytesIfPresent(at: 0, count: 512) else { throw BundleError("truncated: no header") }
        guard head.little32(68) >> 16 == 1 else { throw BundleError("this version of vdi is not known") }
        let type = head.little32(76)
        guard type == 1 || type == 2 else { throw BundleError("refers to a parent image; never allowed") }
        guard head[424..<456].allSatisfy({ $0 == 0 }) else {
            throw BundleError("refers to a parent image; never allowed")
        }
        let (size, block, count) = (head.little64(368), UInt64(head.little32(376)), UInt64(head.little32(384)))
        guard block == 1 << 20, count > 0, count <= 0x3fff_ffff, size > 0, size <= count * block else {
            throw BundleError("\(count) blocks of \(block) bytes for a disk of \(size) are not sensible")
        }
        let (map, data) = (UInt64(head.little32(340)), UInt64(head.little32(344)))
        guard map <= file.size, count * 4 <= file.size - map, data <= file.size else {
            throw BundleError("truncated: the block map at \(map) lies beyond the end (\(file.size) bytes)")
        }
        try eachPlace(file, at: map, count: count) { (place) throws(BundleError) in
            // The two highest numbers say that there is no block.
            guard place >= 0xffff_fffe || data + place * block < file.size else {
                throw BundleError("truncated: data lies beyond the end (\(file.size) bytes)")
            }
        }
    }
}

/// Microsoft's newer format, [MS-VHDX].
enum VHDXHeader {
    private static let metadataRegion = "8b7ca206-4790-4b9a-b8fe-575f050f886e"
    private static let blockRegion = "2dc27766-f623-4200-9d64-115e9bfd4a08"
    private static let fileParameters = "caa16737-fa36-4d43-b3b6-33f0aa44e76b"
    private static let parentLocator = "a8d35f2d-b30b-454d-abf7-d3d84834ab0c"

    static func check(_ file: some ByteSource) throws(BundleError) {
        guard let table = try file.bytesIfPresent(at: 192 << 10, count: 64 << 10), table.has("regi", at: 0) else {
            throw BundleError("truncated: no region table")
        }
        let count = Int(table.little32(8))
        guard count <= 2047 else { throw BundleError("\(count) regions are not sensible") }
        var metadata: UInt64?
        for index in 0..<count {
            let at = 16 + 32 * index
            let (offset, length) = (table.little64(at + 16), UInt64(table.little32(at + 24)))
            guard offset >= 1 << 20, offset <= file.size, length <= file.size - offset else {
                throw BundleError("truncated: a region at \(offset) lies beyond the end (\(file.size) bytes)")
            }
            if table.guid(at) == metadataRegion { metadata = offset }
            if table.guid(at) == blockRegion { try checkBlocks(file, at: offset, bytes: length) }
        }
        guard let metadata else { throw BundleError("has no metadata") }
        try checkMetadata(file, at: metadata)
    }

    /// The table of blocks: of each its state, and where it is in MiB.
    private static func checkBlocks(_ file: some ByteSource, at start: UInt64, bytes: UInt64) throws(BundleError) {
        let table = try file.bytes(at: start, count: Int(min(bytes, 16 << 20)))
        for index in 0..<(table.count / 8) {
            let entry = table.little64(8 * index)
            let (state, place) = (entry & 7, entry >> 20)
            guard state != 6 && state != 7 || place < (file.size + (1 << 20) - 1) >> 20 else {
                throw BundleError("truncated: data lies beyond the end (\(file.size) bytes)")
            }
        }
    }

    private static func checkMetadata(_ file: some ByteSource, at start: UInt64) throws(BundleError) {
        guard let table = try file.bytesIfPresent(at: start, count: 64 << 10), table.has("metadata", at: 0) else {
            throw BundleError("truncated: no metadata")
        }
        let count = Int(table.little16(10))
        guard count <= 2047 else { throw BundleError("\(count) items of metadata are not sensible") }
        for index in 0..<count {
            let at = 32 + 32 * index
            let kind = table.guid(at)
            let offset = UInt64(table.little32(at + 16))
            if kind == parentLocator { throw BundleError("refers to a parent image; never allowed") }
            guard kind == fileParameters else { continue }
            guard let item = try file.bytesIfPresent(at: start + offset, count: 8) else {
                throw BundleError("truncated: the metadata lies beyond the end (\(file.size) bytes)")
            }
            if item.little32(4) & 2 != 0 { throw BundleError("refers to a parent image; never allowed") }
        }
    }
}

/// Microsoft's older format, "Virtual Hard Disk Image Format Specification".
enum VHDHeader {
    static func check(_ file: some ByteSource) throws(BundleError) {
        guard file.size >= 512, let tail = try file.bytesIfPresent(at: file.size - 512, count: 512) else {
            throw BundleError("truncated: no footer")
        }
        let head = try file.bytes(at: 0, count: 512)
        // QEMU believes the copy at the beginning, where there is one.
        let footer = head.has("conectix", at: 0) ? head : tail
        guard footer.has("conectix", at: 0) else { throw BundleError("truncated: no footer") }
        switch footer.big32(60) {
        case 2:
            return
        case 3:
            try checkDynamic(file, at: footer.big64(16))
        case 4:
            throw BundleError("refers to a parent image; never allowed")
        default:
            throw BundleError("disk type \(footer.big32(60)) is not known")
        }
    }

    private static func checkDynamic(_ file: some ByteSource, at place: UInt64) throws(BundleError) {
        guard let header = try file.bytesIfPresent(at: place, count: 1024), header.has("cxsparse", at: 0) else {
            throw BundleError("truncated: no dynamic header at \(place)")
        }
        let (table, count, block) = (header.big64(16), UInt64(header.big32(28)), header.big32(32))
        guard block >= 512, block & (block - 1) == 0, count <= 1 << 26, table <= file.size,
            count * 4 <= file.size - table
        else { throw BundleError("truncated: the block table at \(table) lies beyond the end (\(file.size) bytes)") }
        try eachPlace(file, at: table, count: count) { (place) throws(BundleError) in
            let sector = UInt64(UInt32(truncatingIfNeeded: place).byteSwapped)
            guard sector == 0xffff_ffff || sector < file.size / 512 else {
                throw BundleError("truncated: data lies beyond the end (\(file.size) bytes)")
            }
        }
    }
}
