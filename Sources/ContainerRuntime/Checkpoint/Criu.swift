internal import LinuxSystem

/// A conversation with criu, which is started for it as `criu swrk` and ends with it.
///
///     swrun                      criu
///     what to do   -->
///                  <--  moment   "setup-namespaces", "post-restore", "orphan-pts-master" with the terminal, ...
///     go on        -->
///                  <--  done     with the pid of what was restored; or failed
struct Criu: ~Copyable {
    private let socket: MessageSocket
    private let pid: Int32

    /// - Parameters:
    ///   - prepare: called in the new process before it becomes criu
    ///   - kept: descriptors that criu finds open
    init(
        cgroup: Int32? = nil, keeping kept: [Int32], prepare: () throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        let program = try Self.find()
        let (ours, theirs) = try explain("cannot make a connection to criu") { () throws(SystemError) in
            try MessageSocket.pair()
        }
        let socket = MessageSocket(FileDescriptor(owning: ours))
        pid = try Self.start(program, theirs, cgroup, kept, prepare)
        self.socket = socket
    }

    private static func start(
        _ program: String, _ socket: Int32, _ cgroup: Int32?, _ kept: [Int32],
        _ prepare: () throws(RuntimeError) -> Void
    ) throws(RuntimeError) -> Int32 {
        let started = try explain("cannot make a pipe") { () throws(SystemError) in try Pipe() }
        let born = try explain("cannot make a process for criu") { () throws(SystemError) in
            try clone(intoCgroup: cgroup)
        }
        switch consume born {
        case .child: become(program, socket, kept, prepare)
        case .parent(let process):
            closeDescriptor(socket)
            // It closes with execve(2): then what was to be prepared is.
            let reader = started.reader()
            try explain("cannot hear from criu") { () throws(SystemError) in _ = try reader.read(upTo: 1) }
            return process.pid
        }
    }

    /// The cgroups that it is in, and that a restored process is to be in: controllers and path, as in /proc/PID/cgroup.
    func cgroups() throws(RuntimeError) -> [(controllers: String, path: String)] {
        let pid = self.pid
        let text = try explain("cannot find the cgroups of criu") { () throws(SystemError) in
            try readFile("/proc/\(pid)/cgroup")
        }
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            return fields.count == 3 ? (String(fields[1]), String(fields[2])) : nil
        }
    }

    static var isInstalled: Bool { (try? find()) != nil }

    private static func find() throws(RuntimeError) -> String {
        do throws(RuntimeError) {
            return try findExecutable("criu", path: environmentVariable("PATH") ?? defaultSearchPath)
        } catch {
            throw RuntimeError("cannot find the program criu in $PATH", hint: "install criu (criu.org)")
        }
    }

    private static func become(
        _ program: String, _ socket: Int32, _ kept: [Int32], _ prepare: () throws(RuntimeError) -> Void
    ) -> Never {
        do throws(RuntimeError) {
            try prepare()
            try explain("cannot pass descriptors to criu") { () throws(SystemError) in
                for number in kept + [socket] { try place(number, as: number) }
            }
            unblockSignals()
            throw RuntimeError(
                "cannot execute criu",
                execute(
                    program, CStringVector([program, "swrk", "\(socket)"]), CStringVector(environmentVariables())))
        } catch {
            // In criu's own form, as the other end expects it.
            var failure = CriuMessage()
            failure.add(1, 0)
            failure.add(2, 0)
            failure.add(9, error.message)
            try? MessageSocket(FileDescriptor(owning: socket)).send(failure.bytes)
            exitNow(1)
        }
    }

    /// Has it do something.
    ///
    /// - Parameter moment: called at each moment at which criu waits, with the descriptor that came with it
    /// - Returns: the pid of the restored process
    mutating func call(
        _ call: CriuCall,
        _ moment: (String, Int32?, consuming FileDescriptor?) throws(RuntimeError) -> Void
    ) throws(RuntimeError) -> Int32? {
        try explain("cannot talk to criu") { () throws(SystemError) in try socket.send(call.message.bytes) }
        while true {
            let (bytes, file) = try explain("cannot hear from criu") { () throws(SystemError) in
                let received = try socket.receiveWithDescriptor(limit: 64 * 1024)
                return (received.bytes, received.descriptor)
            }
            switch CriuAnswer(bytes) {
            case .moment(let name, let pid):
                try moment(name, pid, file.map { FileDescriptor(owning: $0) })
                try explain("cannot talk to criu") { () throws(SystemError) in try socket.send(CriuAnswer.goOn.bytes) }
            case .done(let pid): return pid
            case .failed(let reason): throw Self.failure(call, reason)
            case .closed: throw Self.failure(call, "it ended without an answer")
            }
        }
    }

    /// Waits until it has ended.
    consuming func end() {
        let pid = self.pid
        closeNow(socket.intoDescriptor())
        _ = try? waitForEnd(of: pid)
    }

    /// The reason is in the log: the first error there is the cause, the others are consequences.
    private static func failure(_ call: CriuCall, _ reason: String?) -> RuntimeError {
        let directory = call.work ?? call.images
        let log = try? readFile(call.task.logFile, at: directory, limit: 1 << 26)
        let lines = log?.split(separator: UInt8(ascii: "\n")) ?? []
        let error = lines.first { line in line.starts(with: "Error".utf8) || contains(line, " Error (") }
        let quoted = error.map { String(decoding: $0, as: UTF8.self).escapedForLog }
        let path = (try? hostPath(ofDescriptor: directory)).map { "\($0)/\(call.task.logFile)" }
        let said = [quoted, reason].compactMap { $0 }.first ?? "it did not say why"
        return RuntimeError("criu failed: \(said)", hint: path.map { "its log is \($0)" })
    }

    private static func contains(_ line: ArraySlice<UInt8>, _ text: String) -> Bool {
        let words = Array(text.utf8)
        guard line.count >= words.count else { return false }
        return line.indices.dropLast(words.count - 1).contains { line[$0...].starts(with: words) }
    }
}

extension String {
    /// One line of criu's log, without its time stamp.
    fileprivate var escapedForLog: String {
        let text = range(from: "Error")
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(400).map { $0.value < 32 ? " " : $0 }))
    }

    private func range(from word: String) -> Substring {
        var rest = self[...]
        while !rest.isEmpty, !rest.hasPrefix(word) { rest = rest.dropFirst() }
        return rest.isEmpty ? self[...] : rest
    }
}
