internal import CLinux
internal import Glibc

/// `pipe2(2)`, both ends close-on-exec.
package struct Pipe: ~Copyable {
    package let read: FileDescriptor
    package let write: FileDescriptor

    package init() throws(SystemError) {
        let ends = try makePipe()
        read = FileDescriptor(owning: ends.read)
        write = FileDescriptor(owning: ends.write)
    }

    /// Keeps the reading end, closes the other.
    package consuming func reader() -> FileDescriptor { read }

    /// Keeps the writing end, closes the other.
    package consuming func writer() -> FileDescriptor { write }
}

private func makePipe() throws(SystemError) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    try check(Int(ends.withUnsafeMutableBufferPointer { cl_pipe2($0.baseAddress, CL_O_CLOEXEC) }), "pipe2")
    return (ends[0], ends[1])
}

/// Closes a descriptor here rather than at the end of a scope.
package func closeNow(_ descriptor: consuming FileDescriptor) {}

/// CLOCK_MONOTONIC in milliseconds.
package func monotonicMilliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}

/// The wall clock, as RFC 3339 in UTC with nanoseconds ("2026-01-31T12:00:00.000000001Z").
package func currentTimestamp() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    var parts = tm()
    var seconds = now.tv_sec
    gmtime_r(&seconds, &parts)
    func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    let date = "\(padded(Int(parts.tm_year) + 1900, 4))-\(padded(Int(parts.tm_mon) + 1, 2))-\(padded(Int(parts.tm_mday), 2))"
    let time = "\(padded(Int(parts.tm_hour), 2)):\(padded(Int(parts.tm_min), 2)):\(padded(Int(parts.tm_sec), 2))"
    return "\(date)T\(time).\(padded(now.tv_nsec, 9))Z"
}
