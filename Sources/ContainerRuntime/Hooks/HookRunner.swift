internal import CLinux
internal import LinuxSystem
internal import RuntimeSpec

/// Runs the hooks of one kind, in order (config.md, "POSIX-platform Hooks"). Each gets the container's state on its
/// standard input; what it prints goes into the error when it fails.
struct HookRunner {
    private let name: HookName
    private let hooks: [Hook]
    private let state: [UInt8]
    private let directory: String?
    private let outputFile: String?
    private let errorFile: String?

    /// - Parameters:
    ///   - directory: what hooks run in; nil leaves the current one
    ///   - annotations: crun's `run.oci.hooks.stdout` and `run.oci.hooks.stderr` name files that the hooks' standard
    ///     output and error are appended to
    init(_ name: HookName, _ hooks: Hooks, _ state: State, directory: String?, _ annotations: [KeyValue]) {
        self.name = name
        self.hooks = hooks[name]
        self.state = self.hooks.isEmpty ? [] : state.hookJSON.bytes()
        self.directory = directory
        outputFile = annotations[.hooksStdout]
        errorFile = annotations[.hooksStderr]
    }

    /// Runs them all; the first that fails ends it.
    func run() throws(RuntimeError) {
        if hooks.isEmpty { return }
        ignoreSignal(SignalNumber.pipe)  // a hook need not read the state
        for (index, hook) in hooks.enumerated() { try run(hook, at: "hooks.\(name.rawValue)[\(index)]") }
    }

    /// Runs them all, whatever they do; the failures are returned.
    func runAll() -> [RuntimeError] {
        var failures: [RuntimeError] = []
        ignoreSignal(SignalNumber.pipe)
        for (index, hook) in hooks.enumerated() {
            do throws(RuntimeError) {
                try run(hook, at: "hooks.\(name.rawValue)[\(index)]")
            } catch {
                failures.append(error)
            }
        }
        return failures
    }

    private func run(_ hook: Hook, at path: String) throws(RuntimeError) {
        let arguments = CStringVector(hook.args.isEmpty ? [hook.path] : hook.args)
        let environment = CStringVector(
            // Engines expect their hooks to inherit. Those in the container are the image's: they learn nothing of the engine.
            hook.env ?? (name == .startContainer ? [] : environmentVariables()))
        let result = try explain("cannot run the hook \(hook.path)", at: path) { () throws(SystemError) in
            try start(hook, arguments, environment)
        }
        let output = result.output.lastLines
        let said = output.isEmpty ? "" : ", it said: \(output)"
        switch result.end {
        case .exited(0): return
        case nil:
            throw RuntimeError(
                at: "\(path).timeout", "the hook \(hook.path) did not end within \(hook.timeout ?? 0) s\(said)")
        case .exited(let status) where result.executionFailed:
            throw RuntimeError(
                at: "\(path).path", "cannot execute the hook: execve \(hook.path): \(Errno(status).text)",
                hint: "the path must exist in the \(name.pathNamespace) namespace and be executable")
        case .exited(let status):
            throw RuntimeError(at: path, "the hook \(hook.path) failed with exit status \(status)\(said)")
        case .killed(let signal):
            throw RuntimeError(at: path, "the hook \(hook.path) was killed by signal \(signal)\(said)")
        }
    }

    /// The child's ends of the pipes.
    private struct HookEnds {
        let input: Int32
        let output: Int32
        let execution: Int32
    }

    private struct Result {
        /// Nil when the time was over.
        var end: ProcessEnd?
        var executionFailed = false
        var output = HookOutput()
    }

    private func start(
        _ hook: Hook, _ arguments: CStringVector, _ environment: CStringVector
    ) throws(SystemError) -> Result {
        let input = try Pipe()
        let output = try Pipe()
        let execution = try Pipe()
        let ends = HookEnds(
            input: input.read.rawValue, output: output.write.rawValue, execution: execution.write.rawValue)
        switch try clone() {
        case .child: becomeHook(hook.path, arguments, environment, ends)
        case .parent(let child):
            return try supervise(child, hook, input.writer(), output.reader(), execution.reader())
        }
    }

    /// In the child: everything that is not standard input, output or error closes itself on execve.
    private func becomeHook(
        _ path: String, _ arguments: CStringVector, _ environment: CStringVector, _ ends: HookEnds
    ) -> Never {
        let failure: SystemError
        do throws(SystemError) {
            if let directory { try enterDirectory(try FileDescriptor.open(directory, .place)) }
            try place(ends.input, as: 0)
            try place(try outputDescriptor(outputFile, else: ends.output), as: 1)
            try place(try outputDescriptor(errorFile, else: ends.output), as: 2)
            unblockSignals()
            failure = execute(path, arguments, environment)
        } catch {
            failure = error
        }
        try? FileDescriptor(owning: ends.execution).write([UInt8(truncatingIfNeeded: failure.errno.code)])
        exitNow(127)
    }

    private func outputDescriptor(_ file: String?, else pipe: Int32) throws(SystemError) -> Int32 {
        guard let file else { return pipe }
        return try FileDescriptor.open(file, [.writeOnly, .create, .append], mode: 0o600).release()
    }

    /// In the parent: gives the state, collects what the hook says, and ends it when its time is over.
    private func supervise(
        _ child: borrowing ChildProcess, _ hook: Hook, _ input: consuming FileDescriptor,
        _ output: consuming FileDescriptor, _ execution: consuming FileDescriptor
    ) throws(SystemError) -> Result {
        var result = Result()
        let failure = try execution.read(upTo: 1)  // empty as soon as execve succeeded
        // A state is smaller than a pipe's buffer. A hook that does not read it closes the pipe: that is its right.
        try? input.write(state)
        closeNow(input)
        let deadline = hook.timeout.map { monotonicMilliseconds() + Int64($0) * 1000 }
        while true {
            var entries = [
                pollfd(fd: child.pidfd.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: output.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            let left = deadline.map { Int32(clamping: max(0, $0 - monotonicMilliseconds())) } ?? -1
            let ready = try checkRetrying("poll") { Int(cl_poll(&entries, 2, left)) }
            if entries[1].revents & Int16(POLLIN) != 0 { result.output.append(try output.read(upTo: 4096)) }
            if entries[0].revents != 0 { break }
            if ready == 0 {
                try child.pidfd.signal(9)
                try waitForEnd(of: child.pid)
                return result
            }
            if entries[1].revents & Int16(POLLHUP) != 0 && entries[1].revents & Int16(POLLIN) == 0 {
                // It closed its output and runs on: only its end and the deadline matter now.
                _ = try child.pidfd.waitReadable(milliseconds: left)
            }
        }
        let end = try waitForEnd(of: child.pid)
        while try output.waitReadable(milliseconds: 0) {
            let more = try output.read(upTo: 4096)
            if more.isEmpty { break }
            result.output.append(more)
        }
        result.executionFailed = !failure.isEmpty
        result.end = failure.first.map { .exited(Int32($0)) } ?? end
        return result
    }
}

extension Hooks {
    fileprivate subscript(name: HookName) -> [Hook] {
        switch name {
        case .prestart: prestart
        case .createRuntime: createRuntime
        case .createContainer: createContainer
        case .startContainer: startContainer
        case .poststart: poststart
        case .poststop: poststop
        }
    }
}

extension HookName {
    /// Where the path of such a hook is looked up.
    fileprivate var pathNamespace: String { self == .startContainer ? "container" : "runtime" }
}

/// The end of what a hook printed.
private struct HookOutput {
    private var bytes: [UInt8] = []

    mutating func append(_ more: [UInt8]) {
        bytes += more
        if bytes.count > 8192 { bytes.removeFirst(bytes.count - 4096) }
    }

    /// Its last lines, as one line of at most 500 bytes.
    var lastLines: String {
        let text = String(decoding: bytes.suffix(500), as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).joined(separator: " | ")
        return String(String.UnicodeScalarView(lines.unicodeScalars.map { $0.value < 32 ? " " : $0 }))
    }
}
