internal import CLinux
internal import Glibc

/// A system call that waits for the answer of whoever holds the filter's listener (`struct seccomp_notif`,
/// linux/seccomp.h).
package struct SystemCallNotification: Equatable, Sendable {
    package let id: UInt64
    /// The thread that makes the call, in the listener's pid namespace; 0 when it is not visible there.
    package let thread: Int32
    package let call: SystemCall

    package init(id: UInt64, thread: Int32, call: SystemCall) {
        self.id = id
        self.thread = thread
        self.call = call
    }
}

/// What a filter is asked about (`struct seccomp_data`).
package struct SystemCall: Equatable, Sendable {
    package var number: UInt32
    /// AUDIT_ARCH_* (linux/audit.h)
    package var architecture: UInt32
    package var instructionPointer: UInt64
    /// Six.
    package var arguments: [UInt64]

    package init(number: UInt32, architecture: UInt32, instructionPointer: UInt64 = 0, arguments: [UInt64] = []) {
        self.number = number
        self.architecture = architecture
        self.instructionPointer = instructionPointer
        self.arguments = arguments
    }
}

/// Takes the notifications of one listener, one after another, into the same memory.
package struct NotificationReader: ~Copyable {
    private let buffer: UnsafeMutableRawBufferPointer

    package init() throws(SystemError) {
        var sizes: [UInt16] = [0, 0, 0]
        try check(cl_seccomp_notification_sizes(&sizes), "seccomp", "SECCOMP_GET_NOTIF_SIZES")
        // What a later kernel adds comes behind what is known here.
        let size = max(Int(sizes[0]), 80)
        buffer = .allocate(byteCount: size, alignment: 8)
    }

    deinit { buffer.deallocate() }

    /// The next notification; nil when its caller was killed meanwhile. Call it when the listener is readable, for
    /// otherwise it waits.
    package borrowing func next(from listener: Int32) throws(SystemError) -> SystemCallNotification? {
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        let result = cl_seccomp_receive(listener, buffer.baseAddress)
        if result == -Int(ENOENT) || result == -Int(EINTR) { return nil }
        try check(result, "ioctl", "SECCOMP_IOCTL_NOTIF_RECV")
        // id 8, pid 4, flags 4, then seccomp_data: number 4, architecture 4, instruction pointer 8, arguments 6 * 8
        let arguments = (0..<6).map { buffer.load(fromByteOffset: 32 + 8 * $0, as: UInt64.self) }
        return SystemCallNotification(
            id: buffer.load(as: UInt64.self), thread: buffer.load(fromByteOffset: 8, as: Int32.self),
            call: SystemCall(
                number: buffer.load(fromByteOffset: 16, as: UInt32.self),
                architecture: buffer.load(fromByteOffset: 20, as: UInt32.self),
                instructionPointer: buffer.load(fromByteOffset: 24, as: UInt64.self), arguments: arguments))
    }
}

/// The kernel goes on with the call as if there were no filter.
package func letProceed(_ notification: SystemCallNotification, by listener: Int32) throws(SystemError) {
    try answer(notification, 0, listener)
}

/// The call is not made and fails with `errno`.
package func fail(
    _ notification: SystemCallNotification, with errno: Errno, by listener: Int32
) throws(SystemError) {
    try answer(notification, errno.code, listener)
}

private func answer(_ notification: SystemCallNotification, _ error: Int32, _ listener: Int32) throws(SystemError) {
    let result = cl_seccomp_answer(listener, notification.id, error)
    // The caller was killed, or a signal took it out of the call, which it then makes again.
    if result == -Int(ENOENT) { return }
    try check(result, "ioctl", "SECCOMP_IOCTL_NOTIF_SEND")
}

/// Whether the caller still waits. Only then is what was read from its /proc entry its own, and not that of a later
/// process with the same number.
package func isWaiting(_ notification: SystemCallNotification, at listener: Int32) -> Bool {
    cl_seccomp_id_valid(listener, notification.id) == 0
}

extension FileDescriptor {
    /// On a listener: whoever is woken runs where the other one ran, which saves both a trip between processors.
    /// Kernels before 6.6 do without.
    package borrowing func wakeSynchronously() { _ = cl_seccomp_wake_synchronously(rawValue) }
}

/// Sends a signal to one thread, tkill(2). While it waits for an answer, its number is not given to another one.
package func signalThread(_ thread: Int32, _ signal: Int32) throws(SystemError) {
    try check(cl_tkill(thread, signal), "tkill")
}

/// Memory of another process from `address` on, at most `count` bytes (proc_pid_mem(5)); nil when it cannot be read.
package func readMemory(of process: Int32, at address: UInt64, upTo count: Int) -> [UInt8]? {
    guard let offset = Int(exactly: address),
        let memory = try? FileDescriptor.open("/proc/\(process)/mem", .readOnly)
    else { return nil }
    // A page at a time: the next one need not be there.
    var bytes: [UInt8] = []
    while bytes.count < count {
        let at = offset + bytes.count
        let part = min(count - bytes.count, 4096 - at % 4096)
        var chunk = [UInt8](repeating: 0, count: part)
        let filled = chunk.withUnsafeMutableBytes { cl_pread(memory.rawValue, $0.baseAddress, part, at) }
        if filled <= 0 { break }
        bytes += chunk.prefix(Int(filled))
        if chunk.prefix(Int(filled)).contains(0) { break }
    }
    return bytes.isEmpty ? nil : bytes
}
