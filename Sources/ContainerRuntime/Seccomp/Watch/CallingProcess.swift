internal import LinuxSystem

/// The process that makes a call, as /proc tells of it while the call waits. All of it may be missing: then the process
/// is not visible to this one, or has ended.
struct CallingProcess {
    let thread: Int32
    let process: Int32
    /// The name of the program as the kernel keeps it, at most 15 bytes.
    let program: String
    private let status: [Substring]

    init(_ notification: SystemCallNotification) {
        thread = notification.thread
        let text = (try? readFile("/proc/\(thread)/status")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        status = text.split(separator: "\n")
        program = Self.field("Name", of: status) ?? "?"
        process = Self.field("Tgid", of: status).flatMap { Int32($0) } ?? thread
    }

    private static func field(_ name: String, of status: [Substring]) -> String? {
        for line in status where line.hasPrefix("\(name):") {
            return String(line.dropFirst(name.utf8.count + 1).drop { $0 == "\t" || $0 == " " })
        }
        return nil
    }

    /// The arguments of a call as a person reads them, separated by commas.
    func arguments(of call: SystemCall) -> String {
        let token = SystemCallArchitecture.token(of: call)
        let name = SystemCallNames.name(of: call.number, on: token) ?? ""
        let form = CallForm.of(name)
        let values = call.arguments.prefix(form?.count ?? 6)
        return values.enumerated().map { (index, value) in
            switch form?[index] {
            case .integer: "\(Int32(truncatingIfNeeded: value))"
            case .octal: "0\(String(value & 0o7777_7777, radix: 8))"
            case .text: string(at: value) ?? "0x\(String(value, radix: 16))"
            case .bits, nil: "0x\(String(value, radix: 16))"
            }
        }.joined(separator: ", ")
    }

    /// A C string of the process in quotation marks.
    private func string(at address: UInt64) -> String? {
        if address == 0 { return "NULL" }
        guard let bytes = readMemory(of: thread, at: address, upTo: 256) else { return nil }
        let end = bytes.firstIndex(of: 0)
        return "\"\(String(decoding: bytes[..<(end ?? bytes.endIndex)], as: UTF8.self))\"\(end == nil ? "..." : "")"
    }

    /// Ends the process as the kernel does for a filter: with SIGSYS, or where that would not end it, with SIGKILL.
    ///
    /// - Parameter mayHandle: leave the signal to a handler of the program
    /// - Returns: whether it was SIGKILL
    func end(mayHandle: Bool) -> Bool {
        let isCaught = isIn("SigCgt")
        let isHeldBack = isIn("SigBlk") || isIn("SigIgn")
        // A pid namespace's first process gets no signal from outside that it does not handle.
        let isInit = Self.field("NSpid", of: status)?.split(separator: "\t").last == "1" && !isCaught
        let kills = isHeldBack || isInit || isCaught && !mayHandle
        try? signalThread(thread, kills ? SignalNumber.kill : SignalNumber.badSystemCall)
        return kills
    }

    /// Whether SIGSYS is in one of the signal sets of the process.
    private func isIn(_ set: String) -> Bool {
        guard let bits = Self.field(set, of: status).flatMap({ UInt64($0, radix: 16) }) else { return false }
        return bits >> UInt64(SignalNumber.badSystemCall - 1) & 1 != 0
    }
}
