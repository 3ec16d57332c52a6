internal import LinuxSystem

/// `exec.fifo` in the state directory: init blocks on it between `create` and `start`, and its existence is what
/// tells a created container from a running one.
///
///     start                                   init
///     open for reading  ---------------->     open for writing (blocked since create)
///                       <--- one byte ---     it was waiting
///                       <--- failed -----     (only on failure) the text of the error
///                       <--- end of file -    execve(2) closed it: the program runs
enum ExecFIFO {
    /// In init. Only system calls that an ordinary program makes too: a seccomp filter is in force already.
    static func waitForStart(in stateDirectory: Int32) throws(RuntimeError) -> FileDescriptor {
        try explain("cannot wait on \(StateDirectory.fifoName)") { () throws(SystemError) in
            let fifo = try FileDescriptor.open(StateDirectory.fifoName, .writeOnly, at: stateDirectory)
            try fifo.write([0])
            return fifo
        }
    }

    /// In `start`: lets init go and waits until its program runs.
    ///
    /// - Throws: what init reports, or that it has ended.
    static func start(
        in directory: borrowing FileDescriptor, process: borrowing FileDescriptor
    ) throws(RuntimeError) {
        let answer = try explain("cannot open \(StateDirectory.fifoName)") { () throws(SystemError) in
            let fifo = try FileDescriptor.open(
                StateDirectory.fifoName, [.readOnly, .nonBlocking], at: directory.rawValue)
            // Nobody else may start it now.
            try directory.remove(StateDirectory.fifoName)
            return try readAnswer(fifo, process)
        }
        guard let first = answer.first, first == 0 else {
            throw RuntimeError("container init has ended before it could be started")
        }
        if case .failed(let error) = InitMessage(Array(answer.dropFirst())) { throw error }
    }

    /// All that init writes until it closes the fifo, or dies.
    private static func readAnswer(
        _ fifo: borrowing FileDescriptor, _ process: borrowing FileDescriptor
    ) throws(SystemError) -> [UInt8] {
        var answer: [UInt8] = []
        while true {
            let ended = try waitForEither(fifo.rawValue, process.rawValue)
            do throws(SystemError) {
                let more = try fifo.read(upTo: 8192)
                if more.isEmpty && (!answer.isEmpty || ended) { return answer }
                answer += more
            } catch {
                guard error.errno == .tryAgain else { throw error }
            }
        }
    }
}
