internal import LinuxSystem

/// Signals that would end this process are held back while a container is half made, and noticed where it waits for
/// init: then the half container is taken down first.
struct Interruption: ~Copyable {
    /// HUP, INT, QUIT and TERM
    static let signals = SignalSet([1, 2, 3, 15])

    private let before: SignalSet
    private let signals: SignalDescriptor

    init() throws(RuntimeError) {
        before = blockSignals(.all)
        signals = try explain("cannot receive signals") { () throws(SystemError) in
            try SignalDescriptor(Self.signals)
        }
    }

    /// Waits until `file` can be read.
    ///
    /// - Throws: when a signal asks this process to end
    func wait(
        for file: Int32, answering watcher: SystemCallWatcher? = nil, _ warn: (String) -> Void = { _ in }
    ) throws(RuntimeError) {
        // Init itself is under the filter that is watched, and waits for its answers.
        if let watcher { try watcher.wait(for: file, or: signals.descriptor.rawValue, warn) }
        let interrupted = try explain("cannot wait for init") { () throws(SystemError) in
            try waitForEither(file, signals.descriptor.rawValue)
        }
        if interrupted, let signal = signals.next() {
            throw .interrupted(by: signal)
        }
    }

    deinit { setBlockedSignals(before) }
}

extension RuntimeError {
    static func interrupted(by signal: Int32) -> RuntimeError {
        RuntimeError("interrupted by signal \(signal)", exitCode: 128 + signal)
    }
}
