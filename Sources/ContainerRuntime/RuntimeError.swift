package import LinuxSystem

/// Why an operation failed, in one line that a person can act on: where in config.json (or which file), what was being
/// done, the system call with its errno, and what to do about it.
package struct RuntimeError: Error, Equatable, Sendable {
    package let message: String
    /// The exit status of the command: 1, or what the contract with engines says.
    package var exitCode: Int32 = 1

    package init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }

    /// - Parameters:
    ///   - path: the property of config.json at fault (`linux.namespaces[2].path`), or nil
    ///   - what: what could not be done ("cannot join the network namespace")
    ///   - cause: the system call that failed
    ///   - hint: what the user can do
    package init(at path: String? = nil, _ what: String, _ cause: SystemError? = nil, hint: String? = nil) {
        var text = path.map { "\($0): \(what)" } ?? what
        if let cause { text += ": \(cause.text)" }
        if let hint { text += "; \(hint)" }
        self.init(text)
    }
}

/// Runs `body` and says what it was for when a system call in it fails.
@inline(__always)
func explain<Result: ~Copyable>(
    _ what: @autoclosure () -> String, at path: @autoclosure () -> String? = nil,
    hint: @autoclosure () -> String? = nil,
    _ body: () throws(SystemError) -> Result
) throws(RuntimeError) -> Result {
    do {
        return try body()
    } catch {
        throw RuntimeError(at: path(), what(), error, hint: hint())
    }
}
