internal import LinuxSystem
package import RuntimeSpec

/// What happens to a container, as documents in the form that engines know: `{"type": "oom", "id": "..."}`, and
/// `{"type": "stats", "id": "...", "data": {...}}`.
package enum WatchContainer {
    /// What the kernel has counted so far.
    package static func statistics(_ id: ContainerID, in root: StateRoot) throws(RuntimeError) -> JSON {
        event("stats", id, statistics(of: try openRecord(id, in: root)))
    }

    /// Tells of every lack of memory at once, and of the counts every `interval`, until the container's cgroup is gone
    /// or (v2) empty.
    ///
    /// - Parameter interval: in milliseconds, above 0
    package static func run(
        _ id: ContainerID, in root: StateRoot, interval: Int64, _ tell: (JSON) throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        let record = try openRecord(id, in: root)
        var memory = try OutOfMemoryWatch(record.cgroup)
        // It may have ended while the watch was set up.
        if try memory.next() == .ended { return }
        var next = monotonicMilliseconds() + interval
        while true {
            let left = Int32(clamping: max(0, next - monotonicMilliseconds()))
            let hasNews = try explain("cannot wait for events") { () throws(SystemError) in
                try memory.descriptor.waitReadable(milliseconds: left)
            }
            if hasNews {
                switch try memory.next() {
                case .outOfMemory: try tell(event("oom", id, nil))
                case .ended: return
                case .nothing: break
                }
            }
            if monotonicMilliseconds() >= next {
                try tell(event("stats", id, statistics(of: record)))
                next += interval
            }
        }
    }

    private static func openRecord(_ id: ContainerID, in root: StateRoot) throws(RuntimeError) -> ContainerRecord {
        let state = try root.open(id)
        let record = try state.readRecord()
        guard record.openProcess() != nil else { throw .notRunning }
        return record
    }

    private static func statistics(of record: ContainerRecord) -> JSON {
        let network = "/proc/\(record.pid)/ns/net"
        // In the host's namespace there is nothing that was counted for the container.
        let isHosts = (try? fileStatus(network)) == (try? fileStatus("/proc/self/ns/net"))
        var statistics = record.cgroup.statistics(networkOf: isHosts ? nil : record.pid)
        if let group = record.resourceControl { statistics.resourceControl = group.statistics }
        return statistics.json
    }

    private static func event(_ type: String, _ id: ContainerID, _ data: JSON?) -> JSON {
        .members {
            $0.add("type", type)
            $0.add("id", id.text)
            $0.add("data", data)
        }
    }
}
