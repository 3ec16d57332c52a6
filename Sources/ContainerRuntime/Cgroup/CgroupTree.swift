internal import CLinux
internal import Glibc
internal import LinuxSystem

// Directories of cgroups: making, listing and removing them. Paths are the host's own; no container can put a link
// into a cgroup filesystem.

/// "/a/b" of "/a/b/c", "/" of "/a".
func parentPath(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.utf8.startIndex else { return "/" }
    return String(path[..<slash])
}

/// Makes `path` and what is missing above it, up to the hierarchy's `mountPoint`.
///
/// - Returns: the directories made, the topmost first; empty when `path` was there.
func makeCgroups(_ path: String, below mountPoint: String) throws(SystemError) -> [String] {
    var made: [String] = []
    // The way up from `path`; the last one pending is tried next.
    var pending = [path]
    while let directory = pending.last {
        let result = Int(cl_mkdirat(currentDirectory, directory, 0o755))
        if result == -Int(ENOENT), parentPath(directory).utf8.count > mountPoint.utf8.count {
            pending.append(parentPath(directory))
            continue
        }
        if result != -Int(EEXIST) {
            do { try check(result, "mkdir", directory) } catch {
                removeMade(made)
                throw error
            }
            made.append(directory)
        }
        pending.removeLast()
    }
    return made
}

/// Takes back what `makeCgroups` made.
func removeMade(_ directories: [String]) {
    for directory in directories.reversed() { _ = cl_unlinkat(currentDirectory, directory, CL_AT_REMOVEDIR) }
}

/// The paths of the cgroups right below `path`.
func childCgroups(of path: String) throws(SystemError) -> [String] {
    let directory = try FileDescriptor.open(path, .directory)
    return try directoryEntries(directory, onlyDirectories: true).map { "\(path)/\($0)" }
}

/// The processes in `path` and below, none when it is gone.
func processesInTree(_ path: String) throws(SystemError) -> [Int32] {
    var pids: [Int32] = []
    var pending = [path]
    while let cgroup = pending.popLast() {
        do {
            pids += try numbers(in: readFile(cgroup + "/cgroup.procs", limit: 16 << 20))
            pending += try childCgroups(of: cgroup)
        } catch {
            // Gone meanwhile, or threaded (v2): then its processes are listed in the domain above it.
            guard error.errno == .noEntry || error.errno == .noDevice || error.errno == .notSupported else {
                throw error
            }
        }
    }
    return pids
}

private func numbers(in text: [UInt8]) -> [Int32] {
    text.split(separator: UInt8(ascii: "\n")).compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
}

/// The content of a control file that holds a value or a few lines: the kernel gives it whole in one read(2).
func readControl(_ path: String) throws(SystemError) -> [UInt8] {
    try FileDescriptor.open(path, .readOnly).read(upTo: 4096, subject: path)
}

/// One write(2), which the kernel takes or refuses as a whole.
func writeControl(_ path: String, _ value: some Collection<UInt8>) throws(SystemError) {
    try FileDescriptor.open(path, .writeOnly).write(value, subject: path)
}

/// Removes `path` and all cgroups below it, the deepest first.
///
/// - Parameter patiently: waits for processes on their last steps, up to two seconds
func removeTree(_ path: String, patiently: Bool = true) throws(SystemError) {
    do {
        try removeDirectory(path)
    } catch  where error.errno == .busy {
        // Either cgroups that the container made, or processes on their last steps.
        for child in (try? childCgroups(of: path)) ?? [] { try removeTree(child, patiently: patiently) }
        if patiently { try removeWhenEmpty(path) } else { try removeDirectory(path) }
    }
}

/// A process that was waited for may still be listed for a moment: the kernel takes it out of its cgroup after it
/// reported the end.
private func removeWhenEmpty(_ path: String) throws(SystemError) {
    var microseconds: UInt32 = 50
    while true {
        do { return try removeDirectory(path) } catch  where error.errno == .busy && microseconds < 1_000_000 {
            usleep(microseconds)
            microseconds *= 2
        }
    }
}

/// `rmdir(2)`; nothing to do when there is nothing.
func removeDirectory(_ path: String) throws(SystemError) {
    let result = Int(cl_unlinkat(currentDirectory, path, CL_AT_REMOVEDIR))
    if result != -Int(ENOENT) { try check(result, "rmdir", path) }
}
