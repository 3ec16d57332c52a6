internal import LinuxSystem

/// The process that stays with a container, or with a process that was added to one, in the foreground: it passes signals on, and carries bytes between the
/// container's terminal and its own.
struct Foreground: ~Copyable {
    private let process: Int32
    private let pid: Int32
    private let signals: SignalDescriptor
    private var relay: TerminalRelay?
    private let notify: NotifyRelay?

    /// - Parameters:
    ///   - process: a pidfd of it, open for as long as this value lives
    ///   - terminal: the master of its terminal, or nil
    init(
        process: Int32, pid: Int32, terminal: Int32?, _ notify: consuming NotifyRelay? = nil
    ) throws(RuntimeError) {
        self.notify = notify
        self.process = process
        self.pid = pid
        signals = try explain("cannot receive signals") { () throws(SystemError) in try SignalDescriptor() }
        relay = terminal.map { TerminalRelay(terminal: $0) }
    }

    /// Until the process has ended.
    mutating func stay() throws(RuntimeError) -> ProcessEnd {
        while true {
            try waitForEvents()
            while let signal = signals.next() {
                if signal == SignalNumber.child, let end = collectAll() {
                    relay?.drain()
                    return end
                }
                forward(signal)
            }
        }
    }

    private mutating func waitForEvents() throws(RuntimeError) {
        var entries = [PollEntry(signals.descriptor.rawValue, readable: true)] + (relay?.events ?? [])
        let messages = notify.number
        if let messages { entries.append(PollEntry(messages, readable: true)) }
        do throws(SystemError) {
            try poll(&entries)
        } catch {
            throw RuntimeError("cannot wait for the container", error)
        }
        if messages != nil, entries.removeLast().isReady { _ = notify?.forward() }
        relay?.handle(Array(entries.dropFirst()))
    }

    private func forward(_ signal: Int32) {
        switch signal {
        case SignalNumber.child, SignalNumber.urgent, SignalNumber.pipe: break
        case SignalNumber.windowChange where relay != nil: relay?.resize()
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
