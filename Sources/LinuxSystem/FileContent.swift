internal import CLinux
internal import Glibc

// Reading and writing at places of a file, and what is needed to bring a new file or directory into being as a whole.

extension FileDescriptor {
    /// The bytes at `offset`, fewer at the end of the file: as many pread(2) as it takes.
    package borrowing func read(at offset: Int64, upTo count: Int, subject: String = "") throws(SystemError) -> [UInt8]
    {
        do throws(SystemError) {
            return try readAt(rawValue, offset, upTo: count)
        } catch {
            throw SystemError(error.call, subject, error.errno)
        }
    }

    /// The size of a file or a block device, found by going to its end.
    package borrowing func size() throws(SystemError) -> Int64 {
        let end = try check(cl_lseek(rawValue, 0, SEEK_END), "lseek")
        try check(cl_lseek(rawValue, 0, SEEK_SET), "lseek")
        return Int64(end)
    }

    /// `renameat2(2)` of an entry of this directory to a name that nobody has yet (EEXIST).
    package borrowing func rename(_ name: String, toNew newName: String) throws(SystemError) {
        let noReplace: UInt32 = 1
        try check(cl_renameat2(rawValue, name, rawValue, newName, noReplace), "renameat2", newName)
    }
}

/// As `size()`, of a descriptor that somebody else owns.
package func descriptorSize(_ fd: Int32) throws(SystemError) -> Int64 {
    Int64(try check(cl_lseek(fd, 0, SEEK_END), "lseek"))
}

/// `getrandom(2)`
package func randomBytes(_ count: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try checkRetrying("getrandom") { bytes.withUnsafeMutableBytes { cl_getrandom($0.baseAddress, $0.count) } }
    return bytes
}

/// The bytes at `offset`, fewer at the end of the file.
package func readAt(_ fd: Int32, _ offset: Int64, upTo count: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
        let start = filled
        let more = try checkRetrying("pread") {
            bytes.withUnsafeMutableBytes { cl_pread(fd, $0.baseAddress! + start, count - start, Int(offset) + start) }
        }
        if more == 0 { break }
        filled += more
    }
    bytes.removeLast(count - filled)
    return bytes
}

/// `renameat2(2)` within a directory.
package func renameEntry(_ name: String, to newName: String, in directory: Int32) throws(SystemError) {
    try check(cl_renameat2(directory, name, directory, newName, 0), "renameat2", newName)
}

/// What tells whether a file is still the same: stat(2).
package func fileIdentity(
    _ path: String
) throws(SystemError) -> (size: UInt64, inode: UInt64, seconds: Int, nanoseconds: Int) {
    var status = stat()
    try check(Int(cl_fstatat(CL_AT_FDCWD, path, &status, 0)), "stat", path)
    return (
        UInt64(status.st_size), UInt64(status.st_ino), Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec)
    )
}

/// `umount2(2)` without flags: EBUSY while somebody uses the mount.
package func unmountPlain(_ path: String) throws(SystemError) {
    let noFollow: Int32 = 8
    try check(Int(cl_umount2(path, noFollow)), "umount2", path)
}
