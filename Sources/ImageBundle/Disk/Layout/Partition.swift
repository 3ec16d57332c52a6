/// A part of a disk that may hold a filesystem.
struct Partition: Equatable {
    /// As Linux counts them; 0 is a disk without a partition table.
    var number: Int
    /// In bytes, from the beginning of the disk.
    var start: UInt64
    var size: UInt64
    /// The type: a GUID in lower case, or the two digits of an MBR's.
    var type = ""
    /// PARTUUID and PARTLABEL, as fstab names them; empty when there is none.
    var uuid = ""
    var label = ""
    /// The name of a logical volume: `vg/lv`.
    var volume: String?

    /// The Discoverable Partitions Specification's type for the root of this machine's architecture.
    var isMarkedAsRoot: Bool {
        #if arch(x86_64)
            type == "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
        #elseif arch(arm64)
            type == "b921b045-1df0-41c3-af44-4c6f280d3fae"
        #else
            false
        #endif
    }

    /// What errors and `--layout` call it.
    var name: String { volume ?? (number == 0 ? "the whole disk" : "partition \(number)") }
}

enum PartitionTable {
    /// More than any tool makes, and few enough to look at each.
    static let mostPartitions = 256

    /// Reads the partition table of a disk. The kernel does not: it may have no parser for it, and it would believe more.
    ///
    /// - Returns: the partitions in the order of their numbers; nil when there is no table
    static func read(_ disk: some ByteSource) throws(BundleError) -> [Partition]? {
        if let found = try GPT.read(disk) { return found }
        return try MBR.read(disk)
    }

    /// Partitions inside one another are no honest table, and what is beyond the end is not there.
    static func check(_ partitions: [Partition], in disk: some ByteSource) throws(BundleError) {
        let sorted = partitions.sorted { $0.start < $1.start }
        for (index, partition) in sorted.enumerated() {
            guard partition.size > 0, partition.start <= disk.size, partition.size <= disk.size - partition.start else {
                throw BundleError("\(partition.name) reaches beyond the end of the disk")
            }
            if index > 0 {
                let before = sorted[index - 1]
                guard before.start + before.size <= partition.start else {
                    throw BundleError("\(before.name) and \(partition.name) overlap")
                }
            }
        }
    }
}
