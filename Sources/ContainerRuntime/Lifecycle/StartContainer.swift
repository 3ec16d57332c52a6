internal import LinuxSystem
internal import RuntimeSpec

/// The `start` operation (runtime.md, "Start").
package enum StartContainer {
    package static func run(
        _ id: ContainerID, in root: StateRoot, _ warn: (String) -> Void
    ) throws(RuntimeError) {
        let state = try root.open(id)
        try state.lock()
        let record = try state.readRecord()
        switch state.status(of: record) {
        case .created: break
        case .stopped: throw RuntimeError("cannot start a container that has stopped")
        case .creating: throw RuntimeError("cannot start a container that is being created")
        case .running: throw RuntimeError("cannot start an already running container")
        case .paused: throw RuntimeError("cannot start a container that is paused", hint: "resume it first")
        }
        guard record.hasProcess else {
            throw RuntimeError(
                at: "process", "cannot start a container without a process",
                hint: "add process to config.json and create the container anew")
        }
        do throws(RuntimeError) {
            let process = try explain("container not running") { () throws(SystemError) in
                try FileDescriptor.process(record.pid)
            }
            let relay = try NotifyRelay.bind(in: state, pid: record.pid)
            try ExecFIFO.start(in: state.descriptor)
            // A hook may use other commands on the container.
            state.unlock()
            if record.hasPoststartHooks { try runPoststartHooks(record, try state.readConfig()) }
            if let relay { try relay.waitUntilReady(process: process) }
        } catch {
            // runtime.md, "Lifecycle", steps 7 to 9: the container is stopped and destroyed.
            DestroyContainer.runOrWarn(state, record, warn)
            throw error
        }
    }
}

/// After the program runs and before `start` returns; a failure stops the container.
func runPoststartHooks(_ record: ContainerRecord, _ config: Config) throws(RuntimeError) {
    try HookRunner(
        .poststart, config.hooks, record.state(.running), directory: record.bundle, config.annotations
    ).run()
}
