internal import CLinux
internal import Glibc

/// A descriptor that is waited for, and what came of it, poll(2).
package struct PollEntry: Sendable {
    package let descriptor: Int32
    fileprivate let events: Int16
    fileprivate var results: Int16 = 0

    package init(_ descriptor: Int32, readable: Bool, writable: Bool = false) {
        self.descriptor = descriptor
        events = (readable ? Int16(POLLIN) : 0) | (writable ? Int16(POLLOUT) : 0)
    }

    package var isReady: Bool { results != 0 }
    /// Whether there is something to be read: the end of the other side alone is not.
    package var isReadable: Bool { results & Int16(POLLIN) != 0 }
}

/// Waits until one of the entries is ready; false after `milliseconds` (-1: never).
@discardableResult
package func poll(_ entries: inout [PollEntry], milliseconds: Int32 = -1) throws(SystemError) -> Bool {
    var raw = entries.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) }
    let count = try checkRetrying("poll") { Int(cl_poll(&raw, UInt32(raw.count), milliseconds)) }
    for index in entries.indices { entries[index].results = raw[index].revents }
    return count > 0
}

package func setNonBlocking(_ fd: Int32) {
    let flags = Int(cl_fcntl(fd, F_GETFL, 0))
    if flags >= 0 { _ = cl_fcntl(fd, F_SETFL, flags | Int(O_NONBLOCK)) }
}

/// One read(2), waiting where the descriptor waits.
package func readBytes(_ fd: Int32, upTo count: Int) throws(SystemError) -> [UInt8] {
    try readAvailable(fd, upTo: count)
}

/// One read(2); EAGAIN when there is nothing yet.
package func readAvailable(_ fd: Int32, upTo count: Int) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let filled = try checkRetrying("read") { bytes.withUnsafeMutableBytes { Int(cl_read(fd, $0.baseAddress, count)) } }
    bytes.removeLast(count - filled)
    return bytes
}

/// One write(2) of as much as is taken now; 0 when nothing is.
package func writeAvailable(_ fd: Int32, _ bytes: [UInt8]) throws(SystemError) -> Int {
    do throws(SystemError) {
        return try checkRetrying("write") { bytes.withUnsafeBytes { Int(cl_write(fd, $0.baseAddress, $0.count)) } }
    } catch {
        guard error.errno == .tryAgain else { throw error }
        return 0
    }
}

/// Writes all of `bytes`, waiting where the other side is slow.
package func writeWhole(_ fd: Int32, _ bytes: [UInt8]) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let written = try writeAvailable(fd, Array(rest))
        rest = rest.dropFirst(written)
        guard written == 0 else { continue }
        var entries = [PollEntry(fd, readable: false, writable: true)]
        try poll(&entries)
    }
}

/// Numbers of signals that a parent process handles itself, signal(7).
package enum SignalNumber {
    package static let kill = SIGKILL
    package static let terminate = SIGTERM
    package static let child = SIGCHLD
    package static let urgent = SIGURG
    package static let pipe = SIGPIPE
    package static let windowChange = SIGWINCH
    package static let badSystemCall = SIGSYS
}

/// `pidfd_send_signal(2)`
package func signalProcess(_ pidfd: Int32, _ signal: Int32) throws(SystemError) {
    try check(Int(cl_pidfd_send_signal(pidfd, signal)), "pidfd_send_signal")
}
