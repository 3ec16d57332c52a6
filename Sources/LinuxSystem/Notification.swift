internal import CLinux
internal import Glibc

extension FileDescriptor {
    /// `eventfd(2)`: a counter that somebody else adds to; not blocking.
    package static func eventCounter() throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try check(cl_eventfd(0, CL_O_CLOEXEC | O_NONBLOCK), "eventfd"))
    }

    /// What was added since the last call, 0 when nothing was.
    package borrowing func takeEvents() throws(SystemError) -> UInt64 {
        var count: UInt64 = 0
        let result = cl_read(rawValue, &count, MemoryLayout<UInt64>.size)
        if result == -Int(EAGAIN) { return 0 }
        try check(result, "read", "eventfd")
        return count
    }

    /// `inotify(7)`: readable once one of `files` has been written to; not blocking.
    package static func modifications(of files: [String]) throws(SystemError) -> FileDescriptor {
        let watch = FileDescriptor(owning: try check(cl_inotify_init(CL_O_CLOEXEC | O_NONBLOCK), "inotify_init1"))
        for file in files {
            try check(cl_inotify_add_watch(watch.rawValue, file, UInt32(IN_MODIFY)), "inotify_add_watch", file)
        }
        return watch
    }

    /// Forgets which modifications there were; what matters is in the files.
    package borrowing func discardModifications() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let fd = rawValue
        while buffer.withUnsafeMutableBytes({ cl_read(fd, $0.baseAddress, $0.count) }) > 0 {}
    }
}
