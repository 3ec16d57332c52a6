internal import LinuxSystem

/// Control groups of the process that an image is read through: it belongs to no container and to no service, so that
/// nobody ends it, freezes it or counts it who means another.
enum HelperCgroup {
    /// The directories of new groups of that name at the top of every hierarchy.
    static func paths(name: String) -> [String] { hierarchies().map { "\($0)/\(name)" } }

    /// Makes the groups and moves the process into them.
    ///
    /// - Returns: the directories of those that were made. Where none may be made, the process stays where it is.
    static func make(_ paths: [String], for pid: Int32) -> [String] {
        var made: [String] = []
        for path in paths where (try? makeDirectory(path, mode: 0o755)) != nil {
            if (try? writeFile("\(path)/cgroup.procs", "\(pid)")) != nil {
                made.append(path)
            } else {
                try? removeDirectory(path)
            }
        }
        return made
    }

    /// The process has ended; it is listed for a moment longer.
    static func remove(_ paths: [String]) {
        for path in paths {
            for _ in 0..<100 {
                do throws(SystemError) {
                    try FileDescriptor.open("/", .place).remove(path, directory: true)
                    break
                } catch {
                    guard error.errno == .busy else { break }
                    sleep(milliseconds: 2)
                }
            }
        }
    }

    /// The mount points of whole cgroup filesystems.
    private static func hierarchies() -> [String] {
        guard let table = try? readFile("/proc/self/mountinfo", limit: 1 << 24) else { return [] }
        var found: [String] = []
        for line in table.split(separator: 10) {
            let fields = line.split(separator: 32).map { String(decoding: $0, as: UTF8.self) }
            guard let dash = fields.firstIndex(of: "-"), dash + 3 < fields.count, fields[3] == "/",
                fields[dash + 1].hasPrefix("cgroup"), fields[4].hasPrefix("/sys/fs/cgroup")
            else { continue }
            // A process needs processors before it may enter a cpuset of version 1: that one is left alone.
            let controllers = fields[dash + 3].split(separator: ",")
            if fields[dash + 1] == "cgroup", controllers.contains("cpuset") { continue }
            found.append(fields[4])
        }
        return found
    }
}
