internal import CLinux
internal import Glibc

// Moving many bytes through buffers that are made once.

/// One read(2) into `buffer`; 0 at the end of the file.
package func read(_ fd: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    try checkRetrying("read") { cl_read(fd, buffer.baseAddress, buffer.count) }
}

/// As many write(2) as it takes.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to fd: Int32) throws(SystemError) {
    var written = 0
    while written < bytes.count {
        let start = written
        written += try checkRetrying("write") { cl_write(fd, bytes.baseAddress! + start, bytes.count - start) }
    }
}

package func writeAll(_ bytes: [UInt8], to fd: Int32) throws(SystemError) {
    var failure: SystemError?
    bytes.withUnsafeBytes { buffer in
        do throws(SystemError) { try writeAll(buffer, to: fd) } catch { failure = error }
    }
    if let failure { throw failure }
}

/// As many pwrite(2) as it takes.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to fd: Int32, at offset: Int64) throws(SystemError) {
    var written = 0
    while written < bytes.count {
        let start = written
        written += try checkRetrying("pwrite") {
            cl_pwrite(fd, bytes.baseAddress! + start, bytes.count - start, offset + Int64(start))
        }
    }
}

extension FileDescriptor {
    package borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        try LinuxSystem.read(rawValue, into: buffer)
    }

    /// How much a pipe holds, fcntl(2) F_SETPIPE_SZ. A user may have too many pipes already; then it stays as it is.
    package borrowing func setPipeCapacity(_ count: Int) {
        let setPipeSize: Int32 = 1031
        _ = cl_fcntl(rawValue, setPipeSize, count)
    }
}

/// Where the next read(2) or write(2) of an open file takes place. ESPIPE for a pipe.
package func filePosition(_ fd: Int32) throws(SystemError) -> Int64 {
    Int64(try check(cl_lseek(fd, 0, SEEK_CUR), "lseek"))
}

package func seek(_ fd: Int32, to offset: Int64) throws(SystemError) {
    try check(cl_lseek(fd, offset, SEEK_SET), "lseek")
}

/// One pread(2) into `buffer`; 0 at the end of the file.
package func readOnce(
    _ fd: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
) throws(SystemError) -> Int {
    try checkRetrying("pread") { Int(cl_pread(fd, buffer.baseAddress, buffer.count, Int(offset))) }
}

/// The bytes at `offset`, fewer at the end of the file: as many pread(2) as it takes.
package func readBytes(_ fd: Int32, at offset: Int64, upTo count: Int) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        do throws(SystemError) {
            while filled < count {
                let rest = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[filled..<count])
                let more = try readOnce(fd, into: rest, at: offset + Int64(filled))
                if more == 0 { return }
                filled += more
            }
        } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return bytes
}

/// `mkdir(2)` of a path of the host.
package func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) {
    try check(Int(cl_mkdirat(CL_AT_FDCWD, path, mode)), "mkdir", path)
}

/// `rmdir(2)` of a path of the host.
package func removeDirectory(_ path: String) throws(SystemError) {
    try check(Int(cl_unlinkat(CL_AT_FDCWD, path, CL_AT_REMOVEDIR)), "rmdir", path)
}
