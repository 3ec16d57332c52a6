internal import CLinux
internal import Glibc
internal import LinuxSystem

/// A process that goes through a tree before the copying does, in the same order, and looks at every entry: directories and
/// inodes are then in memory when they are wanted, and nobody waits for the image. It is a hint and no more: nothing
/// depends on how far it comes.
final class Scout {
    private let child: ChildProcess
    /// Larger directories are passed by.
    private static let mostEntries = 100_000
    /// What lies deeper is not looked at: a descriptor is open for each level.
    private static let deepest = 64

    init(_ tree: borrowing FileDescriptor) throws(SystemError) {
        switch try clone() {
        case .child:
            try? dieWithParent()
            try? Self.walk(tree.rawValue)
            exitNow(0)
        case .parent(let child): self.child = child
        }
    }

    deinit {
        try? child.pidfd.signal(SIGKILL)
        _ = try? waitForEnd(of: child.pid)
    }

    private static func walk(_ tree: Int32) throws(SystemError) {
        look(at: tree, device: try descriptorStatus(tree).device, depth: 0)
    }

    /// Subvolumes are another device; they may be snapshots, which nobody copies.
    private static func look(at directory: Int32, device: UInt64, depth: Int) {
        for entry in entries(directory).reversed() {
            guard entry.isDirectory else {
                var status = stat()
                _ = cl_fstatat(directory, entry.name.terminated, &status, CL_AT_SYMLINK_NOFOLLOW)
                continue
            }
            if depth < deepest, let inner = try? open(entry.name, at: directory),
                (try? descriptorStatus(inner.rawValue).device) == device
            {
                look(at: inner.rawValue, device: device, depth: depth + 1)
            }
        }
    }

    private static func entries(_ directory: Int32) -> [ByteEntry] {
        (try? entriesByInode(directory, limit: mostEntries)) ?? []
    }

    private static func open(_ name: ByteName, at directory: Int32) throws(SystemError) -> FileDescriptor {
        let flags = CL_O_DIRECTORY | CL_O_NOFOLLOW | CL_O_CLOEXEC
        return FileDescriptor(owning: try check(Int(cl_openat(directory, name.terminated, flags, 0)), "openat"))
    }
}

/// The entries in reverse order of their inodes, to be taken from the end: on most filesystems that is the order of their content
/// on the disk.
///
/// - Parameter limit: more of them are EOVERFLOW
func entriesByInode(_ directory: Int32, limit: Int = .max) throws(SystemError) -> [ByteEntry] {
    try byteEntries(directory, limit: limit).sorted { $0.inode > $1.inode }
}
