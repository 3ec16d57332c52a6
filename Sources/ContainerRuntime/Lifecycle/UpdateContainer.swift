internal import LinuxSystem
package import RuntimeSpec

/// Changing the limits of a container that is there, `update`.
package enum UpdateContainer {
    /// - Parameter resources: valid by `Resources.validate()`; what is nil or empty in it stays as it is
    /// - Throws: for the first change that the kernel refuses; then none is made
    package static func run(
        _ id: ContainerID, in root: StateRoot, _ resources: Resources
    ) throws(RuntimeError) {
        let state = try root.open(id)
        try state.lock()
        let record = try state.readRecord()
        let status = state.status(of: record)
        if status == .stopped || status == .creating { throw .notRunning }
        try record.cgroup.update(resources)
    }
}
