/// What is on a partition, as its first bytes say.
struct FilesystemProbe: Equatable {
    enum Kind: String {
        case ext2, ext3, ext4, xfs, btrfs, squashfs, erofs, vfat, ntfs, swap, f2fs
        case lvm = "LVM"
        case luks = "LUKS"
        case raid = "RAID"
    }

    var kind: Kind
    var uuid = ""
    var label = ""
    /// Whether a journal waits to be replayed: the machine was not shut down. Of xfs only the mount can tell.
    var isDirty = false

    /// The kernel's name of the filesystem; nil for what is no filesystem or has nothing to run on it.
    var driver: String? {
        switch kind {
        case .ext2, .ext3, .ext4: "ext4"
        case .xfs, .btrfs, .squashfs, .erofs: kind.rawValue
        case .vfat, .ntfs, .swap, .f2fs, .lvm, .luks, .raid: nil
        }
    }

    /// - Returns: nil when nothing is known to look like it
    static func probe(_ partition: some ByteSource) throws(BundleError) -> FilesystemProbe? {
        let head = try partition.bytesIfPresent(at: 0, count: 4096) ?? []
        if head.count == 4096 {
            if head.has("XFSB", at: 0) {
                return FilesystemProbe(kind: .xfs, uuid: head.uuid(32), label: head.text(108..<120))
            }
            if head.has("hsqs", at: 0) { return FilesystemProbe(kind: .squashfs) }
            if head.has("LUKS", at: 0), head[4] == 0xba, head[5] == 0xbe { return FilesystemProbe(kind: .luks) }
            for sector in 0..<4
            where head.has("LABELONE", at: 512 * sector) && head.has("LVM2 001", at: 512 * sector + 24) {
                return FilesystemProbe(kind: .lvm)
            }
            if head.has("SWAPSPACE2", at: 4086) || head.has("SWAP-SPACE", at: 4086) {
                return FilesystemProbe(kind: .swap, uuid: head.uuid(1036), label: head.text(1052..<1068))
            }
            if let found = probeSuperblock(Array(head[1024..<2048])) { return found }
        }
        if let block = try partition.bytesIfPresent(at: 0x10000, count: 4096), block.has("_BHRfS_M", at: 0x40) {
            // log_root: what fsync(2) has written since the last commit
            return FilesystemProbe(
                kind: .btrfs, uuid: block.uuid(0x20), label: block.text(0x12b..<0x22b),
                isDirty: block.little64(0x60) != 0)
        }
        if let block = try partition.bytesIfPresent(at: 4096, count: 4), block.little32(0) == 0xa92b_4efc {
            return FilesystemProbe(kind: .raid)
        }
        return head.count == 4096 ? probeBootSector(head) : nil
    }

    /// What has its superblock at byte 1024.
    private static func probeSuperblock(_ block: [UInt8]) -> FilesystemProbe? {
        if block.little16(56) == 0xef53 {
            let (compatible, incompatible) = (block.little32(92), block.little32(96))
            let hasJournal = compatible & 0x4 != 0
            // Extents, 64-bit, flexible groups and what came after them are ext4's.
            let kind: Kind = incompatible & 0xfffc_0 != 0 ? .ext4 : hasJournal ? .ext3 : .ext2
            return FilesystemProbe(
                kind: kind, uuid: block.uuid(104), label: block.text(120..<136), isDirty: incompatible & 0x4 != 0)
        }
        if block.little32(0) == 0xe0f5_e1e2 {
            return FilesystemProbe(kind: .erofs, uuid: block.uuid(48), label: block.text(64..<80))
        }
        if block.little32(0) == 0xf2f5_2010 { return FilesystemProbe(kind: .f2fs) }
        return nil
    }

    private static func probeBootSector(_ head: [UInt8]) -> FilesystemProbe? {
        guard head[510] == 0x55, head[511] == 0xaa else { return nil }
        if head.has("NTFS    ", at: 3) { return FilesystemProbe(kind: .ntfs) }
        for (magic, label, serial) in [(82, 71, 67), (54, 43, 39)] where head.has("FAT", at: magic) {
            let number = hexadecimal(UInt64(head.little32(serial)), width: 8).uppercased()
            let name = head.text(label..<(label + 11))
            let trimmed = String(name.reversed().drop { $0 == " " }.reversed())
            return FilesystemProbe(
                kind: .vfat, uuid: "\(number.prefix(4))-\(number.suffix(4))", label: trimmed == "NO NAME" ? "" : trimmed
            )
        }
        return nil
    }
}
