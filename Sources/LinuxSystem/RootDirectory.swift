internal import CLinux
internal import Glibc

/// A directory that is, or is going to be, somebody's root. Paths are resolved by the kernel in one step with this
/// directory as "/": absolute links, ".." and links that change meanwhile cannot leave it, and magic links such as
/// /proc/PID/root are not followed (openat2(2), RESOLVE_IN_ROOT).
package struct RootDirectory: ~Copyable {
    package let descriptor: FileDescriptor

    package init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// How the last component of a path is made when there is nothing yet.
    package enum Kind: Sendable { case directory, file }

    /// Restrictions beyond staying inside.
    package struct Resolution: OptionSet, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }
        package static let none: Resolution = []
        /// No link anywhere in the path (ELOOP).
        package static let noLinks = Resolution(rawValue: CL_RESOLVE_NO_SYMLINKS)
        /// No step into another mount (EXDEV).
        package static let sameMount = Resolution(rawValue: CL_RESOLVE_NO_XDEV)
    }

    package borrowing func open(
        _ path: String, _ flags: OpenFlags = .path, mode: UInt32 = 0, _ resolution: Resolution = []
    ) throws(SystemError) -> FileDescriptor {
        let how = UInt64(UInt32(bitPattern: flags.rawValue | CL_O_CLOEXEC))
        let resolve = CL_RESOLVE_IN_ROOT | CL_RESOLVE_NO_MAGICLINKS | resolution.rawValue
        // EAGAIN: the kernel saw a rename or a mount during ".." and cannot vouch for the result.
        for _ in 0..<128 {
            let result = cl_openat2(descriptor.rawValue, path, how, UInt64(mode), resolve)
            if result == -Int(EAGAIN) || result == -Int(EINTR) { continue }
            return FileDescriptor(owning: try check(result, "openat2", path))
        }
        throw SystemError("openat2", path, .tryAgain)
    }

    /// Opens a place (O_PATH) that lies inside as it is written: ".." and links that lead outside are EXDEV, where `open` would
    /// bend them back.
    package borrowing func openBeneath(_ path: String) throws(SystemError) -> FileDescriptor {
        let how = UInt64(UInt32(bitPattern: CL_O_PATH | CL_O_CLOEXEC))
        let result = cl_openat2(descriptor.rawValue, path, how, 0, CL_RESOLVE_BENEATH | CL_RESOLVE_NO_MAGICLINKS)
        return FileDescriptor(owning: try check(result, "openat2", path))
    }

    /// As `open`; nil when there is nothing at `path`.
    package borrowing func openIfPresent(
        _ path: String, _ flags: OpenFlags = .path, _ resolution: Resolution = []
    ) throws(SystemError) -> FileDescriptor? {
        do {
            return try open(path, flags, resolution)
        } catch {
            if error.errno == .noEntry || error.errno == .notDirectory { return nil }
            throw error
        }
    }

    /// Opens `path` (O_PATH) and makes what is missing on the way: directories of mode 0755, and an empty directory or
    /// file at its end. Dangling links are followed inside this root, as the container itself would see them.
    package borrowing func openMaking(
        _ kind: Kind, _ path: String, _ resolution: Resolution = []
    ) throws(SystemError) -> FileDescriptor {
        do {
            return try open(path, kind == .directory ? [.path, .directory] : .path, resolution)
        } catch {
            guard error.errno == .noEntry else { throw error }
        }
        if let made = try makeLast(kind, path, resolution) { return made }
        return try make(kind, path, resolution)
    }

    /// Nearly always only the last component is missing. Nil when it is not that simple.
    private borrowing func makeLast(
        _ kind: Kind, _ path: String, _ resolution: Resolution
    ) throws(SystemError) -> FileDescriptor? {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        let name = String(path[path.utf8.index(after: slash)...])
        let directory = slash == path.startIndex ? "/" : String(path[..<slash])
        guard !name.isEmpty, name != ".", name != "..",
            let parent = try openIfPresent(directory, [.path, .directory], resolution),
            try fileStatus(name, at: parent.rawValue, followLinks: false) == nil
        else { return nil }
        try makeEntry(kind, name, in: parent)
        let flags: OpenFlags = kind == .directory ? [.path, .directory, .noFollow] : [.path, .noFollow]
        let made = try FileDescriptor.open(name, flags, at: parent.rawValue)
        // Somebody may have put something else there meanwhile.
        guard try made.status().kind == (kind == .directory ? .directory : .regular) else {
            throw SystemError("open", path, .loop)
        }
        return made
    }

    private borrowing func make(
        _ kind: Kind, _ path: String, _ resolution: Resolution
    ) throws(SystemError) -> FileDescriptor {
        var pending = pathComponents(path).reversed() as [String]
        var resolved: [String] = []
        var linksLeft = 40
        while let name = pending.popLast() {
            if name == ".." {
                _ = resolved.popLast()
                continue
            }
            // Every step starts from the root again, without links: what was checked is what is opened.
            let parent = try open(joinOrDot(resolved), [.path, .directory], .noLinks)
            let isLast = pending.isEmpty
            let status = try fileStatus(name, at: parent.rawValue, followLinks: false)
            if let status, status.kind == .symbolicLink {
                linksLeft -= 1
                guard linksLeft > 0, !resolution.contains(.noLinks) else {
                    throw SystemError("openat2", path, .loop)
                }
                let target = try readLink(name, at: parent)
                if target.utf8.first == UInt8(ascii: "/") { resolved = [] }
                pending += pathComponents(target).reversed()
                continue
            }
            if status == nil { try makeEntry(isLast ? kind : .directory, name, in: parent) }
            resolved.append(name)
        }
        return try open(joinOrDot(resolved), kind == .directory ? [.path, .directory] : .path, .noLinks)
    }

    private func makeEntry(
        _ kind: Kind, _ name: String, in parent: borrowing FileDescriptor
    ) throws(SystemError) {
        let result: Int
        switch kind {
        case .directory: result = cl_mkdirat(parent.rawValue, name, 0o755)
        case .file: result = cl_mknodat(parent.rawValue, name, CL_S_IFREG | 0o644, 0)
        }
        // Somebody else may have made it meanwhile; it is opened without following links in any case.
        if result == -Int(EEXIST) { return }
        try check(result, kind == .directory ? "mkdirat" : "mknodat", name)
    }
}

private func joinOrDot(_ components: [String]) -> String {
    components.isEmpty ? "." : joinPath(components)
}

package func readLink(_ name: String, at directory: borrowing FileDescriptor) throws(SystemError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = try check(cl_readlinkat(directory.rawValue, name, &buffer, buffer.count), "readlinkat", name)
    return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

// MARK: - Making entries in an open directory

extension FileDescriptor {
    package borrowing func makeDirectory(_ name: String, mode: UInt32 = 0o755) throws(SystemError) {
        try check(cl_mkdirat(rawValue, name, mode), "mkdirat", name)
    }

    package borrowing func makeSymbolicLink(_ name: String, to target: String) throws(SystemError) {
        try check(cl_symlinkat(target, rawValue, name), "symlinkat", name)
    }

    /// `mknodat(2)` of a device; `mode` holds the permissions only.
    package borrowing func makeDevice(
        _ name: String, _ kind: FileStatus.Kind, _ number: DeviceNumber, mode: UInt32
    ) throws(SystemError) {
        let format = kind == .blockDevice ? CL_S_IFBLK : kind == .fifo ? CL_S_IFIFO : CL_S_IFCHR
        try check(cl_mknodat(rawValue, name, format | mode, number.encoded), "mknodat", name)
    }

    package borrowing func makeFIFO(_ name: String, mode: UInt32) throws(SystemError) {
        try LinuxSystem.makeFIFO(name, in: rawValue, mode: mode)
    }

    /// An empty regular file that must not exist yet.
    package borrowing func makeFile(_ name: String, mode: UInt32 = 0o644) throws(SystemError) {
        try check(cl_mknodat(rawValue, name, CL_S_IFREG | mode, 0), "mknodat", name)
    }

    /// `fchownat(2)` of an entry, links not followed.
    package borrowing func changeOwner(_ name: String, uid: UInt32, gid: UInt32) throws(SystemError) {
        let flags = name.isEmpty ? CL_AT_EMPTY_PATH : CL_AT_SYMLINK_NOFOLLOW
        try check(cl_fchownat(rawValue, name, uid, gid, flags), "fchownat", name)
    }

    package borrowing func remove(_ name: String, directory: Bool = false) throws(SystemError) {
        try check(cl_unlinkat(rawValue, name, directory ? CL_AT_REMOVEDIR : 0), "unlinkat", name)
    }

    package borrowing func rename(_ name: String, to newName: String) throws(SystemError) {
        try check(cl_renameat2(rawValue, name, rawValue, newName, 0), "renameat2", newName)
    }
}

/// `fchown(2)` of the user only.
package func changeDescriptorOwner(_ fd: Int32, uid: UInt32) throws(SystemError) {
    try check(cl_fchownat(fd, "", uid, .max, CL_AT_EMPTY_PATH), "fchown")
}

package func makeFIFO(_ name: String, in directory: Int32, mode: UInt32 = 0o600) throws(SystemError) {
    try check(cl_mknodat(directory, name, CL_S_IFIFO | mode, 0), "mknodat", name)
}
