internal import LinuxSystem

/// A program of the host that does what swrun does not do itself.
struct HostProgram {
    let path: String

    /// Looks for the program where PATH says.
    ///
    /// - Parameter package: the Debian package that has it, for who lacks it.
    static func find(_ name: String, package: String) throws(BundleError) -> HostProgram {
        let directories = environmentVariable("PATH") ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        for directory in directories.split(separator: ":") where directory.utf8.first == UInt8(ascii: "/") {
            let path = "\(directory)/\(name)"
            if (try? checkAccess(path, 1)) != nil { return HostProgram(path: path) }
        }
        throw BundleError("\(name) is needed for this image and not installed", hint: "install it (Debian: \(package))")
    }

    /// Turns this process into the program.
    ///
    /// - Parameters:
    ///   - input, output: descriptors of its standard input and output.
    func execute(_ arguments: [String], input: Int32, output: Int32) throws(BundleError) -> Never {
        do throws(SystemError) {
            try place(input, as: 0)
            try place(output, as: 1)
            unblockSignals()
            throw LinuxSystem.execute(
                path, CStringVector([path] + arguments), CStringVector(environmentVariables()))
        } catch {
            throw BundleError("cannot run \(path)", error)
        }
    }

    /// Runs the program to its end. What it says on its error output becomes the error; a signal to this process ends it.
    func run(_ arguments: [String], _ work: Work) throws(BundleError) {
        let output = try explain("cannot start \(path)") { () throws(SystemError) in try Pipe() }
        let child = try start(arguments, errors: output.write.rawValue)
        let messages = output.reader()
        var said: [UInt8] = []
        var isInterrupted = false
        let end = try explain("cannot wait for \(path)") { () throws(SystemError) in
            // Its output ends when it does, unless it leaves something behind that still has it.
            while try !child.pidfd.waitReadable(milliseconds: 0) {
                if try waitForEither(messages.rawValue, work.interruption, child.pidfd.rawValue, milliseconds: 1000) {
                    try child.pidfd.signal(15)
                    isInterrupted = true
                    break
                }
                if try messages.waitReadable(milliseconds: 0) {
                    let more = try messages.read(upTo: 4096)
                    said = Array((said + more).suffix(16 << 10))
                }
            }
            return try waitForEnd(of: child.pid)
        }
        if isInterrupted { try work.checkpoint() }
        guard end != .exited(0) else { return }
        while (try? messages.waitReadable(milliseconds: 0)) == true, let more = try? messages.read(upTo: 4096),
            !more.isEmpty
        {
            said += more
        }
        let lines = said.split(separator: UInt8(ascii: "\n"))
        let last = lines.last.map { String(decoding: $0, as: UTF8.self) } ?? "no reason given"
        throw BundleError("\(path) failed: \(Self.plain(last))")
    }

    private func start(_ arguments: [String], errors: Int32) throws(BundleError) -> ChildProcess {
        try explain("cannot start \(path)") { () throws(SystemError) in
            switch try cloneHelper() {
            case .child:
                if let null = try? FileDescriptor.open("/dev/null", .readWrite) {
                    try? place(errors, as: 2)
                    do throws(BundleError) {
                        try execute(arguments, input: null.rawValue, output: null.rawValue)
                    } catch {
                        try? writeAll(Array(error.message.utf8), to: 2)
                    }
                }
                exitNow(127)
            case .parent(let child):
                return child
            }
        }
    }

    /// `time="..." level=fatal msg="..."`, as programs in Go log, without everything but the message.
    private static func plain(_ line: String) -> String {
        let bytes = Array(line.utf8)
        let mark = Array("msg=\"".utf8)
        var start = 0
        for index in bytes.indices where bytes[index...].starts(with: mark) {
            start = index + mark.count
            break
        }
        var message = bytes[start...]
        if start > 0, message.last == UInt8(ascii: "\"") { message = message.dropLast() }
        return oneLine(String(decoding: message, as: UTF8.self).replacingQuotes)
    }
}

extension String {
    /// `\"` as `"`.
    fileprivate var replacingQuotes: String {
        var bytes: [UInt8] = []
        for byte in utf8 {
            if byte == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\\") { bytes.removeLast() }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
