internal import LinuxSystem

/// A qcow2 image of our own making that holds nothing yet: upon the content of an image it takes what is written, so that a
/// journal can be replayed and the image stays as it is.
enum ScratchImage {
    static let name = ".journal"
    private static let cluster: UInt64 = 1 << 16
    /// One entry of the level 1 table is for as much, and the tables of larger disks would be many.
    private static let perEntry = cluster * cluster / 8
    private static let largestDisk: UInt64 = 1 << 46

    /// Runs `body` with such a file, which has a name in the directory for as long; who has it open then keeps it.
    ///
    /// - Parameter size: of the content, in bytes
    static func with<Result>(
        in directory: Int32, size: UInt64, _ body: (Int32) throws(BundleError) -> Result
    ) throws(BundleError) -> Result {
        let header = try header(size)
        let file = try explain("cannot make a file to replay the journal in") { () throws(SystemError) in
            let file = try FileDescriptor.open(
                name, [.readWrite, .create, .truncate, .noFollow], mode: 0o600, at: directory)
            try file.write(header)
            return file
        }
        defer { try? FileDescriptor.open(".", [.path, .directory], at: directory).remove(name) }
        return try body(file.rawValue)
    }

    /// The header, a refcount table, a refcount block, a level 1 table without entries.
    static func header(_ size: UInt64) throws(BundleError) -> [UInt8] {
        guard size <= largestDisk else { throw BundleError("the disk is too large to replay a journal on it") }
        let rounded = (size + 511) / 512 * 512
        let entries = (rounded + perEntry - 1) / perEntry
        let clusters = 3 + (entries * 8 + cluster - 1) / cluster
        var image = [UInt8](repeating: 0, count: Int(clusters * cluster))
        func put(_ at: UInt64, _ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.bigEndian) {
                image.replaceSubrange(Int(at)..<(Int(at) + $0.count), with: $0)
            }
        }
        put(0, UInt32(0x5146_49fb))
        put(4, UInt32(2))
        put(20, UInt32(16))
        put(24, rounded)
        put(36, UInt32(entries))
        put(40, 3 * cluster)
        put(48, cluster)
        put(56, UInt32(1))
        put(cluster, 2 * cluster)
        for index in 0..<clusters { put(2 * cluster + 2 * index, UInt16(1)) }
        return image
    }
}
