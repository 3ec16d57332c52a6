/// The layers of live media (casper, since Ubuntu 23.04; Ubuntu Server since 20.04): `a.b.c.squashfs` lies upon
/// `a.b.squashfs`, and that upon `a.squashfs`, where these exist in the same directory.
enum LiveLayers {
    /// More than any medium has; the kernel takes 500.
    private static let most = 16

    /// Finds for each volume of a directory those that are below it, and ranks the stacks: what the medium boots, else the
    /// one for live sessions, else the highest.
    ///
    /// - Parameter booted: the name of the uppermost layer that the medium's boot loader names
    static func stack(_ volumes: inout ArraySlice<Disk.Volume>, booted: String?) {
        let all = volumes
        for index in volumes.indices {
            let names = parts(all[index])
            guard names.count > 1, names.count <= most else { continue }
            let below = (1..<names.count).compactMap { count in
                all.first { parts($0) == Array(names[..<count]) && $0.probe?.kind == all[index].probe?.kind }?.partition
            }
            guard !below.isEmpty else { continue }
            volumes[index].below = below
            volumes[index].rank = below.count + (names.last == "live" ? most : 0)
        }
        guard let booted else { return }
        for index in volumes.indices where fileName(volumes[index]) == booted { volumes[index].rank += 2 * most }
    }

    /// `minimal`, `standard`, `live` of `casper/minimal.standard.live.squashfs`.
    private static func parts(_ volume: Disk.Volume) -> [String] {
        fileName(volume).split(separator: ".").dropLast().map(String.init)
    }

    private static func fileName(_ volume: Disk.Volume) -> String {
        volume.partition.volume?.split(separator: "/").last.map(String.init) ?? ""
    }

    private static let configuration = ["boot/grub/grub.cfg", "boot/grub/loopback.cfg"]
    private static let largestConfiguration: UInt64 = 256 << 10

    /// What the first entry of the boot loader says that the live system is: `layerfs-path=minimal.standard.live.squashfs`.
    static func booted(_ iso: ISO9660, _ bytes: some ByteSource) throws(BundleError) -> String? {
        for path in configuration {
            let parts = path.split(separator: "/")
            guard let directory = try ISOImage.lookUp(parts.dropLast().joined(separator: "/"), iso),
                let record = try iso.entries(directory).first(where: { $0.name == Array(parts[parts.count - 1].utf8) }),
                !record.isDirectory, record.size <= largestConfiguration,
                let text = try bytes.bytesIfPresent(at: record.offset, count: Int(record.size))
            else { continue }
            if let name = layer(in: text) { return name }
        }
        return nil
    }

    static func layer(in text: [UInt8]) -> String? {
        let key = Array("layerfs-path=".utf8)
        for word in text.split(whereSeparator: { $0 <= 32 }) where word.starts(with: key) {
            let name = word.dropFirst(key.count)
            if !name.isEmpty, !name.contains(UInt8(ascii: "/")) { return String(decoding: name, as: UTF8.self) }
        }
        return nil
    }
}
