internal import CLinux
internal import Glibc

extension ByteName {
    /// For messages about names that somebody else chose: on one line, odd bytes escaped.
    package var shown: String {
        var text = ""
        for byte in bytes {
            if (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "\\") {
                text += String(Unicode.Scalar(byte))
            } else {
                text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return text
    }

    @inline(__always)
    func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        terminated.withUnsafeBufferPointer { body($0.baseAddress!) }
    }
}

extension RootDirectory {
    /// As `open` of a path in text.
    package borrowing func open(
        _ path: ByteName, _ flags: OpenFlags, _ resolution: Resolution = []
    ) throws(SystemError) -> FileDescriptor {
        let how = UInt64(UInt32(bitPattern: flags.rawValue | CL_O_CLOEXEC))
        let resolve = CL_RESOLVE_IN_ROOT | CL_RESOLVE_NO_MAGICLINKS | resolution.rawValue
        let root = descriptor.rawValue
        for _ in 0..<128 {
            let result = path.withCString { cl_openat2(root, $0, how, 0, resolve) }
            if result == -Int(EAGAIN) || result == -Int(EINTR) { continue }
            return FileDescriptor(owning: try check(result, "openat2", path.shown))
        }
        throw SystemError("openat2", path.shown, .tryAgain)
    }
}

// MARK: - Entries of an open directory. Links are never followed.

extension FileDescriptor {
    package borrowing func open(
        _ name: ByteName, _ flags: OpenFlags, mode: UInt32 = 0
    ) throws(SystemError) -> FileDescriptor {
        let fd = rawValue
        let result = try checkRetrying("openat", name.shown) {
            name.withCString { cl_openat(fd, $0, flags.rawValue | CL_O_CLOEXEC | CL_O_NOFOLLOW, mode) }
        }
        return FileDescriptor(owning: result)
    }

    package borrowing func makeDirectory(_ name: ByteName, mode: UInt32) throws(SystemError) {
        let fd = rawValue
        try check(name.withCString { Int(cl_mkdirat(fd, $0, mode)) }, "mkdirat", name.shown)
    }

    package borrowing func makeSymbolicLink(_ name: ByteName, to target: ByteName) throws(SystemError) {
        let fd = rawValue
        try check(
            name.withCString { name in target.withCString { Int(cl_symlinkat($0, fd, name)) } }, "symlinkat", name.shown
        )
    }

    /// `linkat(2)`: `name` in this directory becomes another name of `target` in `directory`.
    package borrowing func makeHardLink(
        _ name: ByteName, to target: ByteName, in directory: borrowing FileDescriptor
    ) throws(SystemError) {
        let (to, from) = (rawValue, directory.rawValue)
        try check(
            name.withCString { name in target.withCString { Int(cl_linkat(from, $0, to, name, 0)) } }, "linkat",
            name.shown)
    }

    /// `mknodat(2)` of a device or a fifo; `mode` holds the permissions only.
    package borrowing func makeNode(
        _ name: ByteName, _ kind: FileStatus.Kind, _ number: DeviceNumber, mode: UInt32
    ) throws(SystemError) {
        let fd = rawValue
        let format = kind == .blockDevice ? CL_S_IFBLK : kind == .fifo ? CL_S_IFIFO : CL_S_IFCHR
        try check(
            name.withCString { Int(cl_mknodat(fd, $0, format | mode, number.encoded)) }, "mknodat", name.shown)
    }

    package borrowing func remove(_ name: ByteName, directory: Bool = false) throws(SystemError) {
        let fd = rawValue
        try check(
            name.withCString { Int(cl_unlinkat(fd, $0, directory ? CL_AT_REMOVEDIR : 0)) }, "unlinkat", name.shown)
    }

    /// nil when there is nothing of that name.
    package borrowing func status(of name: ByteName) throws(SystemError) -> FileStatus? {
        var status = stat()
        let fd = rawValue
        let result = name.withCString { Int(cl_fstatat(fd, $0, &status, CL_AT_SYMLINK_NOFOLLOW)) }
        if result == -Int(ENOENT) { return nil }
        try check(result, "fstatat", name.shown)
        return FileStatus(status)
    }

    package borrowing func changeOwner(of name: ByteName, uid: UInt32, gid: UInt32) throws(SystemError) {
        let fd = rawValue
        try check(
            name.withCString { Int(cl_fchownat(fd, $0, uid, gid, CL_AT_SYMLINK_NOFOLLOW)) }, "fchownat", name.shown)
    }

    /// `fchmodat(2)`, of what is known to be no symbolic link.
    package borrowing func changeMode(of name: ByteName, _ mode: UInt32) throws(SystemError) {
        let fd = rawValue
        try check(name.withCString { Int(cl_fchmodat(fd, $0, mode)) }, "fchmodat", name.shown)
    }

    package borrowing func setTimes(of name: ByteName, _ times: FileTimes) throws(SystemError) {
        let fd = rawValue
        let result = name.withCString { name in
            times.withPair { Int(cl_utimensat(fd, name, $0, CL_AT_SYMLINK_NOFOLLOW)) }
        }
        try check(result, "utimensat", name.shown)
    }
}

/// Access and modification time, utimensat(2).
package struct FileTimes: Equatable, Sendable {
    package var accessed: (seconds: Int64, nanoseconds: Int64)
    package var modified: (seconds: Int64, nanoseconds: Int64)

    package init(accessed: (seconds: Int64, nanoseconds: Int64), modified: (seconds: Int64, nanoseconds: Int64)) {
        self.accessed = accessed
        self.modified = modified
    }

    package static func == (one: FileTimes, other: FileTimes) -> Bool {
        one.accessed == other.accessed && one.modified == other.modified
    }

    fileprivate func withPair(_ body: (UnsafePointer<timespec>) -> Int) -> Int {
        var pair = (
            timespec(tv_sec: Int(accessed.seconds), tv_nsec: Int(accessed.nanoseconds)),
            timespec(tv_sec: Int(modified.seconds), tv_nsec: Int(modified.nanoseconds))
        )
        return withUnsafePointer(to: &pair) {
            $0.withMemoryRebound(to: timespec.self, capacity: 2) { body($0) }
        }
    }
}

extension FileDescriptor {
    package borrowing func setTimes(_ times: FileTimes) throws(SystemError) {
        let fd = rawValue
        // A null path means the descriptor itself, futimens(3).
        try check(times.withPair { Int(cl_utimensat(fd, nil, $0, 0)) }, "utimensat")
    }

    package borrowing func changeOwner(uid: UInt32, gid: UInt32) throws(SystemError) {
        try check(Int(cl_fchownat(rawValue, "", uid, gid, CL_AT_EMPTY_PATH)), "fchown")
    }

    package borrowing func changeMode(_ mode: UInt32) throws(SystemError) {
        try check(Int(cl_fchmod(rawValue, mode)), "fchmod")
    }

    package borrowing func setAttribute(_ name: ByteName, _ value: [UInt8]) throws(SystemError) {
        let fd = rawValue
        try check(name.withCString { Int(cl_fsetxattr(fd, $0, value, value.count)) }, "fsetxattr", name.shown)
    }

    /// `lsetxattr(2)` of an entry, whatever it is. Goes through /proc, since there is no call for what cannot be opened.
    package borrowing func setAttribute(
        of entry: ByteName, _ name: ByteName, _ value: [UInt8]
    ) throws(SystemError) {
        let path = ByteName("/proc/self/fd/\(rawValue)/".utf8.map { $0 } + entry.bytes)
        let result = path.withCString { path in name.withCString { Int(cl_lsetxattr(path, $0, value, value.count)) } }
        try check(result, "lsetxattr", name.shown)
    }

    /// Gives up what the directory above has handed down: its group, its mark to do so (set-group-ID), its default access list.
    package borrowing func disinherit(mode: UInt32) throws(SystemError) {
        try changeOwner(uid: effectiveUserID(), gid: effectiveGroupID())
        for list in ["system.posix_acl_default", "system.posix_acl_access"] {
            let result = Int(cl_fremovexattr(rawValue, list))
            guard result != -Int(ENODATA), result != -Int(EOPNOTSUPP) else { continue }
            try check(result, "fremovexattr", list)
        }
        try changeMode(mode)
    }

    /// `ftruncate(2)`
    package borrowing func setSize(_ size: Int64) throws(SystemError) {
        try check(cl_ftruncate(rawValue, size), "ftruncate")
    }
}
