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

/// `pipe2(2)`, both ends close-on-exec and owned by nobody.
package func pipeEnds() throws(SystemError) -> (read: Int32, write: Int32) { try makePipe() }

private func makePipe() throws(SystemError) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    try check(Int(ends.withUnsafeMutableBufferPointer { cl_pipe2($0.baseAddress, CL_O_CLOEXEC) }), "pipe2")
    return (ends[0], ends[1])
}

/// `close(2)` of a descriptor that nobody owns.
package func closeDescriptor(_ number: Int32) { _ = cl_close(number) }

/// Closes a descriptor here rather than at the end of a scope.
package func closeNow(_ descriptor: consuming FileDescriptor) {}
