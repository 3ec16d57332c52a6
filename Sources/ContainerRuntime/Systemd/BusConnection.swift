internal import LinuxSystem

/// A conversation over D-Bus with one deadline: what has not been said by then is not waited for, whatever the other side
/// does.
final class BusConnection {
    private let socket: FileDescriptor
    private let deadline: Int64
    /// Those that a command holds back while a container is half made: it does not wait for its deadline then.
    private let signals: SignalDescriptor?
    private var received: [UInt8] = []
    private var serial: UInt32 = 0
    /// Signals that came while an answer was waited for.
    private var told: [BusMessage] = []

    /// - Parameters:
    ///   - path: of a socket, "@name" for an abstract one
    ///   - milliseconds: for all of the conversation
    ///   - signals: which end it before
    init(_ path: String, milliseconds: Int64, interruptedBy signals: SignalSet) throws(BusFailure) {
        deadline = monotonicMilliseconds() + milliseconds
        self.signals = signals.bits == 0 ? nil : try? SignalDescriptor(signals)
        socket = try Self.connect(path, until: deadline, self.signals)
        try authenticate()
    }

    /// A listener who accepts nobody makes a blocking connect(2) hang; this one says EAGAIN.
    private static func connect(
        _ path: String, until deadline: Int64, _ signals: borrowing SignalDescriptor?
    ) throws(BusFailure) -> FileDescriptor {
        while true {
            do throws(SystemError) {
                return try connectUnixSocket(path, nonBlocking: true)
            } catch {
                guard error.errno == .tryAgain else { throw .system(call: error.call, text: error.text) }
            }
            guard monotonicMilliseconds() < deadline else { throw .timeout }
            if let signal = signals?.next() { throw .interrupted(signal: signal) }
            sleep(milliseconds: 10)
        }
    }

    /// SASL with the mechanism EXTERNAL: who this is, the other side asks the kernel. The user's number is left out,
    /// because in a user namespace it would be another one than the other side sees.
    private func authenticate() throws(BusFailure) {
        try send(Array("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".utf8))
        var lines: [String] = []
        while lines.last?.hasPrefix("OK") != true {
            let line = try readLine()
            if line.hasPrefix("REJECTED") || line.hasPrefix("ERROR") { throw .rejected }
            guard line == "DATA" || line.hasPrefix("OK"), lines.count < 4 else {
                throw .malformed("\"\(line.prefix(64))\" is no answer to AUTH")
            }
            lines.append(line)
        }
    }

    // MARK: - Messages

    /// Calls a method.
    ///
    /// - Returns: what it answers
    func call(_ message: BusMessage) throws(BusFailure) -> [BusValue] {
        serial += 1
        let number = serial
        var message = message
        message.serial = number
        try send(message.bytes)
        while true {
            let answer = try receive()
            switch answer.kind {
            case .answer where answer.replySerial == number: return answer.body
            case .error where answer.replySerial == number:
                throw .refused(name: answer.errorName ?? "", text: answer.body.first?.text ?? "")
            case .signal:
                // A busy system has many jobs that concern others.
                if told.count < 4096 { told.append(answer) }
            default: break
            }
        }
    }

    /// Waits for a signal, or takes one that came before.
    func signal(_ member: String, where fits: ([BusValue]) -> Bool) throws(BusFailure) -> [BusValue] {
        for message in told where message.member == member && fits(message.body) { return message.body }
        while true {
            let message = try receive()
            if message.kind == .signal, message.member == member, fits(message.body) { return message.body }
        }
    }

    private func receive() throws(BusFailure) -> BusMessage {
        while received.count < BusMessage.prefixLength { try readMore() }
        let length = try BusMessage.length(Array(received.prefix(BusMessage.prefixLength)))
        while received.count < length { try readMore() }
        let message = try BusMessage(Array(received.prefix(length)))
        received.removeFirst(length)
        return message
    }

    // MARK: - Bytes

    private func readLine() throws(BusFailure) -> String {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                var line = received.prefix(upTo: end)
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                defer { received.removeFirst(end + 1) }
                return String(decoding: line, as: UTF8.self)
            }
            guard received.count < 4096 else { throw .malformed("a line does not end") }
            try readMore()
        }
    }

    private func readMore() throws(BusFailure) {
        try wait(PollEntry(socket.rawValue, readable: true))
        do throws(SystemError) {
            let bytes = try readAvailable(socket.rawValue, upTo: 16 * 1024)
            if bytes.isEmpty { throw SystemError("read", "", .brokenPipe) }
            received += bytes
        } catch {
            if error.errno == .tryAgain { return }
            throw Self.failure(error)
        }
    }

    private func send(_ bytes: [UInt8]) throws(BusFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            do throws(SystemError) {
                rest = rest.dropFirst(try sendAvailable(socket.rawValue, Array(rest)))
            } catch {
                throw Self.failure(error)
            }
            if !rest.isEmpty { try wait(PollEntry(socket.rawValue, readable: false, writable: true)) }
        }
    }

    private func wait(_ entry: PollEntry) throws(BusFailure) {
        let left = deadline - monotonicMilliseconds()
        guard left > 0 else { throw .timeout }
        var entries = [entry]
        if let number = signals.number { entries.append(PollEntry(number, readable: true)) }
        let isReady: Bool
        do throws(SystemError) {
            isReady = try poll(&entries, milliseconds: Int32(clamping: left))
        } catch {
            throw Self.failure(error)
        }
        if !isReady { throw .timeout }
        if let signal = signals?.next() { throw .interrupted(signal: signal) }
    }

    private static func failure(_ error: SystemError) -> BusFailure {
        switch error.errno {
        case .brokenPipe, .connectionReset: .closed
        default: .system(call: error.call, text: error.text)
        }
    }
}
