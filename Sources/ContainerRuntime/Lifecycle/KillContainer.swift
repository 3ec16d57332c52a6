internal import LinuxSystem

/// The `kill` operation (runtime.md, "Kill").
package enum KillContainer {
    /// - Parameter all: every process in the container's cgroup rather than its first one; then a container that has
    ///   stopped is no error
    package static func run(_ id: ContainerID, in root: StateRoot, signal: Int32, all: Bool) throws(RuntimeError) {
        let record = try root.open(id).readRecord()
        let hasCgroup = !record.cgroup.directories.isEmpty
        if all, hasCgroup { return try record.cgroup.killAll(signal) }
        guard let process = record.openProcess() else {
            if all { return }
            throw .notRunning
        }
        do throws(SystemError) {
            try process.signal(signal)
        } catch {
            if error.errno == .noSuchProcess { throw .notRunning }
            throw RuntimeError("cannot send signal \(signal)", error)
        }
        if signal == SignalNumber.kill { record.cgroup.thawForDeath() }
    }
}
