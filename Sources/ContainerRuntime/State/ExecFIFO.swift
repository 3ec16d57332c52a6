internal import LinuxSystem

/// How `start` reaches init: two fifos in the state directory, which exist from `create` to `start`. That `exec.fifo` is
/// there is also what tells a created container from a running one.
///
///     start                                        init
///     exec.fifo    open for writing  ---------->   blocked in read(2) since create; open at both ends, so that it never
///                                                  sees an end of file
///                  one byte          ---------->   goes on
///     exec.report  open for reading  <----------   open for writing since create
///                                    <- failed -   (only on failure) the error
///                                    <-  end   -   execve(2) closed it: the program runs
///
/// Init has opened both before it changed its root and its user. It holds no directory of the host, by which a path in
/// the container could lead out of it, and needs no more than read(2) under a seccomp filter.
enum ExecFIFO {
    static let name = "exec.fifo"
    static let reportName = "exec.report"

    /// Init's ends, as descriptors that whoever has this value closes.
    struct Ends: Equatable {
        let go: Int32
        let report: Int32

        func close() {
            closeDescriptor(go)
            closeDescriptor(report)
        }
    }

    static func make(in directory: borrowing FileDescriptor) throws(SystemError) -> Ends {
        try directory.makeFIFO(name, mode: 0o600)
        try directory.makeFIFO(reportName, mode: 0o600)
        let go = try FileDescriptor.open(name, .readWrite, at: directory.rawValue)
        // A fifo opens for writing only while somebody reads.
        let reader = try FileDescriptor.open(reportName, [.readOnly, .nonBlocking], at: directory.rawValue)
        let report = try FileDescriptor.open(reportName, .writeOnly, at: directory.rawValue)
        closeNow(reader)
        return Ends(go: go.release(), report: report.release())
    }

    /// In `start`: lets init go, and returns when its program runs.
    ///
    /// - Throws: what init reports, or that it has ended.
    static func start(in directory: borrowing FileDescriptor) throws(RuntimeError) {
        let report = try explain("cannot hear from the container's init") { () throws(SystemError) in
            try FileDescriptor.open(reportName, [.readOnly], at: directory.rawValue)
        }
        do throws(SystemError) {
            let go = try FileDescriptor.open(name, [.writeOnly, .nonBlocking], at: directory.rawValue)
            // Nobody else may start it now.
            try directory.remove(name)
            try directory.remove(reportName)
            try go.write([0])
        } catch {
            if error.errno == .noSuchDevice {
                throw RuntimeError("the container's init has ended before it was started")
            }
            throw RuntimeError("cannot reach the container's init", error)
        }
        let answer = try explain("cannot hear from the container's init") { () throws(SystemError) in
            try report.readToEnd(limit: 1 << 16)
        }
        if case .failed(let error) = InitMessage(answer) { throw error }
    }
}
