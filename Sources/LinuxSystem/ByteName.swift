internal import CLinux
internal import Glibc

/// A file name as the kernel has it: bytes without a zero, not necessarily UTF-8. A `String` would repair what is not
/// UTF-8 and then name another file.
package struct ByteName: Hashable, Sendable {
    /// The bytes with the zero at their end.
    package private(set) var terminated: [CChar]

    package init(_ bytes: some Sequence<UInt8>) {
        terminated = bytes.map { CChar(bitPattern: $0) }
        terminated.append(0)
    }

    package init(_ text: String) { self.init(text.utf8) }

    init(copying pointer: UnsafePointer<CChar>) {
        terminated = Array(UnsafeBufferPointer(start: pointer, count: strlen(pointer) + 1))
    }

    package var bytes: [UInt8] { terminated.dropLast().map { UInt8(bitPattern: $0) } }
    package var count: Int { terminated.count - 1 }

    /// For messages.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    /// `self/name`; just the name when this is empty.
    package func appending(_ name: ByteName) -> ByteName {
        var path = self
        path.terminated.removeLast()
        if !path.terminated.isEmpty { path.terminated.append(CChar(bitPattern: UInt8(ascii: "/"))) }
        path.terminated += name.terminated
        return path
    }

    /// Takes the last component away.
    package mutating func removeLastComponent() {
        terminated.removeLast()
        while let byte = terminated.popLast(), byte != CChar(bitPattern: UInt8(ascii: "/")) {}
        terminated.append(0)
    }
}

/// What getdents64(2) tells of an entry.
package struct ByteEntry: Sendable {
    package let name: ByteName
    package let inode: UInt64
    /// As the filesystem says, which may not know (`DT_UNKNOWN`) and may lie.
    package let kind: UInt8

    package var isDirectory: Bool { kind == UInt8(DT_DIR) }
    package var isKnown: Bool { kind != UInt8(DT_UNKNOWN) }
}

/// The entries of a directory, without "." and "..", in the kernel's order.
///
/// - Parameter limit: as many entries; more are EOVERFLOW
package func byteEntries(
    _ directory: Int32, limit: Int = .max, subject: @autoclosure () -> String = ""
) throws(SystemError) -> [ByteEntry] {
    var entries: [ByteEntry] = []
    let size = 32 * 1024
    let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
    defer { buffer.deallocate() }
    while true {
        let filled = try check(Int(cl_getdents64(directory, buffer, size)), "getdents64", subject())
        if filled == 0 { return entries }
        var offset = 0
        while offset < filled {
            // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name
            let record = buffer + offset
            offset += Int(record.load(fromByteOffset: 16, as: UInt16.self))
            let name = (record + 19).assumingMemoryBound(to: CChar.self)
            if name[0] == 46, name[1] == 0 || (name[1] == 46 && name[2] == 0) { continue }
            entries.append(
                ByteEntry(
                    name: ByteName(copying: name), inode: record.load(as: UInt64.self),
                    kind: record.load(fromByteOffset: 18, as: UInt8.self)))
        }
        guard entries.count <= limit else { throw SystemError("getdents64", subject(), Errno(EOVERFLOW)) }
    }
}

/// Removes everything in a directory, however deep it is and whatever its names are; mounts and links are not followed.
package func removeByteTree(in directory: borrowing FileDescriptor) throws(SystemError) {
    var current = try FileDescriptor.open(".", .directory, at: directory.rawValue)
    var left: [[ByteName]] = [try removeFiles(in: current)]
    var entered: [ByteName] = []
    while true {
        if let name = left[left.count - 1].popLast() {
            // An ordinary user cannot enter every directory of his own as it is.
            _ = cl_fchmodat(current.rawValue, name.terminated, 0o700)
            current = try openByteDirectory(name, at: current.rawValue)
            left.append(try removeFiles(in: current))
            entered.append(name)
            continue
        }
        left.removeLast()
        guard let name = entered.popLast() else { return }
        current = try FileDescriptor.open("..", .directory, at: current.rawValue)
        try check(Int(cl_unlinkat(current.rawValue, name.terminated, CL_AT_REMOVEDIR)), "unlinkat", name.text)
    }
}

/// Removes what is no directory; returns the directories.
private func removeFiles(in directory: borrowing FileDescriptor) throws(SystemError) -> [ByteName] {
    var directories: [ByteName] = []
    for entry in try byteEntries(directory.rawValue) {
        let result = Int(cl_unlinkat(directory.rawValue, entry.name.terminated, 0))
        if result == -Int(EISDIR) || result == -Int(EPERM) {
            directories.append(entry.name)
        } else if result != -Int(ENOENT) {
            try check(result, "unlinkat", entry.name.text)
        }
    }
    return directories
}

package func openByteDirectory(_ name: ByteName, at directory: Int32) throws(SystemError) -> FileDescriptor {
    let flags = CL_O_DIRECTORY | CL_O_NOFOLLOW | CL_O_CLOEXEC
    return FileDescriptor(
        owning: try checkRetrying("open", name.text) { Int(cl_openat(directory, name.terminated, flags, 0)) })
}
