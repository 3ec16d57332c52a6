internal import LinuxSystem

/// An ISO image of a live medium as a disk: the filesystems in its files are the volumes.
enum ISOImage {
    /// Where distributions put the files of the live system.
    private static let directories = ["live", "casper", "LiveOS", "arch/x86_64", "arch/aarch64", "install", "rescue"]
    private static let endings = [".squashfs", ".sfs", ".img", ".erofs"]
    private static let mostVolumes = 64

    static func disk(_ image: String, _ content: Int32, size: UInt64) throws(BundleError) -> Disk {
        let bytes = FileBytes(content, size: size, name: image)
        let volumes: [Disk.Volume]
        do throws(BundleError) {
            volumes = try find(try ISO9660(bytes), bytes)
        } catch {
            throw error.message.hasPrefix(image) ? error : BundleError("\(image): \(error.message)")
        }
        return Disk(image, content, size: size, volumes: volumes)
    }

    private static func find(_ iso: ISO9660, _ bytes: FileBytes) throws(BundleError) -> [Disk.Volume] {
        var found: [Disk.Volume] = []
        for path in directories {
            guard let directory = try lookUp(path, iso) else { continue }
            let first = found.count
            for record in try iso.entries(directory) where !record.isDirectory {
                let name = String(decoding: record.name, as: UTF8.self)
                guard endings.contains(where: { name.hasSuffix($0) }), found.count < mostVolumes else { continue }
                guard record.offset <= bytes.size, record.size <= bytes.size - record.offset else {
                    throw BundleError("truncated: \(path)/\(name) lies beyond the end (\(bytes.size) bytes)")
                }
                let part = PartialBytes(whole: bytes, start: record.offset, size: record.size)
                guard let probe = try FilesystemProbe.probe(part), probe.driver != nil else { continue }
                found.append(
                    Disk.Volume(
                        partition: Partition(
                            number: found.count + 1, start: record.offset, size: record.size, volume: "\(path)/\(name)"),
                        probe: probe))
            }
            let booted = found.count > first ? try LiveLayers.booted(iso, bytes) : nil
            LiveLayers.stack(&found[first...], booted: booted)
        }
        return found
    }

    /// A directory by its path; names are compared as Rock Ridge or, in lower case, as ISO 9660 has them.
    static func lookUp(_ path: String, _ iso: ISO9660) throws(BundleError) -> ISO9660.Record? {
        var record = iso.root
        for component in path.split(separator: "/") {
            let wanted = Array(component.utf8)
            let lower = Array(component.lowercased().utf8)
            guard
                let next = try iso.entries(record).first(where: {
                    $0.isDirectory && ($0.name == wanted || $0.name == lower)
                })
            else { return nil }
            record = next
        }
        return record
    }
}
