extension TreeCopy {
    /// What was left out.
    struct SkippedEntries {
        var devices = 0
        var attributes = 0
        /// Where other filesystems are mounted below the tree.
        var filesystems: [String] = []
        /// Read-only snapshots of btrfs below the tree.
        var snapshots: [String] = []

        static func += (all: inout SkippedEntries, more: SkippedEntries) {
            all.devices += more.devices
            all.attributes += more.attributes
            all.filesystems += more.filesystems
            all.snapshots += more.snapshots
        }

        /// One warning a kind.
        func tell(_ work: Work) {
            let image = work.request.image
            if devices > 0 { work.warn("\(image): \(devices) device nodes were left out; --devices keeps them") }
            if attributes > 0 {
                work.warn("\(image): \(attributes) extended attributes could not be kept on this filesystem")
            }
            for path in filesystems.prefix(10) {
                work.warn("\(image): \(path) was left out: another filesystem is mounted there")
            }
            if let first = snapshots.first {
                work.warn(
                    "\(image): \(snapshots.count) read-only snapshots were left out, the first of them /\(first)")
            }
        }
    }
}
