internal import LinuxSystem

/// The pid file: complete from the moment it has its name.
func writePIDFile(_ path: String, _ pid: Int32) throws(RuntimeError) {
    let (directory, name) = splitPath(path.utf8.contains(UInt8(ascii: "/")) ? path : "./\(path)")
    try explain("--pid-file: cannot write \(path)") { () throws(SystemError) in
        let place = try FileDescriptor.open(directory, .place)
        let temporary = ".\(name).\(pid)"
        // Whatever somebody has put there is not written to.
        try? place.remove(temporary)
        let file = try FileDescriptor.open(
            temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644, at: place.rawValue)
        try file.write("\(pid)", subject: path)
        try place.rename(temporary, to: name)
    }
}
