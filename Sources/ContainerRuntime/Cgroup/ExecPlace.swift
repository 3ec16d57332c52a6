internal import LinuxSystem

/// Where a process goes that is added to a running container.
extension ContainerCgroup {
    /// The container's cgroups with paths below them, as `exec --cgroup` names them: `PATH` for all hierarchies, or
    /// `CONTROLLER[,CONTROLLER...]:PATH` for those of v1.
    ///
    /// - Throws: for a path that leads upwards, a controller the container is not limited by, a cgroup that does not
    ///   exist.
    package func below(_ options: [String]) throws(RuntimeError) -> ContainerCgroup {
        var result = self
        for option in options {
            let colon = option.firstIndex(of: ":")
            let path = colon.map { option[option.index(after: $0)...] } ?? option[...]
            let components = path.split(separator: "/")
            if components.contains("..") {
                throw RuntimeError("--cgroup \(option): leads upwards; give a path below the container's cgroup")
            }
            let controllers = colon.map { option[..<$0].split(separator: ",").map(String.init) }
            for controller in controllers ?? [] where directory(of: controller) == nil {
                throw RuntimeError(
                    "--cgroup \(option): the container has no v1 cgroup with the controller \(controller)")
            }
            for index in directories.indices {
                if let controllers, controllers.allSatisfy({ !directories[index].controllers.contains($0) }) {
                    continue
                }
                let place = ([directories[index].path] + components.map(String.init)).joined(separator: "/")
                if (try? fileStatus(place)) == nil {
                    throw RuntimeError(
                        "--cgroup \(option)", SystemError("stat", place, .noEntry),
                        hint: "a process of the container has to make it first")
                }
                result.directories[index] = CgroupDirectory(
                    controllers: directories[index].controllers, path: place, made: 0)
            }
        }
        return result
    }

    /// The container's cgroups, in the unified hierarchy the one that `pid` is in now: a container that has handed
    /// controllers down (a systemd in it does) can have no process in its own any more, and clone(2) fails with EBUSY
    /// there.
    package func following(_ pid: Int32) throws(RuntimeError) -> ContainerCgroup {
        guard let unified else { return self }
        let text = try explain("cannot find the cgroup of the container's process") { () throws(SystemError) in
            try readFile("/proc/\(pid)/cgroup")
        }
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n").last { $0.hasPrefix("0::") }
        guard let line, let place = Self.place(of: String(line.dropFirst(3)), below: unified.path) else { return self }
        var result = self
        result.directories[directories.count - 1] = CgroupDirectory(controllers: [], path: place, made: 0)
        return result
    }

    /// The directory of a cgroup at or below that of the container.
    ///
    /// - Parameters:
    ///   - cgroup: as /proc/PID/cgroup shows it, from the root of the runtime's cgroup namespace, which may be another
    ///     place than the mount point
    ///   - directory: the container's, `MOUNT POINT/a/b`
    /// - Returns: nil when the cgroup is elsewhere
    static func place(of cgroup: String, below directory: String) -> String? {
        let steps = cgroup.split(separator: "/")
        let own = directory.split(separator: "/")
        // The longest end of the container's path that occurs: what follows is below it.
        for length in stride(from: min(own.count, steps.count), to: 0, by: -1) {
            for start in 0...(steps.count - length) where steps[start..<(start + length)] == own.suffix(length) {
                return ([directory] + steps[(start + length)...].map(String.init)).joined(separator: "/")
            }
        }
        return nil
    }
}
