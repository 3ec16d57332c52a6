/// A line of an image's /etc/fstab, fstab(5).
struct FstabEntry: Equatable {
    /// What names the filesystem.
    enum Source: Equatable {
        case uuid(String), label(String), partitionUUID(String), partitionLabel(String)
        /// The number of a partition of "the first disk".
        case partition(Int)
        /// `vg/lv`
        case volume(String)
        /// What is not in the image: other disks, swap files, network filesystems.
        case other(String)

        func names(_ volume: Disk.Volume) -> Bool {
            switch self {
            case .uuid(let uuid): !uuid.isEmpty && volume.probe?.uuid.lowercased() == uuid.lowercased()
            case .label(let label): !label.isEmpty && volume.probe?.label == label
            case .partitionUUID(let uuid):
                !uuid.isEmpty && volume.partition.volume == nil && volume.partition.uuid == uuid.lowercased()
            case .partitionLabel(let label):
                !label.isEmpty && volume.partition.volume == nil && volume.partition.label == label
            case .partition(let number): volume.partition.volume == nil && volume.partition.number == number
            case .volume(let name): volume.partition.volume == name
            case .other: false
            }
        }
    }

    var source: Source
    var mountPoint: String
    var type: String
    var options: [String]

    /// The btrfs subvolume that the options name, without a slash at its beginning.
    var subvolume: String? {
        for option in options where option.hasPrefix("subvol=") {
            let path = option.dropFirst("subvol=".count).drop { $0 == "/" }
            return path.isEmpty ? nil : String(path)
        }
        return nil
    }

    /// Whether it is mounted when the system starts.
    var isMounted: Bool {
        type != "swap" && mountPoint.hasPrefix("/") && !options.contains("noauto") && !options.contains("bind")
            && !options.contains("rbind")
    }

    private static let mostLines = 1000

    static func parse(_ text: [UInt8]) -> [FstabEntry] {
        var entries: [FstabEntry] = []
        for line in text.split(separator: 10).prefix(mostLines) {
            let fields = line.split { $0 == 32 || $0 == 9 || $0 == 13 }.map { unescaped(Array($0)) }
            guard fields.count >= 3, !fields[0].hasPrefix("#") else { continue }
            let options = fields.count > 3 ? fields[3].split(separator: ",").map(String.init) : []
            entries.append(
                FstabEntry(source: source(fields[0]), mountPoint: fields[1], type: fields[2], options: options))
        }
        return entries
    }

    private static func source(_ text: String) -> Source {
        var word = text
        func rest(_ prefix: String) -> String? {
            guard word.hasPrefix(prefix) else { return nil }
            return String(word.dropFirst(prefix.count).filter { $0 != "\"" })
        }
        for (directory, tag) in [
            ("/dev/disk/by-uuid/", "UUID="), ("/dev/disk/by-label/", "LABEL="), ("/dev/disk/by-partuuid/", "PARTUUID="),
            ("/dev/disk/by-partlabel/", "PARTLABEL="),
        ] {
            if let name = rest(directory) { word = tag + name }
        }
        if let name = rest("UUID=") { return .uuid(name) }
        if let name = rest("LABEL=") { return .label(name) }
        if let name = rest("PARTUUID=") { return .partitionUUID(name) }
        if let name = rest("PARTLABEL=") { return .partitionLabel(name) }
        if let name = rest("/dev/mapper/") { return .volume(volumeName(name)) }
        if let name = rest("/dev/") {
            if let number = partitionNumber(name) { return .partition(number) }
            let parts = name.split(separator: "/")
            if parts.count == 2 { return .volume(name) }
        }
        return .other(text)
    }

    /// `sda3`, `vda3`, `xvda3`, `hda3`, `nvme0n1p3`, `mmcblk0p3`: 3. Of other disks than the first there are none in an image.
    private static func partitionNumber(_ name: String) -> Int? {
        for disk in ["sda", "vda", "xvda", "hda", "nvme0n1p", "mmcblk0p"] where name.hasPrefix(disk) {
            return Int(name.dropFirst(disk.count))
        }
        return nil
    }

    /// The device mapper doubles the dashes of names and joins them by one: `my--group-root` is `my-group/root`.
    private static func volumeName(_ mapped: String) -> String {
        var result = ""
        var rest = mapped[...]
        while let letter = rest.popFirst() {
            if letter != "-" {
                result.append(letter)
            } else if rest.first == "-" {
                rest.removeFirst()
                result.append("-")
            } else {
                result.append("/")
            }
        }
        return result
    }

    /// Spaces and other separators are written as three octal digits.
    private static func unescaped(_ bytes: [UInt8]) -> String {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8), code != 0
            {
                result.append(code)
                rest = rest.dropFirst(3)
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
