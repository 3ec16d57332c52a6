internal import LinuxSystem

/// A disk that can be read, and what is on it.
final class Disk {
    /// A partition, a logical volume or a filesystem in a file, with what it seems to hold.
    struct Volume: Equatable {
        var partition: Partition
        var probe: FilesystemProbe?
        /// The filesystems that this one lies upon, the lowest first: live media of Ubuntu are stacks of them.
        var below: [Partition] = []
        /// How much of a stack it is, where several could be meant.
        var rank = 0

        /// `3 ext4 "root"`
        var summary: String {
            let name = partition.volume ?? "\(partition.number)"
            let label = probe.map { $0.label.isEmpty ? "" : " \"\($0.label)\"" } ?? ""
            return "\(name) \(probe?.kind.rawValue ?? "unknown")\(label)"
        }
    }

    let image: String
    /// The content as a file that is open for reading; not owned.
    let content: Int32
    let bytes: FileBytes
    /// Whether the content may be written: not the image's, but a file's upon it.
    let isWritable: Bool
    /// Whether this process has mounts of its own, in which fuse2fs can show it the filesystems.
    let hasOwnMounts: Bool
    private(set) var volumes: [Volume] = []
    /// Why some volumes are not there.
    private(set) var refusals: [String] = []

    /// A disk with partitions or a filesystem of its own.
    init(
        _ image: String, _ content: Int32, size: UInt64, isWritable: Bool = false, hasOwnMounts: Bool = false
    ) throws(BundleError) {
        self.image = image
        self.isWritable = isWritable
        self.hasOwnMounts = hasOwnMounts
        self.content = content
        bytes = FileBytes(content, size: size, name: image)
        do throws(BundleError) {
            try readLayout()
        } catch {
            throw error.message.hasPrefix(image) ? error : BundleError("\(image): \(error.message)")
        }
    }

    /// Volumes that were found in another way.
    init(_ image: String, _ content: Int32, size: UInt64, volumes: [Volume]) {
        self.image = image
        isWritable = false
        hasOwnMounts = false
        self.content = content
        bytes = FileBytes(content, size: size, name: image)
        self.volumes = volumes
    }

    private func readLayout() throws(BundleError) {
        if let partitions = try PartitionTable.read(bytes) {
            for partition in partitions { try add(partition) }
        } else {
            let whole = Partition(number: 0, start: 0, size: bytes.size)
            guard try FilesystemProbe.probe(bytes) != nil else {
                throw BundleError("has neither a partition table nor a filesystem that is known")
            }
            try add(whole)
        }
    }

    private func add(_ partition: Partition) throws(BundleError) {
        let part = PartialBytes(whole: bytes, start: partition.start, size: partition.size)
        let probe = try FilesystemProbe.probe(part)
        volumes.append(Volume(partition: partition, probe: probe))
        guard probe?.kind == .lvm else { return }
        do throws(BundleError) {
            for found in try LVM.volumes(part) {
                switch found {
                case .readable(let name, let start, let size):
                    var volume = partition
                    volume.volume = name
                    volume.start += start
                    volume.size = size
                    // What LVM says is as little trusted as a partition table.
                    guard start <= partition.size, size <= partition.size - start else {
                        throw BundleError("\(name) reaches beyond the end of partition \(partition.number)")
                    }
                    let inner = PartialBytes(whole: bytes, start: volume.start, size: size)
                    volumes.append(Volume(partition: volume, probe: try FilesystemProbe.probe(inner)))
                case .refused(let name, let reason):
                    refusals.append("\(name): \(reason)")
                }
            }
        } catch {
            refusals.append("LVM on partition \(partition.number): \(error.message)")
        }
    }

    /// Mounts a volume, read-only and attached nowhere.
    func mount(_ volume: Volume) throws(BundleError) -> MountedVolume {
        if !volume.below.isEmpty, let probe = volume.probe {
            let places = (volume.below + [volume.partition]).map { (offset: $0.start, size: $0.size) }
            return try StackedVolume.mount(content, image, places, probe, name: volume.partition.name)
        }
        return try MountedVolume.mount(
            content, image, offset: volume.partition.start, size: volume.partition.size, volume.probe,
            name: volume.partition.name, isWritable: isWritable, hasOwnMounts: hasOwnMounts)
    }
}
