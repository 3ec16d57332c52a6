internal import LinuxSystem
internal import RuntimeSpec

/// Gives the user namespace of process `pid` its mappings (user_namespaces(7)).
func writeIDMappings(_ uid: [IDMapping], _ gid: [IDMapping], of pid: Int32) throws(RuntimeError) {
    try writeMap(uid, "uid_map", "linux.uidMappings", pid)
    do throws(RuntimeError) {
        try writeMap(gid, "gid_map", "linux.gidMappings", pid)
    } catch {
        // Without privilege over the groups outside, only who gives up setgroups(2) may map one.
        try explain("cannot deny setgroups", at: "linux.gidMappings") { () throws(SystemError) in
            try writeFile("/proc/\(pid)/setgroups", "deny")
        }
        try writeMap(gid, "gid_map", "linux.gidMappings", pid)
    }
}

private func writeMap(_ mappings: [IDMapping], _ file: String, _ path: String, _ pid: Int32) throws(RuntimeError) {
    try explain(
        "cannot write the id mappings", at: path,
        hint: "ranges must not overlap, and must be mapped in the namespace of the runtime"
    ) { () throws(SystemError) in try writeFile("/proc/\(pid)/\(file)", idMapText(mappings)) }
}

/// The pid file: complete from the moment it has its name.
func writePIDFile(_ path: String, _ pid: Int32) throws(RuntimeError) {
    let (directory, name) = splitPath(path.utf8.contains(UInt8(ascii: "/")) ? path : "./\(path)")
    try explain("--pid-file: cannot write \(path)") { () throws(SystemError) in
        let place = try FileDescriptor.open(directory, [.path, .directory])
        let temporary = ".\(name).\(pid)"
        // Whatever somebody has put there is not written to.
        try? place.remove(temporary)
        let file = try FileDescriptor.open(
            temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644, at: place.rawValue)
        try file.write("\(pid)", subject: path)
        try place.rename(temporary, to: name)
    }
}
