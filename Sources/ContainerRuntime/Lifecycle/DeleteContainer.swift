internal import LinuxSystem
internal import RuntimeSpec

/// The `delete` operation (runtime.md, "Delete"): undoes what `create` did.
package enum DeleteContainer {
    /// - Parameter force: ends a container that still runs, and does not mind one that does not exist
    package static func run(
        _ id: ContainerID, in root: StateRoot, force: Bool, _ warn: (String) -> Void
    ) throws(RuntimeError) {
        do throws(RuntimeError) {
            let state = try root.open(id)
            try state.lock()
            try delete(state, force: force, warn)
        } catch {
            guard force, error == .noContainer else { throw error }
        }
    }

    private static func delete(
        _ state: borrowing StateDirectory, force: Bool, _ warn: (String) -> Void
    ) throws(RuntimeError) {
        let record: ContainerRecord
        do throws(RuntimeError) {
            record = try state.readRecord()
            // Half a container, of a create that was killed, has nothing to wait for.
            if force, record.pid == 0 { return try state.clearLeftover() }
        } catch {
            guard force else { throw error }
            if error == .noContainer { return try state.remove() }
            warn("\(error.message): only the state directory is removed")
            return try state.remove()
        }
        let status = state.status(of: record)
        // The specification would have a created container refused; engines rely on runc and crun, which delete it.
        guard force || status == .stopped || status == .created else {
            throw RuntimeError(
                "cannot delete container \(record.id) that is not stopped: \(status.rawValue)",
                hint: "kill it first, or use --force")
        }
        try DestroyContainer.run(state, record, warn)
    }
}

/// Stops what is left of a container and removes all that it had (runtime.md, "Lifecycle", steps 12 and 13).
enum DestroyContainer {
    /// - Throws: when the cgroup cannot be removed, because a process does not end. The state stays then: it leads
    ///   another `delete` to what is left.
    static func run(
        _ state: borrowing StateDirectory, _ record: ContainerRecord, _ warn: (String) -> Void
    ) throws(RuntimeError) {
        // Read before the state goes: these hooks run after the container is deleted.
        let config = record.hasPoststopHooks ? try? state.readConfig() : nil
        do throws(RuntimeError) { try end(record) } catch { warn(error.message) }
        try record.cgroup.remove()
        do throws(RuntimeError) { try record.resourceControl?.remove() } catch { warn(error.message) }
        if let bridge = try? BridgeNetwork(annotations: record.annotations) {
            bridge.disconnect(container: record.place(in: state.root))
        }
        state.root.rootfsProvider?.release(record.bundle, record.annotations, warn)
        do throws(RuntimeError) { try state.remove() } catch { warn(error.message) }
        guard let config else { return }
        let hooks = HookRunner(.poststop, config.hooks, record.state(.stopped), directory: nil, config.annotations)
        for failure in hooks.runAll() { warn(failure.message) }
    }

    /// For those who have something else to report.
    static func runOrWarn(_ state: borrowing StateDirectory, _ record: ContainerRecord, _ warn: (String) -> Void) {
        do throws(RuntimeError) {
            try run(state, record, warn)
        } catch {
            warn("\(error.message); delete --force \(record.id) tries again")
        }
    }

    /// Kills init, with which its pid namespace dies, and whatever else is in the cgroup.
    private static func end(_ record: ContainerRecord) throws(RuntimeError) {
        try record.cgroup.killAll(9)
        guard let process = record.openProcess() else { return }
        do throws(SystemError) {
            try process.signal(9)
            guard try process.waitReadable(milliseconds: 10_000) else {
                throw SystemError("pidfd_send_signal", "", .busy)
            }
        } catch {
            guard error.errno == .noSuchProcess else {
                throw RuntimeError("the container's process \(record.pid) does not end", error)
            }
        }
    }
}

extension RuntimeError {
    /// Engines match the texts.
    static let idIsTaken = RuntimeError("container with given ID already exists")
    static let noContainer = RuntimeError("container does not exist")
    /// So too this one.
    static let notRunning = RuntimeError("container not running")
}
