internal import LinuxSystem

/// The subvolumes of a btrfs filesystem.
enum Subvolumes {
    /// Names below the top directory, at most this many directories of it looked at.
    private static let most = 2000
    private static let deepest = 3

    /// The paths of subvolumes near the top. The root directory of each has inode number 256, and nothing else has.
    static func find(_ mounted: MountedVolume) -> [String] {
        guard mounted.probe.kind == .btrfs else { return [] }
        var found: [String] = []
        var queue: [(path: String, depth: Int)] = [("", 0)]
        var looked = 0
        while !queue.isEmpty {
            let (path, depth) = queue.removeFirst()
            guard let directory = try? mounted.root.open(path.isEmpty ? "." : path, .directory, .noLinks),
                let entries = try? byteEntries(directory.rawValue, limit: most)
            else { continue }
            for entry in entries where entry.isDirectory {
                looked += 1
                guard looked <= most else { return found }
                // A name that is no UTF-8 cannot be given on the command line either.
                guard let name = String(validating: entry.name.bytes, as: UTF8.self),
                    let status = try? fileStatus(name, at: directory.rawValue, followLinks: false), status.isDirectory
                else { continue }
                let inner = path.isEmpty ? name : "\(path)/\(name)"
                if status.inode == 256 {
                    found.append(inner)
                } else if depth + 1 < deepest {
                    queue.append((inner, depth + 1))
                }
            }
        }
        return found
    }

    /// Whether it is a snapshot that nobody may change.
    static func isReadOnly(_ directory: borrowing RootDirectory) -> Bool {
        directory.descriptor.btrfsSubvolumeFlags().map { $0 & 2 != 0 } ?? false
    }
}
