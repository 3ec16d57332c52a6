package import LinuxSystem

/// Hears when the kernel kills processes of a container for lack of memory, from the moment it is made until the
/// container's cgroup is gone (v1) or empty (v2).
package struct OutOfMemoryWatch: ~Copyable {
    package enum News: Equatable, Sendable {
        case nothing
        /// Once for each report of the kernel.
        case outOfMemory
        case ended
    }

    /// Readable (poll(2)) when `next()` has something to tell.
    package let descriptor: FileDescriptor
    private let source: Source

    private enum Source {
        /// The kernel counts into an eventfd, and once more when the cgroup is removed.
        case v1(directory: String)
        /// Two files of counters: `memory.events` and `cgroup.events`.
        case v2(directory: String)
    }

    private var killed: UInt64

    package init(_ cgroup: ContainerCgroup) throws(RuntimeError) {
        guard let directory = cgroup.directory(limiting: .memory) else {
            throw RuntimeError(
                "cannot watch the container's memory: it has no cgroup", nil,
                hint: "events need the memory controller, v1 or v2")
        }
        let path = directory.path
        let watch = directory.isUnified ? Self.watchFiles : Self.askForCounts
        let file = try explain("cannot watch the container's memory") { () throws(SystemError) in try watch(path) }
        descriptor = file
        source = directory.isUnified ? .v2(directory: path) : .v1(directory: path)
        killed = directory.isUnified ? Self.killed(path) : 0
    }

    private static func watchFiles(_ path: String) throws(SystemError) -> FileDescriptor {
        // Without the memory controller there is still an end to be heard of.
        let files = ["\(path)/memory.events", "\(path)/cgroup.events"]
        return try FileDescriptor.modifications(of: files.filter { (try? fileStatus($0)) != nil })
    }

    private static func askForCounts(_ path: String) throws(SystemError) -> FileDescriptor {
        let counter = try FileDescriptor.eventCounter()
        let memory = try FileDescriptor.open("\(path)/memory.oom_control", .readOnly)
        try writeControl("\(path)/cgroup.event_control", "\(counter.rawValue) \(memory.rawValue)".utf8)
        return counter
    }

    /// What has happened since the last call.
    package mutating func next() throws(RuntimeError) -> News {
        switch source {
        case .v1(let directory):
            let count = try explain("cannot watch the container's memory") { () throws(SystemError) in
                try descriptor.takeEvents()
            }
            if (try? fileStatus("\(directory)/cgroup.event_control")) == nil { return .ended }
            return count > 0 ? .outOfMemory : .nothing
        case .v2(let directory):
            descriptor.discardModifications()
            let count = Self.killed(directory)
            if count > killed {
                killed = count
                return .outOfMemory
            }
            let populated = ControlReader(directory: directory).table("cgroup.events")["populated"]
            return populated == 0 ? .ended : .nothing
        }
    }

    private static func killed(_ directory: String) -> UInt64 {
        ControlReader(directory: directory).table("memory.events")["oom_kill"]
    }
}
