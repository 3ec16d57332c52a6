internal import LinuxSystem
internal import RuntimeSpec

/// `run`: create and start in one, then either leave the container to itself or stay until it has ended.
package enum RunContainer {
    /// - Parameters:
    ///   - keep: leave the container in place when its process has ended
    ///   - reaper: take care of processes that the container leaves without a parent
    ///   - started: called when the process runs and this one stays with it
    ///   - tell: gets what was learnt about system calls, line by line
    /// - Returns: the exit status of the container's process, or 0 when detached
    package static func run(
        _ request: CreateRequest, keep: Bool, reaper: Bool, started: () -> Void, tell: (String) -> Void = { _ in },
        _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> Int32 {
        // From here on signals are read, not suffered: they belong to the container.
        let before = request.detached ? nil : blockSignals()
        defer { if let before { setBlockedSignals(before) } }
        if !request.detached, reaper {
            try explain("cannot become a subreaper") { () throws(SystemError) in try becomeSubreaper() }
        }
        let container = try CreateContainer.run(request, warn)
        let status: Int32
        do throws(RuntimeError) {
            let notify = try NotifyRelay.bind(in: container.state, pid: container.record.pid)
            // The program finds the size of the caller's window from its first moment.
            if let terminal = container.terminal.number, isTerminal(0) { copyTerminalSize(from: 0, to: terminal) }
            try start(container, warn)
            if request.detached {
                if let notify { try notify.waitUntilReady(process: container.process) }
                return 0
            }
            started()
            var foreground = try Foreground(
                process: container.process.rawValue, pid: container.record.pid, terminal: container.terminal.number,
                notify, container.watcher)
            foreground.stopSignal = StopSignal.number(container.record.annotations)
            let end = try foreground.stay(warn)
            if !keep { DestroyContainer.runOrWarn(container.state, container.record, warn) }
            status = end.shellStatus
        } catch {
            container.watcher?.giveUp(warn)
            DestroyContainer.runOrWarn(container.state, container.record, warn)
            _ = collectEnded(container.record.pid)
            throw error
        }
        try container.watcher?.finish(tell)
        return status
    }

    private static func start(
        _ container: borrowing CreatedContainer, _ warn: (String) -> Void
    ) throws(RuntimeError) {
        let starting = "cannot start the container's process"
        try explain(starting) { () throws(SystemError) in try container.channel.send(.start) }
        // A container that is not watched says nothing but how it went.
        hearing: while true {
            try container.watcher?.wait(for: container.channel.number, or: container.process.rawValue, warn)
            switch try explain(starting, { () throws(SystemError) in try container.channel.receive() }) {
            case .failed(let error): throw error
            case .seccompListener(let number): try container.watcher?.attach(number, of: container.process)
            default: break hearing
            }
        }
        guard container.record.hasPoststartHooks else { return }
        let config = try container.state.readConfig()
        let record = container.record
        guard let watcher = container.watcher else { return try runPoststartHooks(record, config) }
        // A hook may wait for the container, which waits for answers.
        try watcher.answer(during: { () throws(RuntimeError) in try runPoststartHooks(record, config) }, warn)
    }
}
