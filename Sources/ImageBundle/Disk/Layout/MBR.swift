/// The partition table of the PC's boot sector, with the chain of extended partitions.
enum MBR {
    private static let sector: UInt64 = 512

    private struct Entry {
        let type: UInt8
        let first: UInt64
        let count: UInt64

        /// `index` is 0 to 3; nil for an empty entry.
        init?(_ bytes: [UInt8], _ index: Int) {
            let at = 446 + 16 * index
            type = bytes[at + 4]
            first = UInt64(bytes.little32(at + 8))
            count = UInt64(bytes.little32(at + 12))
            if type == 0 || count == 0 { return nil }
        }

        var isExtended: Bool { type == 0x05 || type == 0x0f || type == 0x85 }
    }

    /// - Returns: nil when the disk has none
    static func read(_ disk: some ByteSource) throws(BundleError) -> [Partition]? {
        guard let boot = try disk.bytesIfPresent(at: 0, count: 512), boot.has("\u{55}", at: 510), boot[511] == 0xaa
        else {
            return nil
        }
        // The boot sector of a FAT or NTFS without a table ends in the same two bytes; flags have two values.
        var found: [Partition] = []
        var extended: Entry?
        for index in 0..<4 {
            guard boot[446 + 16 * index] & 0x7f == 0 else { return nil }
            guard let entry = Entry(boot, index) else { continue }
            if entry.isExtended {
                guard extended == nil else { throw BundleError("the partition table has two extended partitions") }
                extended = entry
            } else {
                found.append(partition(entry, number: index + 1, first: entry.first, disk: boot))
            }
        }
        if found.isEmpty && extended == nil { return nil }
        if let extended { found += try logical(disk, extended, boot) }
        try PartitionTable.check(found, in: disk)
        return found
    }

    /// The partitions in the extended one: each has a sector before it that describes it and says where the next such
    /// sector is. It has to be further on, so that the chain ends.
    private static func logical(
        _ disk: some ByteSource, _ extended: Entry, _ boot: [UInt8]
    ) throws(BundleError) -> [Partition] {
        var found: [Partition] = []
        var place = extended.first
        while true {
            guard let table = try disk.bytesIfPresent(at: place * sector, count: 512), table[510] == 0x55,
                table[511] == 0xaa
            else { throw BundleError("the chain of extended partitions is broken after \(found.count) of them") }
            if let entry = Entry(table, 0) {
                guard entry.first > 0, place + entry.first + entry.count <= extended.first + extended.count else {
                    throw BundleError("partition \(found.count + 5) does not lie in the extended one")
                }
                found.append(partition(entry, number: found.count + 5, first: place + entry.first, disk: boot))
            }
            guard let next = Entry(table, 1), next.isExtended else { return found }
            let following = extended.first + next.first
            guard following > place, next.first < extended.count, found.count < PartitionTable.mostPartitions else {
                throw BundleError("the chain of extended partitions runs in a circle")
            }
            place = following
        }
    }

    private static func partition(_ entry: Entry, number: Int, first: UInt64, disk: [UInt8]) -> Partition {
        let signature = hexadecimal(UInt64(disk.little32(440)), width: 8)
        return Partition(
            number: number, start: first * sector, size: entry.count * sector,
            type: hexadecimal(UInt64(entry.type), width: 2),
            uuid: signature + "-" + hexadecimal(UInt64(number), width: 2))
    }
}
