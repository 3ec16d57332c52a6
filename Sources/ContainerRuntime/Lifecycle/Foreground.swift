internal import LinuxSystem

/// The process that stays with a container, or with a process that was added to one, in the foreground: it passes
/// signals on, carries bytes between the container's terminal and its own, and answers for system calls that are watched.
struct Foreground: ~Copyable {
    private let process: Int32
    private let pid: Int32
    private let signals: SignalDescriptor
    private var relay: TerminalRelay?
    private let notify: NotifyRelay?
    private let watcher: SystemCallWatcher?
    /// What a SIGTERM becomes for the process.
    var stopSignal = SignalNumber.terminate

    /// - Parameters:
    ///   - process: a pidfd of it, open for as long as this value lives
    ///   - terminal: the master of its terminal, or nil
    init(
        process: Int32, pid: Int32, terminal: Int32?, _ notify: consuming NotifyRelay? = nil,
        _ watcher: SystemCallWatcher? = nil
    ) throws(RuntimeError) {
        self.notify = notify
        self.watcher = watcher
        self.process = process
        self.pid = pid
        signals = try explain("cannot receive signals") { () throws(SystemError) in try SignalDescriptor() }
        relay = terminal.map { TerminalRelay(terminal: $0) }
    }

    /// Until the process has ended.
    ///
    /// - Parameter warn: told about system calls that are denied, where that is asked for
    mutating func stay(_ warn: (String) -> Void = { _ in }) throws(RuntimeError) -> ProcessEnd {
        while true {
            guard try waitForEvents(warn) else { continue }
            while let signal = signals.next() {
                if signal == SignalNumber.child, let end = collectAll() {
                    relay?.drain()
                    return watcher?.corrected(end, of: pid) ?? end
                }
                forward(signal)
            }
        }
    }

    /// True when there are signals to be read.
    private mutating func waitForEvents(_ warn: (String) -> Void) throws(RuntimeError) -> Bool {
        var entries = [PollEntry(signals.descriptor.rawValue, readable: true)] + (relay?.events ?? [])
        let messages = notify.number
        if let messages { entries.append(PollEntry(messages, readable: true)) }
        let calls = watcher?.pollEntry
        if let calls { entries.append(calls) }
        do throws(SystemError) {
            try poll(&entries)
        } catch {
            throw RuntimeError("cannot wait for the container", error)
        }
        if calls != nil { try watcher?.handle(entries.removeLast(), warn) }
        if messages != nil, entries.removeLast().isReady { _ = notify?.forward() }
        relay?.handle(Array(entries.dropFirst()))
        return entries[0].isReady
    }

    private func forward(_ signal: Int32) {
        switch signal {
        case SignalNumber.child, SignalNumber.urgent, SignalNumber.pipe: break
        case SignalNumber.windowChange where relay != nil: relay?.resize()
        case SignalNumber.terminate: try? signalProcess(process, stopSignal)
        default: try? signalProcess(process, signal)
        }
    }

    /// Collects every child that has ended, strangers that were left to this process included; the end of init, if it is
    /// among them.
    private func collectAll() -> ProcessEnd? {
        var result: ProcessEnd?
        while let ended = collectEnded() {
            if ended.pid == pid { result = ended.end }
        }
        return result
    }
}
