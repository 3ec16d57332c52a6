/// Lets qemu-storage-daemon, which opens the present state of a qcow2 image only, open an internal snapshot.
///
/// The present state is what the header's level 1 table says. So the file is shown with another header, which names the
/// table of the snapshot; to change it without touching or copying the file, the changed header is put into a small
/// qcow2 image of our own making, with the original *file* as its backing file. The daemon then opens a qcow2 image whose
/// content is a qcow2 image.
enum SnapshotOverlay {
    private static let clusterBits: UInt32 = 16
    private static let cluster = 1 << 16

    /// - Returns: the overlay
    static func make(_ link: ImageChain.Link, _ snapshot: Qcow2Header.Snapshot) throws(BundleError) -> [UInt8] {
        let file = FileBytes(link.descriptor, size: link.size, name: link.path)
        // The whole first cluster of the overlay: the header is at its beginning.
        var head = try file.bytes(at: 0, count: Int(min(UInt64(cluster), file.size)))
        head += [UInt8](repeating: 0, count: cluster - head.count)
        if let size = snapshot.virtualSize { put(&head, 24, size) }
        put(&head, 36, UInt32(snapshot.level1Size))
        put(&head, 40, snapshot.level1Offset)
        // No snapshots, and no bitmaps that describe the present state.
        put(&head, 60, UInt32(0))
        put(&head, 64, UInt64(0))
        if link.header?.version == 3 { put(&head, 88, UInt64(0)) }
        return overlay(content: head, size: link.size)
    }

    /// A qcow2 image, version 2, whose first cluster is `content` and whose others are the backing file's. Its clusters: the
    /// header, the refcount table, a refcount block, the level 1 table, a level 2 table, the content.
    static func overlay(content: [UInt8], size: UInt64) -> [UInt8] {
        var image = [UInt8](repeating: 0, count: 6 * cluster)
        let perTable = UInt64(cluster) / 8
        let rounded = (size + 511) / 512 * 512
        let level1Size = (rounded + UInt64(cluster) * perTable - 1) / (UInt64(cluster) * perTable)
        put(&image, 0, UInt32(0x5146_49fb))
        put(&image, 4, UInt32(2))
        put(&image, 20, clusterBits)
        put(&image, 24, rounded)
        put(&image, 36, UInt32(level1Size))
        put(&image, 40, UInt64(3 * cluster))
        put(&image, 48, UInt64(cluster))
        put(&image, 56, UInt32(1))
        put(&image, cluster, UInt64(2 * cluster))
        for index in 0..<6 { image[2 * cluster + 2 * index + 1] = 1 }
        // The highest bit: the cluster has one user.
        let used: UInt64 = 1 << 63
        put(&image, 3 * cluster, UInt64(4 * cluster) | used)
        put(&image, 4 * cluster, UInt64(5 * cluster) | used)
        image.replaceSubrange((5 * cluster)..<(6 * cluster), with: content)
        return image
    }

    private static func put(_ bytes: inout [UInt8], _ at: Int, _ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes.replaceSubrange(at..<(at + $0.count), with: $0) }
    }
}
