internal import CLinux
internal import Glibc

/// A child that `clone` made: its number as this process sees it, and a descriptor that stands for it even after the
/// number was given to somebody else (pidfd_open(2)).
package struct ChildProcess: ~Copyable {
    package let pid: Int32
    package let pidfd: FileDescriptor

    package init(pid: Int32, pidfd: consuming FileDescriptor) {
        self.pid = pid
        self.pidfd = pidfd
    }

    package consuming func intoPidfd() -> FileDescriptor { pidfd }

    /// Ends it, wherever it is, and waits for that.
    package borrowing func kill() {
        try? pidfd.signal(SIGKILL)
        _ = try? waitForEnd(of: pid)
    }
}

package enum CloneResult: ~Copyable {
    case parent(ChildProcess)
    case child
}

/// `clone3(2)`: a new process with new namespaces, on a copy of this one's memory. The process has one thread, so the
/// child may go on in Swift; it must end in `execve` or `exitNow`, because nobody unwinds it. It ignores no signal: what
/// whoever started the runtime has left ignored would stay so over execve(2).
///
/// - Parameter intoCgroup: a cgroup v2 directory in which the child is born, or nil.
package func clone(
    _ namespaces: NamespaceFlags = .none, intoCgroup: Int32? = nil, asSibling: Bool = false
) throws(SystemError) -> CloneResult {
    var pidfd: Int32 = -1
    let flags = namespaces.rawValue | CL_CLONE_CLEAR_SIGHAND | (asSibling ? CL_CLONE_PARENT : 0)
    let pid = try check(cl_clone3(flags, &pidfd, intoCgroup ?? -1), "clone3")
    if pid == 0 { return .child }
    return .parent(ChildProcess(pid: Int32(pid), pidfd: FileDescriptor(owning: pidfd)))
}

/// `clone` for a process that helps this one: it ends when this one does, at whatever moment that is.
///
/// - Parameter signal: what the helper gets then
package func cloneHelper(_ namespaces: NamespaceFlags = .none, signal: Int32 = SIGKILL) throws(SystemError)
    -> CloneResult
{
    let parent = currentProcessID()
    switch try clone(namespaces) {
    case .child:
        try? dieWithParent(signal: signal)
        // It may have died before, and somebody else is the parent now.
        if getppid() != parent { exitNow(1) }
        return .child
    case .parent(let child): return .parent(child)
    }
}

/// Makes a process by way of one in between that shares this one's memory: nothing is copied for it, and this process waits
/// until it has ended.
///
/// - Parameter body: called in the process in between. It changes that process as it likes, and what it writes to memory
///   stays written. Returns false there, and true in a child that it has made with `clone`.
/// - Returns: false to this process, and true to that child, to which it looks as if it had been made here.
package func cloneByWay(of body: @escaping () -> Bool) throws(SystemError) -> Bool {
    var body = body
    let pid = withUnsafeMutablePointer(to: &body) { context in
        cl_run_sharing_memory(
            { $0!.assumingMemoryBound(to: (() -> Bool).self).pointee() ? CL_RUN_IS_COPY : 0 }, context)
    }
    try check(pid, "clone")
    if pid == 0 { return true }
    try waitForEnd(of: Int32(pid))
    return false
}

/// Ends this process at once: no destructors, no buffers, no handlers.
package func exitNow(_ status: Int32) -> Never {
    _exit(status)
}

/// How a process ended, and the exit status that a shell would report for it (128 + signal).
package enum ProcessEnd: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)

    package init(waitStatus: Int32) {
        self =
            cl_wifsignaled(waitStatus) != 0
            ? .killed(signal: cl_wtermsig(waitStatus)) : .exited(cl_wexitstatus(waitStatus))
    }

    package var shellStatus: Int32 {
        switch self {
        case .exited(let status): status
        case .killed(let signal): 128 + signal
        }
    }
}

/// Waits until the child `pid` has ended.
@discardableResult
package func waitForEnd(of pid: Int32) throws(SystemError) -> ProcessEnd {
    var status: Int32 = 0
    try checkRetrying("wait4") { cl_wait4(pid, &status, 0) }
    return ProcessEnd(waitStatus: status)
}

/// Collects one child that has ended, any if `pid` is -1; nil when none has.
package func collectEnded(_ pid: Int32 = -1) -> (pid: Int32, end: ProcessEnd)? {
    var status: Int32 = 0
    let result = cl_wait4(pid, &status, WNOHANG)
    return result > 0 ? (Int32(result), ProcessEnd(waitStatus: status)) : nil
}

package func sendSignal(_ signal: Int32, to pid: Int32) throws(SystemError) {
    try check(cl_kill(pid, signal), "kill")
}

extension FileDescriptor {
    /// `pidfd_open(2)`; ESRCH when there is no such process.
    package static func process(_ pid: Int32) throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try check(cl_pidfd_open(pid, 0), "pidfd_open"))
    }

    /// `pidfd_send_signal(2)`
    package borrowing func signal(_ signal: Int32) throws(SystemError) {
        try check(cl_pidfd_send_signal(rawValue, signal), "pidfd_send_signal")
    }

    /// Waits until the descriptor can be read (for a pidfd: until the process has ended); false after `milliseconds`
    /// (-1: forever).
    package borrowing func waitReadable(milliseconds: Int32 = -1) throws(SystemError) -> Bool {
        var entry = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
        return try checkRetrying("poll") { cl_poll(&entry, 1, milliseconds) } > 0
    }
}

/// A list of C strings ending in a null pointer, as execve(2) takes it. Made once, never freed: the process it is for
/// is about to be replaced.
package struct CStringVector: @unchecked Sendable {
    package let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    package init(_ strings: [String]) {
        pointer = .allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { pointer[index] = strdup(string) }
        pointer[strings.count] = nil
    }
}

/// `execve(2)`; it returns only when it fails.
package func execute(_ path: String, _ arguments: CStringVector, _ environment: CStringVector) -> SystemError {
    let result = cl_execve(path, arguments.pointer, environment.pointer)
    return SystemError("execve", path, Errno(Int32(-result)))
}

/// Waits until `first` can be read (or is closed at its other end) or `second` can (a pidfd: the process has ended); true in
/// the latter case.
package func waitForEither(
    _ first: Int32, _ second: Int32
) throws(SystemError) -> Bool {
    var entries = [
        pollfd(fd: first, events: Int16(POLLIN), revents: 0),
        pollfd(fd: second, events: Int16(POLLIN), revents: 0),
    ]
    try checkRetrying("poll") { cl_poll(&entries, 2, -1) }
    return entries[1].revents != 0
}

/// Waits until one of three descriptors can be read or `milliseconds` are over; true when the second can.
package func waitForEither(
    _ first: Int32, _ second: Int32, _ third: Int32, milliseconds: Int32
) throws(SystemError) -> Bool {
    var entries = [first, second, third].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    try checkRetrying("poll") { cl_poll(&entries, 3, milliseconds) }
    return entries[1].revents != 0
}

/// Field 22 of /proc/PID/stat, in clock ticks since boot; nil when the process does not exist or has ended.
package func processStartTime(_ pid: Int32) -> UInt64? {
    guard let bytes = try? readFile("/proc/\(pid)/stat", limit: 4096) else { return nil }
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    guard let close = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    var fields = Fields(bytes[min(close + 2, bytes.endIndex)...])
    let space = UInt8(ascii: " ")
    guard let state = fields.next(space)?.first, state != UInt8(ascii: "Z"), state != UInt8(ascii: "X") else {
        return nil
    }
    for _ in 4..<22 where fields.next(space) == nil { return nil }
    return fields.next(space).flatMap { UInt64(String(decoding: $0, as: UTF8.self)) }
}
