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
        let device = try descriptorStatus(tree).device
        var current = try open(ByteName("."), at: tree)
        var levels = [entries(current.rawValue)]
        while !levels.isEmpty {
            guard let entry = levels[levels.count - 1].popLast() else {
                levels.removeLast()
                current = try open(ByteName(".."), at: current.rawValue)
                continue
            }
            guard entry.isDirectory else {
                var status = stat()
                _ = cl_fstatat(current.rawValue, entry.name.terminated, &status, CL_AT_SYMLINK_NOFOLLOW)
                continue
            }
            // Subvolumes may be snapshots, which nobody copies.
            guard let inner = try? open(entry.name, at: current.rawValue),
                (try? descriptorStatus(inner.rawValue).device) == device
            else { continue }
            levels.append(entries(inner.rawValue))
            current = inner
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
