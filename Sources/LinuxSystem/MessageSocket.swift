internal import CLinux
internal import Glibc

/// One end of a connection that keeps messages apart (SOCK_SEQPACKET, unix(7)) and carries descriptors.
package struct MessageSocket: ~Copyable {
    package let descriptor: FileDescriptor

    package init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    package static func pair() throws(SystemError) -> MessageSocketPair {
        var ends: (Int32, Int32) = (-1, -1)
        try withUnsafeMutablePointer(to: &ends) { pointer throws(SystemError) in
            try pointer.withMemoryRebound(to: Int32.self, capacity: 2) { fds throws(SystemError) in
                _ = try check(cl_socketpair(Int32(SOCK_SEQPACKET.rawValue), fds), "socketpair")
            }
        }
        return MessageSocketPair(
            first: MessageSocket(FileDescriptor(owning: ends.0)), second: MessageSocket(FileDescriptor(owning: ends.1)))
    }

    /// Sends one message, and one descriptor with it where given.
    package borrowing func send(_ bytes: [UInt8], passing passed: Int32 = -1) throws(SystemError) {
        try checkRetrying("sendmsg") { bytes.withUnsafeBytes { cl_send(descriptor.rawValue, $0.baseAddress, $0.count, passed) } }
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
        let fd = descriptor.rawValue
        var passed: Int32 = -1
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
            var result = cl_receive(fd, buffer.baseAddress, limit, &passed)
            while result == -Int(EINTR) { result = cl_receive(fd, buffer.baseAddress, limit, &passed) }
            if result < 0 { failure = SystemError("recvmsg", "", Errno(Int32(-result))) } else { filled = result }
        }
        if passed >= 0 { _ = cl_close(passed) }
        // A child that dies with unread messages resets the connection; for the reader that is its end.
        if let failure, failure.errno == Errno(ECONNRESET) { return [] }
        if let failure { throw failure }
        return bytes
    }

    /// The next message and the descriptor that came with it, if one did.
    package borrowing func receiveDescriptor(limit: Int = 256) throws(SystemError) -> FileDescriptor? {
        var passed: Int32 = -1
        let fd = descriptor.rawValue
        var space = [UInt8](repeating: 0, count: limit)
        try checkRetrying("recvmsg") { space.withUnsafeMutableBytes { cl_receive(fd, $0.baseAddress, limit, &passed) } }
        return passed < 0 ? nil : FileDescriptor(owning: passed)
    }
}

package struct MessageSocketPair: ~Copyable {
    package let first: MessageSocket
    package let second: MessageSocket

    package consuming func split() -> (Int32, Int32) {
        (first.descriptor.rawValue, second.descriptor.rawValue)
    }
}

/// Connects to a stream socket in the host's file system. Paths longer than sun_path go through the directory's
/// descriptor (unix(7): "/proc/self/fd").
package func connectUnixSocket(_ path: String) throws(SystemError) -> FileDescriptor {
    let socket = FileDescriptor(
        owning: try check(
            cl_socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | CL_O_CLOEXEC, 0), "socket"))
    guard path.utf8.count > 107 else {
        try checkRetrying("connect", path) { cl_connect_unix(socket.rawValue, path) }
        return socket
    }
    let place = try FileDescriptor.open(path, .path)
    try checkRetrying("connect", path) { cl_connect_unix(socket.rawValue, "/proc/self/fd/\(place.rawValue)") }
    return socket
}
