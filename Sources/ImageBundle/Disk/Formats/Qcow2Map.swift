/// Where in a qcow2 file the bytes of the disk lie. The header was judged before.
final class Qcow2Map {
    private let file: any ByteSource
    private let header: Qcow2Header
    /// Level 2 tables, by their numbers.
    private var tables: [UInt64: [UInt8]] = [:]
    private static let mostTableBytes = 16 << 20

    /// - Returns: nil when the image has more to it than tables and clusters
    init?(_ header: Qcow2Header, _ file: any ByteSource) {
        guard header.entrySize == 8, header.backing == nil else { return nil }
        self.header = header
        self.file = file
    }

    /// The place of the bytes from `offset` on, and for how many of `length` this holds. Nil: they are compressed, or not where
    /// they should be, which is for others to judge.
    func place(of offset: UInt64, _ length: UInt64) throws(BundleError) -> (ImageContent.Place?, UInt64) {
        let size = header.clusterSize
        let (first, firstLength) = try cluster(of: offset)
        var known = min(length, firstLength)
        while known < length {
            let (next, nextLength) = try cluster(of: offset + known)
            switch (first, next) {
            case (.file(let start), .file(let more)) where start + known == more: break
            case (.zeros, .zeros), (nil, nil): break
            default: return (first, known)
            }
            known += min(length - known, min(nextLength, size))
        }
        return (first, known)
    }

    /// The place of the rest of the cluster that `offset` is in.
    private func cluster(of offset: UInt64) throws(BundleError) -> (ImageContent.Place?, UInt64) {
        let size = header.clusterSize
        let (number, inside) = (offset / size, offset % size)
        let perTable = size / 8
        let rest = size - inside
        guard offset < header.virtualSize, let table = try table(number / perTable) else { return (nil, rest) }
        guard !table.isEmpty else { return (.zeros, rest) }
        let entry = table.big64(Int(number % perTable) * 8)
        let (isCompressed, isZero) = (entry & 1 << 62 != 0, header.version == 3 && entry & 1 != 0)
        if isCompressed { return (nil, rest) }
        let start = entry & 0x00ff_ffff_ffff_fe00
        if isZero || start == 0 { return (.zeros, rest) }
        guard start % size == 0, start <= file.size, rest <= file.size - start, inside <= file.size - start - rest
        else { return (nil, rest) }
        return (.file(start + inside), rest)
    }

    /// Empty where nothing of what it would describe was written; nil where it is not in order.
    private func table(_ number: UInt64) throws(BundleError) -> [UInt8]? {
        if let known = tables[number] { return known }
        guard number < header.level1Size else { return nil }
        let entry = try file.bytes(at: header.level1Offset + number * 8, count: 8).big64(0)
        let start = entry & 0x00ff_ffff_ffff_fe00
        var table: [UInt8] = []
        if start != 0 {
            guard start % header.clusterSize == 0,
                let bytes = try file.bytesIfPresent(at: start, count: Int(header.clusterSize))
            else { return nil }
            table = bytes
        }
        if (tables.count + 1) * Int(header.clusterSize) > Self.mostTableBytes { tables.removeAll() }
        tables[number] = table
        return table
    }
}
