internal import LinuxSystem
internal import RuntimeSpec

/// `run`: create and start in one, then either leave the container to itself or stay until it has ended.
package enum RunContainer {
    /// - Parameters:
    ///   - keep: leave the container in place when its process has ended
    ///   - reaper: take care of processes that the container leaves without a parent
    ///   - started: called when the process runs and this one stays with it
    /// - Returns: the exit status of the container's process, or 0 when detached
    package static func run(
        _ request: CreateRequest, keep: Bool, reaper: Bool, started: () -> Void, _ warn: (String) -> Void
    ) throws(RuntimeError) -> Int32 {
        // From here on signals are read, not suffered: they belong to the container.
        let before = request.detached ? nil : blockSignals()
        defer { if let before { setBlockedSignals(before) } }
        if !request.detached, reaper {
            try explain("cannot become a subreaper") { () throws(SystemError) in try becomeSubreaper() }
        }
        let container = try CreateContainer.run(request, warn)
        do throws(RuntimeError) {
            let notify = try NotifyRelay.bind(in: container.state, pid: container.record.pid)
            // The program finds the size of the caller's window from its first moment.
            if let terminal = container.terminal.number, isTerminal(0) { copyTerminalSize(from: 0, to: terminal) }
            try start(container)
            if request.detached {
                if let notify { try notify.waitUntilReady(process: container.process) }
                return 0
            }
            started()
            var foreground = try Foreground(
                process: container.process.rawValue, pid: container.record.pid, terminal: container.terminal.number,
                notify)
            let end = try foreground.stay()
            if !keep { DestroyContainer.runOrWarn(container.state, container.record, warn) }
            return end.shellStatus
        } catch {
            DestroyContainer.runOrWarn(container.state, container.record, warn)
            _ = collectEnded(container.record.pid)
            throw error
        }
    }

    private static func start(_ container: borrowing CreatedContainer) throws(RuntimeError) {
        let answer = try explain("cannot start the container's process") { () throws(SystemError) in
            try container.channel.send(.start)
            return try container.channel.receive()
        }
        if case .failed(let error) = answer { throw error }
        if container.record.hasPoststartHooks {
            try runPoststartHooks(container.record, try container.state.readConfig())
        }
    }
}
