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
    /// The scope of that cgroup, if it has one.
    let scope: ContainerScope?

    func give(_ joined: borrowing JoinedNamespaces) throws(RuntimeError) -> CloneResult {
        if joined.isEmpty {
            do throws(SystemError) {
                return try clone(newNamespaces, intoCgroup: cgroup)
            } catch {
                guard error.errno == .accessDenied, cgroup != nil, scope != nil else {
                    throw explainBirth(error)
                }
            }
        }
        let entrance = joined.entrance
        return try give(
            fromInside: joined.has(.cgroup), sharingMemory: !joined.has(.user) && !joined.has(.time),
            afterJoining: { (_) throws(RuntimeError) in try entrance.enter() })
    }

    /// - Parameters:
    ///   - fromInside: the process in between is born in the cgroup, and its child where it is. Who has joined a cgroup
    ///     namespace finds no cgroup outside of it (ENOENT, cgroups(7), "nsdelegate").
    ///   - sharingMemory: false where the kernel wants a process that has its memory for itself (time namespaces), and
    ///     where joining changes who may look into it
    ///   - join: called in the process in between with the number of a descriptor that it must leave open
    func give(
        fromInside: Bool = false, sharingMemory: Bool,
        afterJoining join: @escaping (Int32?) throws(RuntimeError) -> Void
    ) throws(RuntimeError) -> CloneResult {
        if sharingMemory, !fromInside, scope == nil, effectiveUserID() == 0 {
            return try giveSharingMemory(afterJoining: join)
        }
        let (ours, theirs) = try explain("cannot make a connection") { () throws(SystemError) in
            try MessageSocket.pair()
        }
        let between = try explain("cannot make a process that joins namespaces") { () throws(SystemError) in
            try clone(intoCgroup: fromInside ? cgroup : nil)
        }
        switch consume between {
        case .child:
            closeDescriptor(ours)
            let child = MessageSocket(FileDescriptor(owning: theirs))
            do throws(RuntimeError) {
                try join(theirs)
                guard case .parent(let process) = try giveAsSibling(child, in: fromInside ? nil : cgroup) else {
                    return .child
                }
                try? child.send([Message.born.rawValue] + "\(process.pid)".utf8)
                exitNow(0)
            } catch {
                try? child.send([Message.failed.rawValue] + error.message.utf8.prefix(8000))
                exitNow(1)
            }
        case .parent(let process):
            closeDescriptor(theirs)
            return try hear(MessageSocket(FileDescriptor(owning: ours)), process)
        }
    }

    /// The cheaper way, where the process in between has nothing to ask for: to copy the memory for it takes longer than
    /// what it does.
    private func giveSharingMemory(
        afterJoining join: @escaping (Int32?) throws(RuntimeError) -> Void
    ) throws(RuntimeError) -> CloneResult {
        var born: Int32 = 0
        var failure: RuntimeError?
        let isChild = try explain("cannot make a process that joins namespaces") { () throws(SystemError) in
            try cloneByWay {
                do throws(RuntimeError) {
                    try join(nil)
                    do throws(SystemError) {
                        switch try clone(newNamespaces, intoCgroup: cgroup, asSibling: true) {
                        case .child: return true
                        case .parent(let process): born = process.pid
                        }
                    } catch {
                        throw explainBirth(error)
                    }
                } catch {
                    failure = error
                }
                return false
            }
        }
        if isChild { return .child }
        if let failure { throw failure }
        return .parent(
            try explain("cannot hold the container's process") { () throws(SystemError) in
                ChildProcess(pid: born, pidfd: try FileDescriptor.process(born))
            })
    }

    /// What the process in between says, each with a text.
    private enum Message: UInt8 {
        /// The number of the new process
        case born
        /// Nothing: it has to be moved into the scope, for its child to be born there
        case move
        case failed
    }
    /// In the process in between.
    private func giveAsSibling(
        _ parent: borrowing MessageSocket, in cgroup: Int32?
    ) throws(RuntimeError) -> CloneResult {
        do throws(SystemError) {
            return try clone(newNamespaces, intoCgroup: cgroup, asSibling: true)
        } catch {
            guard error.errno == .accessDenied, cgroup != nil, scope != nil else {
                throw explainBirth(error)
            }
        }
        do throws(SystemError) {
            try parent.send([Message.move.rawValue])
            if try parent.receive().isEmpty { exitNow(1) }
            return try clone(newNamespaces, asSibling: true)
        } catch {
            throw explainBirth(error)
        }
    }

    private func hear(
        _ between: borrowing MessageSocket, _ process: borrowing ChildProcess
    ) throws(RuntimeError) -> CloneResult {
        while true {
            let message = try explain("cannot hear from the joining process") { () throws(SystemError) in
                try between.receive()
            }
            let text = String(decoding: message.dropFirst(), as: UTF8.self)
            do throws(RuntimeError) {
                switch message.first.flatMap(Message.init(rawValue:)) {
                case .move:
                    try scope?.move(process.pid)
                    try explain("cannot talk to the joining process") { () throws(SystemError) in
                        try between.send([Message.move.rawValue])
                    }
                    continue
                case .born:
                    guard let pid = Int32(text) else { throw RuntimeError("the joining process said \(text)") }
                    _ = try? waitForEnd(of: process.pid)
                    return .parent(
                        try explain("cannot hold the container's process") { () throws(SystemError) in
                            ChildProcess(pid: pid, pidfd: try FileDescriptor.process(pid))
                        })
                case .failed: throw RuntimeError(text)
                case nil: throw RuntimeError("the process that joins namespaces ended before its work was done")
                }
            } catch {
                try? process.pidfd.signal(9)
                _ = try? waitForEnd(of: process.pid)
                throw error
            }
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
