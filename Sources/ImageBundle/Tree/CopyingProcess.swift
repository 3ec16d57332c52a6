internal import Glibc
internal import LinuxSystem

/// A second process that fills files while this one goes on through the tree: what a large file costs is its content,
/// what a small one costs is making it, and so two processors have about as much to do. A process and no thread: it
/// has a copy of all that this one knows of the image, and shares nothing that would have to be locked.
///
/// Over a socket it gets two open files and a path for each, and tells how much it has written.
final class CopyingProcess {
    private let work: Work
    private let child: ChildProcess
    private let socket: MessageSocket
    private var isCollected = false
    /// Files that were handed over and are not filled yet.
    private var waiting = 0
    /// What more would wait this process can do itself meanwhile.
    private static let mostWaiting = 100
    private static let longestMessage = 8192

    /// - Parameters:
    ///   - fill: in the new process, gives the second file the content and the attributes of the first; the path is for
    ///     messages
    ///   - left: in the new process, how many attributes could not be kept
    /// - Throws: where there can be no other process
    init(
        _ work: Work, fill: (Int32, Int32, ByteName) throws(BundleError) -> Void, left: () -> Int
    ) throws(SystemError) {
        self.work = work
        let (ours, its) = try MessageSocket.pair()
        defer { closeDescriptor(its) }
        socket = MessageSocket(FileDescriptor(owning: ours))
        switch try cloneHelper() {
        case .child:
            // Its copy of the other end would keep the connection open.
            closeDescriptor(ours)
            Self.serve(its, work, fill, left)
        case .parent(let child): self.child = child
        }
    }

    deinit { end() }

    /// Hands over a file; false when the other process has enough to do.
    func take(_ input: Int32, _ output: Int32, _ path: ByteName) throws(BundleError) -> Bool {
        if waiting >= Self.mostWaiting { try hear() }
        guard waiting < Self.mostWaiting else { return false }
        do throws(SystemError) {
            try socket.send(Array(path.bytes.suffix(Self.longestMessage / 2)), passing: [input, output])
        } catch {
            // It has ended, and has said why.
            if error.errno == .brokenPipe { _ = try finish() }
            return false
        }
        waiting += 1
        return true
    }

    /// Counts what was written meanwhile. To be called now and then: the other process waits for who does not hear it.
    func hear() throws(BundleError) {
        while try explain(
            "cannot hear the process that copies",
            { () throws(SystemError) in
                try socket.descriptor.waitReadable(milliseconds: 0)
            })
        {
            guard try receive() != nil else { return _ = try finish() }
        }
    }

    /// Waits until every file is filled.
    ///
    /// - Returns: how many attributes could not be kept
    func finish() throws(BundleError) -> Int {
        try? socket.send([])
        while true {
            _ = try explain("cannot wait for the process that copies") { () throws(SystemError) in
                try waitForEither(socket.descriptor.rawValue, work.interruption)
            }
            try work.checkpoint()
            let reply = try receive()
            if case .ended(let left) = reply { return left }
            guard reply == nil else { continue }
            isCollected = true
            let end = try explain("cannot end the process that copies") { () throws(SystemError) in
                try waitForEnd(of: child.pid)
            }
            throw BundleError("\(work.request.image): the process that copies was ended by \(end)")
        }
    }

    /// Ends the process, wherever it is.
    func end() {
        guard !isCollected else { return }
        isCollected = true
        child.kill()
    }

    /// Nil when the process has ended.
    private func receive() throws(BundleError) -> Reply? {
        let bytes = try explain("cannot hear the process that copies") { () throws(SystemError) in
            try socket.receive(limit: Self.longestMessage)
        }
        let reply = Reply(bytes)
        switch reply {
        case .written(let bytes, let files):
            waiting -= files
            try work.count(bytes: bytes)
        case .failed(let error):
            // Where both were asked to end, this one says so.
            try work.checkpoint()
            throw error
        case .ended, nil: break
        }
        return reply
    }

    // MARK: - The process

    private static func serve(
        _ socket: Int32, _ work: Work, _ fill: (Int32, Int32, ByteName) throws(BundleError) -> Void,
        _ left: () -> Int
    ) -> Never {
        let account = Account(socket)
        work.progress = account
        do throws(BundleError) {
            while let (path, input, output) = try next(socket) {
                try fill(input, output, path)
                closeDescriptor(input)
                closeDescriptor(output)
                account.advance(bytes: 0, files: 1)
            }
            account.tell()
            account.send(.ended(left()))
            exitNow(0)
        } catch {
            account.send(.failed(error))
            exitNow(1)
        }
    }

    private static func next(_ socket: Int32) throws(BundleError) -> (ByteName, Int32, Int32)? {
        do throws(SystemError) {
            let (path, files) = try receiveWithDescriptors(from: socket, limit: longestMessage)
            return files.count == 2 ? (ByteName(path), files[0], files[1]) : nil
        } catch {
            throw BundleError("cannot receive files to copy", error)
        }
    }

    /// Tells the other side what was written, in pieces worth a message.
    private final class Account: ProgressSink {
        private let socket: Int32
        private var bytes: UInt64 = 0
        private var files = 0
        private static let piece: UInt64 = 4 << 20

        init(_ socket: Int32) { self.socket = socket }

        func begin(_ step: String, total: UInt64?) {}
        func finish() {}

        func advance(bytes more: UInt64, files: UInt64) {
            bytes += more
            self.files += Int(files)
            if bytes >= Self.piece || self.files >= 16 { tell() }
        }

        func tell() {
            send(.written(bytes: bytes, files: files))
            (bytes, files) = (0, 0)
        }

        /// Who does not hear it any more is about to end this process.
        func send(_ reply: Reply) { try? writeAll(reply.encoded, to: socket) }
    }
}

/// What the process says.
private enum Reply {
    /// So many bytes more are written, and so many files complete.
    case written(bytes: UInt64, files: Int)
    /// Everything is done; so many attributes could not be kept.
    case ended(Int)
    case failed(BundleError)

    var encoded: [UInt8] {
        switch self {
        case .written(let bytes, let files):
            [0, UInt8(files)] + (0..<8).map { UInt8(truncatingIfNeeded: bytes >> (8 * $0)) }
        case .ended(let left): [1, 0] + (0..<8).map { UInt8(truncatingIfNeeded: left >> (8 * $0)) }
        case .failed(let error): [2, UInt8(truncatingIfNeeded: error.exitCode)] + error.message.utf8.prefix(4000)
        }
    }

    /// - Returns: nil for what nobody says: nothing
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 2 else { return nil }
        if bytes[0] == 2 {
            self = .failed(BundleError(String(decoding: bytes[2...], as: UTF8.self), exitCode: Int32(bytes[1])))
            return
        }
        guard bytes.count == 10 else { return nil }
        let number = bytes.little64(2)
        self = bytes[0] == 0 ? .written(bytes: number, files: Int(bytes[1])) : .ended(Int(clamping: number))
    }
}
