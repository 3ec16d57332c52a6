internal import LinuxSystem
internal import RuntimeSpec

/// Writes `linux.sysctl` (config-linux.md, "Sysctl") in the container's namespaces.
///
/// The files are reached through a procfs of init's own that is attached nowhere: whatever a bundle mounts over
/// /proc/sys, or puts in its place, cannot turn the write to another file.
func setKernelParameters(_ parameters: [KeyValue]) throws(RuntimeError) {
    guard !parameters.isEmpty else { return }
    let proc = try explain("cannot open a procfs for linux.sysctl") { () throws(SystemError) in try openPrivateProc() }
    for parameter in parameters {
        let file = "sys/" + parameterPath(parameter.key)
        do {
            try proc.open(file, .writeOnly, [.noLinks, .sameMount]).write(parameter.value, subject: file)
        } catch {
            throw RuntimeError(
                at: "linux.sysctl[\"\(parameter.key)\"]", "cannot set \(parameter.key) to \"\(parameter.value)\"",
                error,
                hint: error.errno == .noEntry ? "the kernel has no such parameter" : nil)
        }
    }
}

/// A new procfs of the current pid namespace. Where the kernel refuses one (a user namespace whose own /proc is partly
/// covered) the /proc that is there serves.
///
/// - Parameter trusting: it is the runtime's, which the container has not touched yet; otherwise it has to prove that it
///   is the top of a procfs, and not a part of one in its place
func openPrivateProc(trusting: Bool = true) throws(SystemError) -> RootDirectory {
    do {
        return RootDirectory(
            try FilesystemContext(type: "proc").mount([.noSetUserID, .noExecution, .noDevices]).intoDescriptor())
    } catch {
        guard error.errno == .notPermitted else { throw error }
        let proc = try FileDescriptor.open("/proc", .place)
        guard try proc.filesystemMagic() == procfsMagic else { throw error }
        if !trusting, try proc.status().inode != procfsTopInode { throw error }
        return RootDirectory(proc)
    }
}

/// linux/proc_fs.h: PROC_ROOT_INO
private let procfsTopInode: UInt64 = 1

/// sysctl(8): "net.ipv4.conf.eth0.forwarding" or "net/ipv4/conf/eth0.1/forwarding"; whichever separator comes first
/// separates, and the other one stands for itself.
func parameterPath(_ key: String) -> String {
    guard let first = key.utf8.first(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") }),
        first == UInt8(ascii: ".")
    else { return key }
    let swapped = key.utf8.map { byte in
        byte == UInt8(ascii: ".") ? UInt8(ascii: "/") : byte == UInt8(ascii: "/") ? UInt8(ascii: ".") : byte
    }
    return String(decoding: swapped, as: UTF8.self)
}
