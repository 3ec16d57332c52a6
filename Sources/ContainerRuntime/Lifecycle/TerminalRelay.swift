internal import LinuxSystem

/// Carries bytes between the master of a container's terminal and this process's standard input and output, and keeps
/// the window sizes equal. A terminal on standard input is in raw mode meanwhile: keys go to the container as they are.
struct TerminalRelay: ~Copyable {
    private let terminal: Int32
    private let rawMode: RawTerminalMode?
    private var inputOpen = true
    private var terminalOpen = true
    /// What could not be written to the terminal yet: its other side does not read.
    private var pending: [UInt8] = []

    init(terminal: Int32) {
        self.terminal = terminal
        rawMode = isTerminal(0) ? try? RawTerminalMode(0) : nil
        setNonBlocking(terminal)
    }

    borrowing func resize() {
        if isTerminal(0) { copyTerminalSize(from: 0, to: terminal) }
    }

    /// What is to be waited for.
    var events: [PollEntry] {
        var entries: [PollEntry] = []
        if terminalOpen { entries.append(PollEntry(terminal, readable: true, writable: !pending.isEmpty)) }
        if inputOpen, pending.isEmpty { entries.append(PollEntry(0, readable: true, writable: false)) }
        return entries
    }

    mutating func handle(_ entries: [PollEntry]) {
        for entry in entries where entry.isReady {
            if entry.descriptor == terminal {
                if !pending.isEmpty { writePending() }
                copyOutput()
            } else {
                copyInput()
            }
        }
    }

    /// The rest of what the container wrote before it ended.
    mutating func drain() {
        while terminalOpen, copyOutput() {}
    }

    private mutating func copyInput() {
        guard let bytes = try? readAvailable(0, upTo: 32 * 1024) else { return }
        guard !bytes.isEmpty else {
            // The end of the input is told to a terminal as a key: ^D.
            inputOpen = false
            pending = [4]
            return writePending()
        }
        pending = bytes
        writePending()
    }

    private mutating func writePending() {
        guard let written = try? writeAvailable(terminal, pending) else {
            pending = []
            return
        }
        pending.removeFirst(written)
    }

    /// False when there was nothing.
    @discardableResult
    private mutating func copyOutput() -> Bool {
        do throws(SystemError) {
            let bytes = try readAvailable(terminal, upTo: 32 * 1024)
            if bytes.isEmpty { return false }
            try writeWhole(1, bytes)
            return true
        } catch {
            // EIO: nobody has the terminal open any more.
            if error.errno != .tryAgain { terminalOpen = false }
            return false
        }
    }
}
