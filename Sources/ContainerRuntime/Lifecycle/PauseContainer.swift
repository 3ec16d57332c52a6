internal import RuntimeSpec

/// Holding all processes of a container, and letting them go on.
package enum PauseContainer {
    /// Returns when every process is held. A container that is created and not started can be paused too.
    package static func pause(_ id: ContainerID, in root: StateRoot) throws(RuntimeError) {
        let state = try root.open(id)
        try state.lock()
        let record = try state.readRecord()
        switch state.status(of: record) {
        case .created, .running: try record.cgroup.freeze()
        case .paused: throw RuntimeError("container not running: it is paused already")
        case .creating, .stopped: throw .notRunning
        }
    }

    package static func resume(_ id: ContainerID, in root: StateRoot) throws(RuntimeError) {
        let state = try root.open(id)
        try state.lock()
        let record = try state.readRecord()
        // Also a container of which only the freezing has begun.
        guard state.status(of: record) == .paused else { throw RuntimeError("container not paused") }
        try record.cgroup.thaw()
    }
}
