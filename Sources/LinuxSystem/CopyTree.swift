internal import CLinux
internal import Glibc

/// Copies what is in the directory `source` into the directory `target`: directories, files, links and devices with
/// owner, group and mode. Links are copied, not followed; other filesystems are not entered.
package func copyTree(
    from source: borrowing FileDescriptor, to target: borrowing FileDescriptor
) throws(SystemError) {
    let from = try FileDescriptor.open(".", .directory, at: source.rawValue)
    let to = try FileDescriptor.open(".", .directory, at: target.rawValue)
    let status = try from.status()
    try check(Int(cl_fchmod(to.rawValue, status.mode & 0o7777)), "fchmod")
    try to.changeOwner("", uid: status.uid, gid: status.gid)
    for name in try directoryEntries(from) { try copyEntry(name, from: from, to: to, device: status.device) }
}

private func copyEntry(
    _ name: String, from source: borrowing FileDescriptor, to target: borrowing FileDescriptor, device: UInt64
) throws(SystemError) {
    guard let status = try fileStatus(name, at: source.rawValue, followLinks: false) else { return }
    switch status.kind {
    case .directory:
        try target.makeDirectory(name, mode: status.mode & 0o7777)
        guard status.device == device else { return }
        let inner = try FileDescriptor.open(name, [.directory, .noFollow], at: source.rawValue)
        let copy = try FileDescriptor.open(name, [.directory, .noFollow], at: target.rawValue)
        return try copyTree(from: inner, to: copy)
    case .symbolicLink:
        try target.makeSymbolicLink(name, to: try readLink(name, at: source))
    case .regular:
        try copyFile(name, from: source, to: target, mode: status.mode & 0o7777)
    case .characterDevice, .blockDevice, .fifo:
        try target.makeDevice(name, status.kind, status.target, mode: status.mode & 0o7777)
    case .socket:
        return  // nobody listens on a copy
    }
    try target.changeOwner(name, uid: status.uid, gid: status.gid)
    // A change of owner takes set-user-id bits away.
    if status.kind == .regular, status.mode & 0o6000 != 0 {
        try check(Int(cl_fchmodat(target.rawValue, name, status.mode & 0o7777)), "fchmodat", name)
    }
}

private func copyFile(
    _ name: String, from source: borrowing FileDescriptor, to target: borrowing FileDescriptor, mode: UInt32
) throws(SystemError) {
    let input = try openRegularFile(name, at: source.rawValue)
    let output = try FileDescriptor.open(
        name, [.writeOnly, .create, .exclusive, .noFollow], mode: mode, at: target.rawValue)
    while true {
        let bytes = try input.read(upTo: 1 << 18, subject: name)
        if bytes.isEmpty { return }
        try output.write(bytes, subject: name)
    }
}

/// Opens a file for reading that is known to be an ordinary one before it is opened: opening a device or a fifo, which
/// somebody could put in its place meanwhile, does things by itself. Needs the /proc of the runtime.
package func openRegularFile(_ name: String, at directory: Int32) throws(SystemError) -> FileDescriptor {
    try openRegularFile(try FileDescriptor.open(name, [.path, .noFollow], at: directory), name)
}

package func openRegularFile(_ place: borrowing FileDescriptor, _ name: String) throws(SystemError) -> FileDescriptor {
    guard try place.status().kind == .regular else { throw SystemError("open", "\(name) is no regular file", .invalid) }
    return try FileDescriptor.open("/proc/self/fd/\(place.rawValue)", .readOnly)
}
