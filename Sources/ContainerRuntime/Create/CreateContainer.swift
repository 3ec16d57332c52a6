package import LinuxSystem
internal import RuntimeSpec

/// The `create` operation (runtime.md, "Create"), as seen by the process that was asked to create. Init's side of the
/// same story is `ContainerInit`; what the two say to each other is drawn in `SyncChannel.swift`.
package enum CreateContainer {
    /// - Returns: the container, created and not started
    /// - Throws: what went wrong; then nothing is left of the container
    package static func run(
        _ request: CreateRequest, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> CreatedContainer {
        try request.inherited.check()
        let bundle = try Bundle(request)
        let (provider, annotations) = (request.stateRoot.rootfsProvider, bundle.config.annotations)
        try provider?.prepare(bundle.path, annotations, warn)
        do throws(RuntimeError) {
            return try make(bundle, request, warn)
        } catch {
            provider?.release(bundle.path, annotations, warn)
            throw error
        }
    }

    private static func make(
        _ bundle: Bundle, _ request: CreateRequest, _ warn: (String) -> Void
    ) throws(RuntimeError) -> CreatedContainer {
        // Everything that can be refused is refused here, before anything is made.
        var host = try HostSide(bundle, request)
        do throws(RuntimeError) {
            try host.makeState()
            try host.makeBirthplace()
            try host.giveBirth()
            // From here on init does its part at the same time.
            try host.mapIDs()
            try host.makeCgroup()
            try host.prepareState()
            try host.moveNetworkDevices()
            try host.converse(warn)
            try host.publish()
        } catch {
            // What init reports is the cause; what fails here because init has ended is only the consequence.
            let cause = host.failureOfInit() ?? error
            host.undo(warn)
            throw cause
        }
        return try host.finish()
    }
}

/// A container that `CreateContainer` made.
package struct CreatedContainer: ~Copyable {
    package let state: StateDirectory
    package let record: ContainerRecord
    package let process: FileDescriptor
    /// The connection to init; `run` says "start" on it.
    let channel: HostChannel
    /// Of a foreground container with a terminal: the end that its user holds.
    package let terminal: FileDescriptor?
    /// Who answers for its system calls; from here on that is up to the holder of this value.
    let watcher: SystemCallWatcher?
    /// Whether the process of the container is this process's child.
    package var pid: Int32 { record.pid }
}
