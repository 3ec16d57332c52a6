/// The GUID partition table, UEFI specification, chapter 5.
enum GPT {
    /// - Returns: nil when the disk has none
    static func read(_ disk: some ByteSource) throws(BundleError) -> [Partition]? {
        for sector: UInt64 in [512, 4096] {
            guard let primary = try disk.bytesIfPresent(at: sector, count: 512), primary.has("EFI PART", at: 0) else {
                continue
            }
            if let found = try partitions(disk, header: primary, at: 1, sector) { return found }
            // The primary header is damaged: the other one is in the last sector.
            let last = disk.size / sector - 1
            if let backup = try disk.bytesIfPresent(at: last * sector, count: 512), backup.has("EFI PART", at: 0),
                let found = try partitions(disk, header: backup, at: last, sector)
            {
                return found
            }
            throw BundleError("both headers of the GPT are damaged")
        }
        return nil
    }

    /// - Returns: nil when a checksum is wrong
    private static func partitions(
        _ disk: some ByteSource, header: [UInt8], at lba: UInt64, _ sector: UInt64
    ) throws(BundleError) -> [Partition]? {
        let headerSize = Int(header.little32(12))
        guard headerSize >= 92, headerSize <= header.count else { return nil }
        var summed = Array(header[..<headerSize])
        for index in 16..<20 { summed[index] = 0 }
        guard crc32(summed) == header.little32(16), header.little64(24) == lba else { return nil }
        let count = Int(header.little32(80))
        let entrySize = Int(header.little32(84))
        guard count <= 1024, entrySize >= 128, entrySize <= 4096, entrySize % 128 == 0 else {
            throw BundleError("the GPT has \(count) entries of \(entrySize) bytes, which is not sensible")
        }
        guard case (let start, false) = header.little64(72).multipliedReportingOverflow(by: sector),
            let table = try disk.bytesIfPresent(at: start, count: count * entrySize)
        else { throw BundleError("the entries of the GPT lie beyond the end of the disk") }
        guard crc32(table) == header.little32(88) else { return nil }
        var found: [Partition] = []
        for index in 0..<count {
            let entry = Array(table[(index * entrySize)..<(index * entrySize + 128)])
            guard !entry[..<16].allSatisfy({ $0 == 0 }) else { continue }
            found.append(try partition(entry, number: index + 1, sector))
            guard found.count <= PartitionTable.mostPartitions else {
                throw BundleError("more than \(PartitionTable.mostPartitions) partitions")
            }
        }
        try PartitionTable.check(found, in: disk)
        return found
    }

    private static func partition(_ entry: [UInt8], number: Int, _ sector: UInt64) throws(BundleError) -> Partition {
        let (first, last) = (entry.little64(32), entry.little64(40))
        guard first > 0, last >= first, last < UInt64(Int64.max) / sector else {
            throw BundleError("partition \(number) ends before it begins, or beyond all disks")
        }
        var label: [UInt16] = []
        for index in 0..<36 {
            let unit = entry.little16(56 + 2 * index)
            if unit == 0 { break }
            label.append(unit)
        }
        return Partition(
            number: number, start: first * sector, size: (last - first + 1) * sector, type: entry.guid(0),
            uuid: entry.guid(16), label: String(decoding: label, as: UTF16.self))
    }
}

/// The checksum of IEEE 802.3.
func crc32(_ bytes: [UInt8]) -> UInt32 {
    var value: UInt32 = 0xffff_ffff
    for byte in bytes {
        value ^= UInt32(byte)
        for _ in 0..<8 { value = value & 1 != 0 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }
    return ~value
}
