internal import CLinux
internal import Glibc

/// An error number of the kernel, as errno(3) names them.
package struct Errno: Error, Equatable, Sendable {
    package let code: Int32

    package init(_ code: Int32) { self.code = code }

    package static let notPermitted = Errno(EPERM)
    package static let noEntry = Errno(ENOENT)
    package static let noSuchProcess = Errno(ESRCH)
    package static let interrupted = Errno(EINTR)
    package static let noSuchDevice = Errno(ENXIO)
    package static let tryAgain = Errno(EAGAIN)
    package static let accessDenied = Errno(EACCES)
    package static let busy = Errno(EBUSY)
    package static let exists = Errno(EEXIST)
    package static let notDirectory = Errno(ENOTDIR)
    package static let isDirectory = Errno(EISDIR)
    package static let invalid = Errno(EINVAL)
    package static let noSpace = Errno(ENOSPC)
    package static let readOnly = Errno(EROFS)
    package static let brokenPipe = Errno(EPIPE)
    package static let loop = Errno(ELOOP)
    package static let notSupported = Errno(EOPNOTSUPP)
    package static let notImplemented = Errno(ENOSYS)
    package static let crossDevice = Errno(EXDEV)
    package static let noExecFormat = Errno(ENOEXEC)
    package static let nameTooLong = Errno(ENAMETOOLONG)
    package static let notEmpty = Errno(ENOTEMPTY)
    package static let fileTooBig = Errno(EFBIG)
    package static let noDevice = Errno(ENODEV)
    package static let connectionReset = Errno(ECONNRESET)
    package static let badDescriptor = Errno(EBADF)

    /// The C library's text in lower case, as engines match it ("no such file or directory").
    package var text: String {
        guard let raw = cl_error_text(code) else { return "error \(code)" }
        return String(cString: raw).lowercased()
    }

    /// The symbolic name ("ENOENT").
    package var name: String {
        guard let raw = cl_error_name(code) else { return "E\(code)" }
        return String(cString: raw)
    }
}

/// A system call that failed: which, on what, and why. The layer above adds what it was for and what the user can do.
package struct SystemError: Error, Equatable, Sendable {
    package let call: String
    package let subject: String
    package let errno: Errno

    package init(_ call: String, _ subject: String = "", _ errno: Errno) {
        self.call = call
        self.subject = subject
        self.errno = errno
    }

    /// "openat2 /etc/x: no such file or directory"
    package var text: String {
        subject.isEmpty ? "\(call): \(errno.text)" : "\(call) \(subject): \(errno.text)"
    }
}

/// Turns the "value or -errno" of a CLinux function into a value or an error. The subject is only built on failure.
@inline(__always) @discardableResult
package func check(
    _ result: Int, _ call: StaticString, _ subject: @autoclosure () -> String = ""
) throws(SystemError) -> Int {
    guard result < 0 else { return result }
    throw SystemError("\(call)", subject(), Errno(Int32(-result)))
}

/// As `check`, and repeats the call while a signal interrupts it.
@inline(__always) @discardableResult
package func checkRetrying(
    _ call: StaticString, _ subject: @autoclosure () -> String = "", _ body: () -> Int
) throws(SystemError) -> Int {
    while true {
        let result = body()
        if result == -Int(EINTR) { continue }
        return try check(result, call, subject())
    }
}
