internal import CLinux
internal import Glibc

/// An open file descriptor with one owner; it closes itself when the owner goes away.
package struct FileDescriptor: ~Copyable, Sendable {
    package let rawValue: Int32

    /// Takes ownership of `rawValue`.
    package init(owning rawValue: Int32) { self.rawValue = rawValue }
    package init(owning rawValue: Int) { self.rawValue = Int32(truncatingIfNeeded: rawValue) }

    deinit { _ = cl_close(rawValue) }

    /// Gives up ownership: whoever takes the number closes it.
    package consuming func release() -> Int32 {
        let value = rawValue
        discard self
        return value
    }

    /// `dup(2)`, close-on-exec.
    package borrowing func duplicate() throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try check(cl_fcntl(rawValue, F_DUPFD_CLOEXEC, 3), "fcntl"))
    }
}

extension Optional where Wrapped == FileDescriptor {
    /// The descriptor's number, without giving up ownership.
    package var number: Int32? {
        switch self {
        case .some(let file): file.rawValue
        case .none: nil
        }
    }
}

/// How a file is opened; every descriptor of swrun is close-on-exec.
package struct OpenFlags: OptionSet, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let readOnly = OpenFlags([])
    package static let writeOnly = OpenFlags(rawValue: O_WRONLY)
    package static let readWrite = OpenFlags(rawValue: O_RDWR)
    package static let create = OpenFlags(rawValue: O_CREAT)
    package static let exclusive = OpenFlags(rawValue: O_EXCL)
    package static let truncate = OpenFlags(rawValue: O_TRUNC)
    package static let append = OpenFlags(rawValue: O_APPEND)
    package static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    package static let noControllingTerminal = OpenFlags(rawValue: O_NOCTTY)
    package static let directory = OpenFlags(rawValue: CL_O_DIRECTORY)
    package static let noFollow = OpenFlags(rawValue: CL_O_NOFOLLOW)
    /// A reference to a place in the file system, not to its content (O_PATH).
    package static let path = OpenFlags(rawValue: CL_O_PATH)
    /// A file without a name in the directory that is opened (O_TMPFILE).
    package static let unnamed = OpenFlags(rawValue: CL_O_TMPFILE)
}

/// Several at once. A literal in another module is an array that is made, looked through and freed, by code that knows
/// nothing of its type; here it is a constant.
extension OpenFlags {
    /// A directory, to look something up in.
    package static let place: OpenFlags = [.path, .directory]
    package static let placeItself: OpenFlags = [.path, .directory, .noFollow]
    /// What has this name, be it a link.
    package static let entry: OpenFlags = [.path, .noFollow]
    package static let directoryItself: OpenFlags = [.directory, .noFollow]
    /// A file that is made or emptied.
    package static let newContent: OpenFlags = [.writeOnly, .create, .truncate, .noFollow]
}

package let currentDirectory: Int32 = CL_AT_FDCWD

extension FileDescriptor {
    /// `openat(2)`. Only for paths of the host: what lies in a container's root filesystem goes through `RootFilesystem`.
    package static func open(
        _ path: String, _ flags: OpenFlags, mode: UInt32 = 0, at directory: Int32 = currentDirectory
    ) throws(SystemError) -> FileDescriptor {
        let result = try checkRetrying("open", path) {
            cl_openat(directory, path, flags.rawValue | CL_O_CLOEXEC, mode)
        }
        return FileDescriptor(owning: result)
    }

    /// Writes all of `bytes`.
    package borrowing func write(_ bytes: some Collection<UInt8>, subject: String = "") throws(SystemError) {
        try writeAll(rawValue, Array(bytes), subject)
    }

    package borrowing func write(_ text: String, subject: String = "") throws(SystemError) {
        try writeAll(rawValue, Array(text.utf8), subject)
    }

    /// Reads at most `count` bytes in one call; an empty array at the end of the file.
    package borrowing func read(upTo count: Int, subject: String = "") throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let fd = rawValue
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while true {
                let result = cl_read(fd, buffer.baseAddress, count)
                if result == -Int(EINTR) { continue }
                if result < 0 {
                    failure = SystemError("read", subject, Errno(Int32(-result)))
                } else {
                    filled = result
                }
                return
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads to the end of the file, or stops with EFBIG when there is more than `limit` bytes.
    package borrowing func readToEnd(limit: Int, subject: String = "") throws(SystemError) -> [UInt8] {
        // Files are small; the buffer grows with what they turn out to be.
        var bytes: [UInt8] = []
        var step = 16 * 1024
        while bytes.count <= limit {
            let more = try read(upTo: step, subject: subject)
            if more.isEmpty { return bytes }
            if bytes.isEmpty { bytes = more } else { bytes += more }
            if bytes.count >= 64 * 1024 { step = 1 << 20 }
        }
        throw SystemError("read", subject, Errno(EFBIG))
    }

    package borrowing func status(subject: String = "") throws(SystemError) -> FileStatus {
        var status = stat()
        try check(cl_fstatat(rawValue, "", &status, CL_AT_EMPTY_PATH), "fstat", subject)
        return FileStatus(status)
    }

    /// The magic number of the filesystem that the file lies on (linux/magic.h).
    package borrowing func filesystemMagic() throws(SystemError) -> Int64 {
        var status = statfs()
        try check(cl_fstatfs(rawValue, &status), "fstatfs")
        return Int64(status.f_type)
    }
}

private func writeAll(_ fd: Int32, _ bytes: [UInt8], _ subject: String) throws(SystemError) {
    var written = 0
    while written < bytes.count {
        let start = written
        written += try checkRetrying("write", subject) {
            bytes.withUnsafeBytes { cl_write(fd, $0.baseAddress! + start, bytes.count - start) }
        }
    }
}

/// The whole of a small file, as text.
package func readFile(
    _ path: String, at directory: Int32 = currentDirectory, limit: Int = 1 << 20
) throws(SystemError) -> [UInt8] {
    let file = try FileDescriptor.open(path, .readOnly, at: directory)
    return try file.readToEnd(limit: limit, subject: path)
}

/// One write(2) to an existing file, as the kernel's control files want it.
package func writeFile(_ path: String, _ text: String, at directory: Int32 = currentDirectory) throws(SystemError) {
    let file = try FileDescriptor.open(path, .writeOnly, at: directory)
    try file.write(text, subject: path)
}

/// The names in a directory, without "." and "..", in the kernel's order. `directory` is open for reading.
///
/// - Parameter onlyDirectories: leaves out what is no directory, as the filesystem itself says (`d_type`).
package func directoryEntries(
    _ directory: borrowing FileDescriptor, onlyDirectories: Bool = false
) throws(SystemError) -> [String] {
    var names: [String] = []
    let size = 32 * 1024
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
    defer { buffer.deallocate() }
    while true {
        let filled = try check(cl_getdents64(directory.rawValue, buffer, size), "getdents64")
        if filled == 0 { return names }
        var offset = 0
        while offset < filled {
            // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name
            let length = Int(buffer.load(fromByteOffset: offset + 16, as: UInt16.self))
            let isDirectory = buffer.load(fromByteOffset: offset + 18, as: UInt8.self) == UInt8(DT_DIR)
            let name = (buffer + offset + 19).assumingMemoryBound(to: CChar.self)
            offset += length
            if onlyDirectories && !isDirectory { continue }
            let text = String(cString: name)
            if text != "." && text != ".." { names.append(text) }
        }
    }
}

extension FileDescriptor {
    /// `flock(2)`, exclusive; false when somebody else has the lock and `waiting` is false.
    package borrowing func lock(waiting: Bool) throws(SystemError) -> Bool { try flock(rawValue, waiting: waiting) }
}

package func flock(_ fd: Int32, waiting: Bool) throws(SystemError) -> Bool {
    let operation = waiting ? LOCK_EX : LOCK_EX | LOCK_NB
    while true {
        let result = Int(cl_flock(fd, operation))
        if result == -Int(EINTR) { continue }
        if result == -Int(EWOULDBLOCK) { return false }
        try check(result, "flock")
        return true
    }
}

package func unlock(_ file: borrowing FileDescriptor) { _ = cl_flock(file.rawValue, LOCK_UN) }

/// Writes to the disk all that the filesystem of `fd` has in memory, syncfs(2).
package func syncFilesystem(_ fd: Int32) throws(SystemError) { try check(cl_syncfs(fd), "syncfs") }

package func sleep(milliseconds: Int32) { _ = cl_poll(nil, 0, milliseconds) }

/// Opens a directory of the host for reading and makes what is missing of its path (mode 0700).
package func openMakingDirectories(_ path: String) throws(SystemError) -> FileDescriptor {
    do {
        return try FileDescriptor.open(path, .directory)
    } catch {
        guard error.errno == .noEntry else { throw error }
    }
    var prefix = ""
    for component in path.split(separator: "/") {
        prefix += (prefix.isEmpty && path.utf8.first != UInt8(ascii: "/") ? "" : "/") + component
        let result = Int(cl_mkdirat(CL_AT_FDCWD, prefix, 0o700))
        if result != -Int(EEXIST) { try check(result, "mkdir", prefix) }
    }
    return try FileDescriptor.open(path, .directory)
}

/// Removes everything in a directory; mounts (EXDEV) and links are not followed.
package func removeTree(in directory: borrowing FileDescriptor) throws(SystemError) {
    for name in try directoryEntries(directory) {
        let result = Int(cl_unlinkat(directory.rawValue, name, 0))
        if result == -Int(EISDIR) || result == -Int(EPERM) {
            let how = UInt64(UInt32(bitPattern: CL_O_CLOEXEC) | UInt32(O_DIRECTORY))
            let resolve = CL_RESOLVE_NO_XDEV | CL_RESOLVE_NO_SYMLINKS
            let inner = FileDescriptor(
                owning: try check(cl_openat2(directory.rawValue, name, how, 0, resolve), "openat2", name))
            try removeTree(in: inner)
            try directory.remove(name, directory: true)
        } else if result != -Int(ENOENT) {
            try check(result, "unlinkat", name)
        }
    }
}
