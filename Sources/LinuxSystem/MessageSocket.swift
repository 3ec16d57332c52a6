internal import CLinux
internal import Glibc

/// One end of a connection that keeps messages apart (SOCK_SEQPACKET, unix(7)) and carries descriptors.
package struct MessageSocket: ~Copyable {
    package let descriptor: FileDescriptor

    package init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// `socketpair(2)`: the two ends of a new connection, as descriptors that the caller owns.
    package static func pair() throws(SystemError) -> (Int32, Int32) {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_SEQPACKET.rawValue)
        try check(Int(ends.withUnsafeMutableBufferPointer { cl_socketpair(type, $0.baseAddress) }), "socketpair")
        return (ends[0], ends[1])
    }

    /// Sends one message, and one descriptor with it where given.
    package borrowing func send(_ bytes: [UInt8], passing passed: Int32 = -1) throws(SystemError) {
        do throws(SystemError) {
            try checkRetrying("sendmsg") {
                bytes.withUnsafeBytes { cl_send(descriptor.rawValue, $0.baseAddress, $0.count, passed) }
            }
        } catch {
            // Under a filter that denies sendmsg(2): here write(2) is the same, and few filters deny it.
            guard passed < 0, error.errno == .notPermitted || error.errno == .notImplemented else { throw error }
            try descriptor.write(bytes)
        }
    }

    /// Sends one message, and `passed` with it: at most 64 descriptors.
    package borrowing func send(_ bytes: [UInt8], passing passed: [Int32]) throws(SystemError) {
        try checkRetrying("sendmsg") {
            bytes.withUnsafeBytes {
                cl_send_all(descriptor.rawValue, $0.baseAddress, $0.count, passed, UInt32(passed.count))
            }
        }
    }

    /// The next message, at most `limit` bytes and empty when the other end is closed, and the descriptors that came with
    /// it, which the caller owns.
    package borrowing func receiveWithDescriptors(
        limit: Int
    ) throws(SystemError) -> (bytes: [UInt8], descriptors: [Int32]) {
        try LinuxSystem.receiveWithDescriptors(from: descriptor.rawValue, limit: limit)
    }

    /// Sends all of `bytes` over a stream, and with its first part the descriptor.
    package borrowing func sendStream(_ bytes: [UInt8], passing passed: Int32) throws(SystemError) {
        let sent = try checkRetrying("sendmsg") {
            bytes.withUnsafeBytes { cl_send(descriptor.rawValue, $0.baseAddress, $0.count, passed) }
        }
        try descriptor.write(bytes[sent...])
    }

    /// The next message, at most `limit` bytes; empty when the other end is closed.
    package borrowing func receive(limit: Int = 8192) throws(SystemError) -> [UInt8] {
        try receiveMessage(from: descriptor.rawValue, limit: limit)
    }

    /// The next message, empty when the other end is closed, and the descriptor that came with it, which the caller owns.
    package borrowing func receiveWithDescriptor(
        limit: Int
    ) throws(SystemError) -> (bytes: [UInt8], descriptor: Int32?) {
        var passed: Int32 = -1
        let fd = descriptor.rawValue
        var space = [UInt8](repeating: 0, count: limit)
        let length = try checkRetrying("recvmsg") {
            space.withUnsafeMutableBytes { cl_receive(fd, $0.baseAddress, limit, &passed) }
        }
        space.removeLast(limit - length)
        return (space, passed < 0 ? nil : passed)
    }

    package consuming func intoDescriptor() -> FileDescriptor { descriptor }

    /// The next message and the descriptor that came with it, if one did.
    package borrowing func receiveDescriptor(limit: Int = 256) throws(SystemError) -> FileDescriptor? {
        var passed: Int32 = -1
        let fd = descriptor.rawValue
        var space = [UInt8](repeating: 0, count: limit)
        try checkRetrying("recvmsg") { space.withUnsafeMutableBytes { cl_receive(fd, $0.baseAddress, limit, &passed) } }
        return passed < 0 ? nil : FileDescriptor(owning: passed)
    }
}

/// The next message on the socket `fd`, at most `limit` bytes; empty when the other end is closed.
package func receiveMessage(from fd: Int32, limit: Int = 8192) throws(SystemError) -> [UInt8] {
    var passed: Int32 = -1
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
        var result = cl_receive(fd, buffer.baseAddress, limit, &passed)
        // A child that dies with unread messages resets the connection, which is told once, and before what it has said.
        var wasReset = false
        while result == -Int(EINTR) || (result == -Int(ECONNRESET) && !wasReset) {
            wasReset = wasReset || result == -Int(ECONNRESET)
            result = cl_receive(fd, buffer.baseAddress, limit, &passed)
        }
        if result < 0 { failure = SystemError("recvmsg", "", Errno(Int32(-result))) } else { filled = result }
    }
    if passed >= 0 { _ = cl_close(passed) }
    if let failure { throw failure }
    return bytes
}

/// The next message on the socket `fd`, at most `limit` bytes and empty when the other end is closed, and the descriptors that
/// came with it, which the caller owns.
package func receiveWithDescriptors(
    from fd: Int32, limit: Int
) throws(SystemError) -> (bytes: [UInt8], descriptors: [Int32]) {
    var count: UInt32 = 0
    var bytes = [UInt8](repeating: 0, count: limit)
    var passed = [Int32](repeating: -1, count: Int(CL_MAX_PASSED))
    let length = try checkRetrying("recvmsg") {
        bytes.withUnsafeMutableBytes { cl_receive_all(fd, $0.baseAddress, limit, &passed, &count) }
    }
    bytes.removeLast(limit - length)
    passed.removeLast(passed.count - Int(count))
    return (bytes, passed)
}

/// Connects to a stream socket in the host's file system. Paths longer than sun_path go through the directory's
/// descriptor (unix(7): "/proc/self/fd").
///
/// - Parameter nonBlocking: of the socket; a listener whose queue is full is then reported as EAGAIN
package func connectUnixSocket(_ path: String, nonBlocking: Bool = false) throws(SystemError) -> FileDescriptor {
    let flags = CL_O_CLOEXEC | (nonBlocking ? Int32(O_NONBLOCK) : 0)
    let socket = FileDescriptor(
        owning: try check(cl_socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | flags, 0), "socket"))
    guard path.utf8.count > 107 else {
        try checkRetrying("connect", path) { cl_connect_unix(socket.rawValue, path) }
        return socket
    }
    let place = try FileDescriptor.open(path, .path)
    try checkRetrying("connect", path) { cl_connect_unix(socket.rawValue, "/proc/self/fd/\(place.rawValue)") }
    return socket
}

/// A datagram socket bound to `name` in an open directory; anybody who reaches it may send.
package func bindDatagramSocket(_ name: String, in directory: borrowing FileDescriptor) throws(SystemError)
    -> FileDescriptor
{
    let socket = FileDescriptor(
        owning: try check(cl_socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | CL_O_CLOEXEC, 0), "socket"))
    try check(cl_bind_unix(socket.rawValue, "/proc/self/fd/\(directory.rawValue)/\(name)"), "bind", name)
    try check(cl_fchmodat(directory.rawValue, name, 0o777), "fchmodat", name)
    return socket
}

/// Sends one datagram to the socket at `path`, or to an abstract one ("@name").
package func sendDatagram(_ bytes: [UInt8], to path: String) throws(SystemError) {
    let socket = FileDescriptor(
        owning: try check(cl_socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | CL_O_CLOEXEC, 0), "socket"))
    try check(cl_connect_unix(socket.rawValue, path), "connect", path)
    try checkRetrying("sendmsg", path) {
        bytes.withUnsafeBytes { cl_send(socket.rawValue, $0.baseAddress, $0.count, -1) }
    }
}

/// One sendmsg(2) of as much as is taken now, 0 when nothing is; the end of the connection is EPIPE and no signal.
package func sendAvailable(_ fd: Int32, _ bytes: [UInt8]) throws(SystemError) -> Int {
    do throws(SystemError) {
        return try checkRetrying("sendmsg") { bytes.withUnsafeBytes { cl_send(fd, $0.baseAddress, $0.count, -1) } }
    } catch {
        guard error.errno == .tryAgain else { throw error }
        return 0
    }
}

/// Sends a descriptor and a name for it over a connected socket (SCM_RIGHTS, unix(7)).
package func sendDescriptor(_ descriptor: Int32, over socket: Int32, name: String) throws(SystemError) {
    let bytes = Array(name.utf8)
    try checkRetrying("sendmsg") {
        bytes.withUnsafeBytes { Int(cl_send(socket, $0.baseAddress, $0.count, descriptor)) }
    }
}
