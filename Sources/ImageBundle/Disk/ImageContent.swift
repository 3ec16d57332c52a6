internal import LinuxSystem

/// The content of files, read from the image's own file instead of through the daemon, the loop device and the filesystem that
/// is mounted from it: these tell where it lies, and every byte is copied only once. For the filesystems that keep
/// content as it is (ext4, xfs) in raw and plain qcow2 images.
///
/// What the filesystem says is as little trusted as anything of an image: a place is one in the partition, or none.
final class ImageContent {
    enum Place: Equatable {
        /// In the image's file, in bytes.
        case file(UInt64)
        case zeros
    }

    /// The image's file, open for reading.
    let file: Int32
    let extents = FileExtents()
    private let size: UInt64
    private let partition: Partition
    private let map: Qcow2Map?

    /// What was read ahead, in windows: files follow each other on the disk much as they are copied, but not quite.
    private var windows: Set<UInt64> = []
    private static let window: UInt64 = 4 << 20
    private static let beginning: UInt64 = 32 << 20

    /// - Returns: nil when files have to be read as any others
    init?(_ chain: ImageChain, _ disk: Disk, _ volume: Disk.Volume, _ mounted: MountedVolume) {
        guard chain.links.count == 1, !disk.isWritable, volume.below.isEmpty,
            mounted.probe.driver == "ext4" || mounted.probe.driver == "xfs"
        else { return nil }
        let link = chain.links[0]
        switch link.kind {
        case .raw: map = nil
        case .qcow2:
            guard link.snapshot == nil, let header = link.header,
                let map = Qcow2Map(header, FileBytes(link.descriptor, size: link.size, name: link.path))
            else { return nil }
            self.map = map
        default: return nil
        }
        (file, size) = (link.descriptor, link.size)
        partition = volume.partition
    }

    /// Where the bytes at a place of the partition are, and for how many of `length` this holds. Nil: not in the image's file
    /// as they are.
    func place(of offset: UInt64, _ length: UInt64) throws(BundleError) -> (Place?, UInt64) {
        guard offset <= partition.size, length <= partition.size - offset else { return (nil, length) }
        let start = partition.start + offset
        if let map { return try map.place(of: start, length) }
        guard start <= size, length <= size - start else { return (nil, length) }
        return (.file(start), length)
    }

    /// To be called before bytes of the file are read.
    func readAhead(_ offset: UInt64) {
        let number = offset / Self.window
        readAhead(windows: number...(number + 1))
    }

    /// Brings the content of a file into memory, and of a large one only the beginning: whoever reads it reads ahead as well.
    ///
    /// - Returns: how many bytes of it are to be read from anywhere
    func readAhead(of input: Int32) -> UInt64 {
        guard let count = extents.read(of: input, from: 0) else { return 0 }
        var total: UInt64 = 0
        for index in 0..<count where extents[index].isPlain && !extents[index].isUnwritten {
            let extent = extents[index]
            guard !extent.physical.addingReportingOverflow(extent.length).overflow else { break }
            var done: UInt64 = 0
            while done < extent.length,
                let (place, length) = try? place(of: extent.physical + done, extent.length - done)
            {
                if case .file(let start) = place, total < Self.beginning {
                    let end = start + min(length, Self.beginning - total)
                    readAhead(windows: start / Self.window...(end - 1) / Self.window)
                }
                if place != .zeros { total &+= length }
                done += length
            }
        }
        return total
    }

    private func readAhead(windows wanted: ClosedRange<UInt64>) {
        for window in wanted where windows.insert(window).inserted {
            LinuxSystem.readAhead(file, window * Self.window, Self.window)
        }
    }
}
