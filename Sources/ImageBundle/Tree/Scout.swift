internal import CLinux
internal import Glibc
internal import LinuxSystem

/// A process that goes through a tree before the copying does, in the same order, and looks at every entry: directories,
/// inodes and the content of files are then in memory when they are wanted, and nobody waits for the image. It is a hint
/// and no more: nothing depends on how far it comes.
final class Scout {
    private let child: ChildProcess

    /// - Parameters:
    ///   - image: where the content of the files is found, if not by reading them
    ///   - written: how far the copying is
    init(_ tree: borrowing FileDescriptor, _ image: ImageContent?, _ written: SharedCounter) throws(SystemError) {
        switch try cloneHelper() {
        case .child:
            let device = try? descriptorStatus(tree.rawValue).device
            if let device { Walk(device, image, written).look(at: tree.rawValue, depth: 0) }
            exitNow(0)
        case .parent(let child): self.child = child
        }
    }

    deinit { child.kill() }

    private final class Walk {
        /// Subvolumes are another device; they may be snapshots, which nobody copies.
        private let device: UInt64
        private let image: ImageContent?
        private let written: SharedCounter
        private var bytes: UInt64 = 0
        /// Files with several names that were looked at.
        private var linked: Set<UInt64> = []
        /// Larger directories are passed by.
        private static let mostEntries = 100_000
        /// What lies deeper is not looked at: a descriptor is open for each level.
        private static let deepest = 64
        /// So many bytes may be in memory that are not written yet: more could be gone before they are wanted.
        private static let lead: UInt64 = 128 << 20

        init(_ device: UInt64, _ image: ImageContent?, _ written: SharedCounter) {
            (self.device, self.image, self.written) = (device, image, written)
        }

        func look(at directory: Int32, depth: Int) {
            for entry in (try? entriesByInode(directory, limit: Self.mostEntries))?.reversed() ?? [] {
                if entry.isDirectory {
                    if depth < Self.deepest, let inner = try? open(entry.name, CL_O_DIRECTORY, at: directory),
                        (try? descriptorStatus(inner.rawValue).device) == device
                    {
                        look(at: inner.rawValue, depth: depth + 1)
                    }
                } else if let image, entry.kind == UInt8(DT_REG) {
                    look(at: entry.name, in: directory, image)
                } else {
                    var status = stat()
                    _ = cl_fstatat(directory, entry.name.terminated, &status, CL_AT_SYMLINK_NOFOLLOW)
                }
            }
        }

        private func look(at name: ByteName, in directory: Int32, _ image: ImageContent) {
            guard let file = try? open(name, O_NONBLOCK, at: directory) else { return }
            var status = stat()
            guard cl_fstatat(file.rawValue, "", &status, CL_AT_EMPTY_PATH) == 0, status.st_mode & S_IFMT == S_IFREG,
                status.st_nlink == 1 || linked.insert(UInt64(status.st_ino)).inserted
            else { return }
            bytes += image.readAhead(of: file.rawValue)
            while bytes > written.value + Self.lead { sleep(milliseconds: 2) }
        }

        private func open(_ name: ByteName, _ flags: Int32, at directory: Int32) throws(SystemError) -> FileDescriptor {
            let flags = flags | CL_O_NOFOLLOW | CL_O_CLOEXEC
            return FileDescriptor(owning: try check(Int(cl_openat(directory, name.terminated, flags, 0)), "openat"))
        }
    }
}

/// The entries in reverse order of their inodes, to be taken from the end: on most filesystems that is the order of their content
/// on the disk.
///
/// - Parameter limit: more of them are EOVERFLOW
func entriesByInode(_ directory: Int32, limit: Int = .max) throws(SystemError) -> [ByteEntry] {
    try byteEntries(directory, limit: limit).sorted { $0.inode > $1.inode }
}
