internal import CLinux
internal import Glibc

/// What stat(2) tells of a file.
package struct FileStatus: Equatable, Sendable {
    package let device: UInt64
    package let inode: UInt64
    package let mode: UInt32
    package let uid: UInt32
    package let gid: UInt32
    /// The number of names; that of a directory is 2 and one for each directory in it, where the filesystem counts them.
    package let links: UInt64
    /// The device that a device node stands for.
    package let target: DeviceNumber

    package enum Kind: Sendable { case directory, regular, symbolicLink, characterDevice, blockDevice, fifo, socket }

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        mode = status.st_mode
        uid = status.st_uid
        gid = status.st_gid
        links = UInt64(status.st_nlink)
        target = DeviceNumber(UInt64(status.st_rdev))
    }

    package var kind: Kind {
        switch mode & S_IFMT {
        case S_IFDIR: .directory
        case S_IFREG: .regular
        case S_IFLNK: .symbolicLink
        case S_IFCHR: .characterDevice
        case S_IFBLK: .blockDevice
        case S_IFIFO: .fifo
        default: .socket
        }
    }

    package func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }
}

/// Major and minor number of a device.
package struct DeviceNumber: Equatable, Sendable {
    package let major: UInt32
    package let minor: UInt32

    package init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    init(_ encoded: UInt64) {
        major = cl_major(encoded)
        minor = cl_minor(encoded)
    }

    var encoded: UInt64 { cl_makedev(major, minor) }
}

/// `fstatat(2)` of a path of the host; nil when there is nothing.
package func fileStatus(
    _ path: String, at directory: Int32 = currentDirectory, followLinks: Bool = true
) throws(SystemError) -> FileStatus? {
    var status = stat()
    let result = Int(cl_fstatat(directory, path, &status, followLinks ? 0 : CL_AT_SYMLINK_NOFOLLOW))
    if result == -Int(ENOENT) || result == -Int(ENOTDIR) { return nil }
    try check(result, "stat", path)
    return FileStatus(status)
}

/// `fstat(2)`
package func descriptorStatus(_ fd: Int32) throws(SystemError) -> FileStatus {
    var status = stat()
    try check(cl_fstatat(fd, "", &status, CL_AT_EMPTY_PATH), "fstat")
    return FileStatus(status)
}

extension FileStatus {
    package var isDevice: Bool { kind == .characterDevice || kind == .blockDevice }
    package var isDirectory: Bool { kind == .directory }
}

/// Whether a program has capabilities of its own, capabilities(7), "File capabilities".
package func hasFileCapabilities(_ path: String) -> Bool {
    var value = [UInt8](repeating: 0, count: 64)
    return cl_getxattr(path, "security.capability", &value, value.count) > 0
}
