package import LinuxSystem
package import RuntimeSpec

/// Hands the listener of a filter to the agent that answers its notifications (config-linux.md, Seccomp, listenerPath
/// and The Container Process State).
///
/// ```
/// host                                      init
///                        <--number N--      announces the number its next descriptor will get
/// forward(N, from: init)                    seccomp(2): N is the listener, and any further call may now wait for the agent
///   copies N out of init as soon as it is there (pidfd_getfd(2)), sends it to the agent
/// ```
/// The process under the filter has nothing to say after it is loaded: a filter may notify on any system call, those
/// with which a descriptor is sent included.
package struct SeccompListener: Equatable, Sendable {
    private let path: String
    private let metadata: String?

    /// nil when no action of the filter notifies: the path is then ignored.
    package init?(_ seccomp: Seccomp) throws(RuntimeError) {
        guard seccomp.notifies else { return nil }
        guard let path = seccomp.listenerPath, !path.isEmpty else {
            throw RuntimeError(
                at: "linux.seccomp.listenerPath", "missing, but SCMP_ACT_NOTIFY is used",
                hint: "set it to the socket of the agent that answers the notifications")
        }
        self.path = path
        metadata = seccomp.listenerMetadata
    }

    /// Sends the container process state and the listener to the agent; returns when it is sent.
    ///
    /// - Parameters:
    ///   - number: what the init process announced (`FileDescriptor.nextNumber()`)
    ///   - pid: the init process's, as the host sees it
    ///   - state: the container's state (runtime.md, State), with the status `creating`
    package func forward(
        _ number: Int32, from process: borrowing FileDescriptor, pid: Int32, specVersion: String, state: JSON
    ) throws(RuntimeError) {
        let listener = try Self.take(number, from: process)
        let message = document(pid: pid, specVersion: specVersion, state: state).bytes()
        try explain("cannot hand the listener to the agent", at: "linux.seccomp.listenerPath") {
            () throws(SystemError) in
            let socket = MessageSocket(try connectUnixSocket(path))
            try socket.sendStream(message, passing: listener.rawValue)
        }
    }

    /// The listener itself, as soon as it is there.
    static func take(
        _ number: Int32, from process: borrowing FileDescriptor
    ) throws(RuntimeError) -> FileDescriptor {
        try explain(
            "cannot take the listener of the filter from the container", at: "linux.seccomp",
            hint: "this needs the right to trace the container's process (CAP_SYS_PTRACE)"
        ) { () throws(SystemError) in
            try waitForListener(number, of: process)
        }
    }

    /// The process announces its listener before the filter exists, and cannot say when it does.
    private static func waitForListener(
        _ number: Int32, of process: borrowing FileDescriptor
    ) throws(SystemError) -> FileDescriptor {
        while true {
            if let copy = try copyIfOpen(number, of: process), copy.isFilterListener() { return copy }
            if try process.waitReadable(milliseconds: 1) { throw SystemError("pidfd_getfd", "", .noSuchProcess) }
        }
    }

    private static func copyIfOpen(
        _ number: Int32, of process: borrowing FileDescriptor
    ) throws(SystemError) -> FileDescriptor? {
        do throws(SystemError) {
            return try process.copyDescriptor(number)
        } catch {
            if error.errno == .badDescriptor { return nil }
            throw error
        }
    }

    /// The container process state.
    func document(pid: Int32, specVersion: String, state: JSON) -> JSON {
        var members: [JSON.Member] = [
            .init("ociVersion", .string(specVersion)), .init("fds", .strings(["seccompFd"])),
            .init("pid", .int(Int64(pid))),
        ]
        if let metadata { members.append(.init("metadata", .string(metadata))) }
        return .object(members + [.init("state", state)])
    }
}
