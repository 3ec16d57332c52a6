internal import LinuxSystem

/// What directories get when everything is in them: until then they are their maker's alone and may be written. A time that
/// was set earlier would be changed by each new entry, a mode might keep an ordinary user out, and a default ACL or a
/// set-group-id bit would pass to what is made inside.
struct PendingDirectories {
    struct Directory {
        var path: [UInt8]
        var inode: UInt64
        var metadata: Metadata
    }

    private var directories: [Directory] = []
    /// Where the directory of an inode stands in the list. All of the tree lies on one filesystem.
    private var places: [UInt64: Int] = [:]

    /// What was said last of a directory is what counts.
    mutating func set(_ path: [UInt8], inode: UInt64, _ metadata: Metadata) {
        let directory = Directory(path: path, inode: inode, metadata: metadata)
        if let place = places[inode] {
            directories[place] = directory
        } else {
            places[inode] = directories.count
            directories.append(directory)
        }
    }

    /// Sets everything. What was removed meanwhile is passed over.
    func apply(_ tree: OpenDirectories, _ setter: inout MetadataSetter) throws(BundleError) {
        for directory in directories {
            do throws(SystemError) {
                let descriptor = try tree.open(directory.path, .directoryItself)
                guard try descriptor.status().inode == directory.inode else { continue }
                try setter.apply(directory.metadata, to: descriptor, at: directory.path)
            } catch {
                if error.errno == .noEntry || error.errno == .notDirectory || error.errno == .loop { continue }
                throw BundleError("cannot set what belongs to the directory \(shown(directory.path))", error)
            }
        }
    }
}
