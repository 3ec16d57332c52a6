internal import LinuxSystem
internal import RuntimeSpec

/// Makes init: one clone3(2) with the new namespaces, on v2 straight into the container's cgroup.
///
/// Existing namespaces are joined by a process in between, which then makes init as its sibling: the process that
/// creates the container never leaves the runtime's namespaces, in which it is going to run hooks. `exec` makes its
/// process in the same way.
struct Birth {
    let newNamespaces: NamespaceFlags
    /// A cgroup v2 directory, or nil.
    let cgroup: Int32?

    func give(_ joined: borrowing JoinedNamespaces) throws(RuntimeError) -> CloneResult {
        if joined.isEmpty {
            do throws(SystemError) { return try clone(newNamespaces, intoCgroup: cgroup) } catch {
                throw explainBirth(error)
            }
        }
        return try give(afterJoining: { (_) throws(RuntimeError) in try joined.enter() })
    }

    /// - Parameter join: called in the process in between with the number of the one descriptor that it must leave open
    func give(afterJoining join: (Int32) throws(RuntimeError) -> Void) throws(RuntimeError) -> CloneResult {
        let report = try explain("cannot make a pipe") { () throws(SystemError) in try Pipe() }
        let between = try explain("cannot make a process that joins namespaces") { () throws(SystemError) in
            try clone([])
        }
        switch consume between {
        case .child:
            do throws(RuntimeError) {
                try join(report.write.rawValue)
                let born: CloneResult
                do throws(SystemError) {
                    born = try clone(newNamespaces, intoCgroup: cgroup, asSibling: true)
                } catch {
                    throw explainBirth(error)
                }
                guard case .parent(let process) = consume born else { return .child }
                try? report.write.write("\(process.pid)")
                exitNow(0)
            } catch {
                try? report.write.write([0] + error.message.utf8)
                exitNow(1)
            }
        case .parent(let process):
            let reader = report.reader()
            let (answer, adopted) = try explain("cannot hear from the joining process") { () throws(SystemError) in
                let answer = try reader.read(upTo: 8192)
                try waitForEnd(of: process.pid)
                return (answer, Int32(String(decoding: answer, as: UTF8.self)))
            }
            guard let pid = adopted else {
                throw RuntimeError(String(decoding: answer.dropFirst(), as: UTF8.self))
            }
            return .parent(
                try explain("cannot hold the container's process") { () throws(SystemError) in
                    ChildProcess(pid: pid, pidfd: try FileDescriptor.process(pid))
                })
        }
    }

    private func explainBirth(_ error: SystemError) -> RuntimeError {
        RuntimeError(
            "cannot make the container's process", error,
            hint: newNamespaces.contains(.user)
                ? userNamespaceRefusal(error.errno)
                : error.errno == .notPermitted
                    ? "only root may make namespaces without a user namespace: add {\"type\": \"user\"} to linux.namespaces"
                    : nil)
    }
}
