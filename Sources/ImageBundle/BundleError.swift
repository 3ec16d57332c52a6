package import LinuxSystem

/// Why no bundle could be made, in one line: the image or file, what is wrong with it, the system call with its errno, and
/// what to do about it.
package struct BundleError: Error, Equatable, Sendable {
    package let message: String
    package var exitCode: Int32 = 1

    package init(_ message: String, exitCode: Int32 = 1) {
        self.message = message
        self.exitCode = exitCode
    }

    package init(_ what: String, hint: String) { self.init("\(what); \(hint)") }

    /// - Parameters:
    ///   - what: what could not be done ("cannot read the partition table")
    ///   - cause: the system call that failed
    ///   - hint: what the user can do
    package init(_ what: String, _ cause: SystemError, hint: String? = nil) {
        self.init("\(what): \(cause.text)" + (hint.map { "; \($0)" } ?? ""))
    }
}

/// Runs `body` and says what it was for when a system call in it fails.
@inline(__always)
func explain<Result: ~Copyable>(
    _ what: @autoclosure () -> String, hint: @autoclosure () -> String? = nil, _ body: () throws(SystemError) -> Result
) throws(BundleError) -> Result {
    do throws(SystemError) {
        return try body()
    } catch {
        throw BundleError(what(), error, hint: hint())
    }
}
