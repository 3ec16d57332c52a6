internal import LinuxSystem

/// A directory of the tree that is being written.
final class OpenDirectory {
    let path: [UInt8]
    let descriptor: FileDescriptor
    let inode: UInt64

    init(_ path: [UInt8], _ descriptor: consuming FileDescriptor) throws(SystemError) {
        self.path = path
        inode = try descriptor.status().inode
        self.descriptor = descriptor
    }
}

/// The directories of the tree, by their paths as archives name them. The kernel resolves a path with the root of the tree
/// as "/": a link on the way, which images have for good reasons (lib -> usr/lib), cannot lead out. The last few stay open,
/// because what follows in an archive mostly lies in the same place.
final class OpenDirectories {
    private let root: RootDirectory
    private var recent: [OpenDirectory] = []
    private var oldest = 0

    init(_ root: borrowing FileDescriptor) throws(SystemError) {
        // A descriptor that can be read, not only a place: the root's own metadata is set through one like it.
        self.root = RootDirectory(try FileDescriptor.open(".", .directory, at: root.rawValue))
    }

    /// nil when there is nothing, or no directory, at `path`.
    func existing(_ path: [UInt8]) throws(SystemError) -> OpenDirectory? {
        for directory in recent where directory.path == path { return directory }
        do {
            let descriptor = try open(path, .directory)
            return remember(try OpenDirectory(path, descriptor))
        } catch {
            if error.errno == .noEntry || error.errno == .notDirectory { return nil }
            throw error
        }
    }

    func remember(_ directory: OpenDirectory) -> OpenDirectory {
        if recent.count < 8 {
            recent.append(directory)
        } else {
            recent[oldest] = directory
            oldest = (oldest + 1) % recent.count
        }
        return directory
    }

    /// To be called when a directory or a link is replaced: then paths may lead elsewhere than before.
    func forget() {
        recent.removeAll(keepingCapacity: true)
        oldest = 0
    }

    func open(
        _ path: [UInt8], _ flags: OpenFlags, _ resolution: RootDirectory.Resolution = []
    ) throws(SystemError) -> FileDescriptor {
        try root.open(path.isEmpty ? ByteName(".".utf8) : ByteName(path), flags, resolution)
    }
}
