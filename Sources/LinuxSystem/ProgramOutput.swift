internal import CLinux
internal import Glibc

/// Runs a program of the host to its end and gives what it wrote to standard output and error.
///
/// - Parameter name: looked for in the directories of PATH
/// - Throws: when it cannot be executed
package func runProgram(
    _ name: String, _ arguments: [String]
) throws(SystemError) -> (output: [UInt8], end: ProcessEnd) {
    let paths = programDirectories().map { "\($0)/\(name)" }
    let vector = CStringVector([name] + arguments)
    let output = try Pipe()
    let execution = try Pipe()
    switch try clone() {
    case .child:
        var failure = SystemError("execve", name, .noEntry)
        do throws(SystemError) {
            try place(output.write.rawValue, as: 1)
            try place(output.write.rawValue, as: 2)
            unblockSignals()
            for path in paths {
                let refused = execute(path, vector, CStringVector(environmentVariables()))
                if refused.errno != .noEntry { failure = refused }
            }
        } catch { failure = error }
        try? execution.write.write([UInt8(truncatingIfNeeded: failure.errno.code)])
        exitNow(127)
    case .parent(let child):
        let refusal = execution.reader()
        let printed = output.reader()
        let failure = try refusal.read(upTo: 1)  // empty as soon as execve succeeded
        let bytes = try printed.readToEnd(limit: 1 << 26, subject: name)
        let end = try waitForEnd(of: child.pid)
        if let code = failure.first { throw SystemError("execve", name, Errno(Int32(code))) }
        return (bytes, end)
    }
}

/// The file that `runProgram` would execute; nil when there is none.
package func findProgram(_ name: String) -> String? {
    for directory in programDirectories() {
        let path = "\(directory)/\(name)"
        guard cl_faccessat2(CL_AT_FDCWD, path, X_OK, CL_AT_EACCESS) == 0 else { continue }
        if (try? fileStatus(path))??.kind == .regular { return path }
    }
    return nil
}

private func programDirectories() -> [Substring] {
    let path = environmentVariable("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return path.split(separator: ":")
}
