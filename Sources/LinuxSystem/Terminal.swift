internal import CLinux
internal import Glibc

/// How many characters a line of the terminal has; nil when it does not know, or is none.
package func terminalColumns(_ fd: Int32) -> Int? {
    let columns = Int(cl_terminal_columns(fd))
    return columns > 0 ? columns : nil
}

/// A pseudoterminal, pty(7): the end that a person or an engine holds, and the end that the process sees.
package struct Terminal: ~Copyable {
    package let master: FileDescriptor
    package let slave: FileDescriptor

    /// Opens a new pair on an already opened multiplexer (`/dev/ptmx` or `/dev/pts/ptmx`). The slave is opened through
    /// the master (TIOCGPTPEER), so no path that somebody could have replaced is involved.
    package init(multiplexer: consuming FileDescriptor) throws(SystemError) {
        try check(cl_terminal_unlock(multiplexer.rawValue), "ioctl", "TIOCSPTLCK")
        let peer = try check(
            cl_terminal_open_peer(multiplexer.rawValue, O_RDWR | O_NOCTTY | CL_O_CLOEXEC), "ioctl", "TIOCGPTPEER")
        slave = FileDescriptor(owning: peer)
        master = multiplexer
    }

    /// The N of /dev/pts/N.
    package borrowing func number() throws(SystemError) -> Int {
        try check(cl_terminal_number(master.rawValue), "ioctl", "TIOCGPTN")
    }
}

extension FileDescriptor {
    /// The window size in characters, ioctl_tty(2).
    package borrowing func setTerminalSize(rows: UInt16, columns: UInt16) throws(SystemError) {
        try check(cl_terminal_set_size(rawValue, rows, columns), "ioctl", "TIOCSWINSZ")
    }

    package borrowing func makeControllingTerminal() throws(SystemError) {
        try check(cl_terminal_make_controlling(rawValue), "ioctl", "TIOCSCTTY")
    }
}

package func isTerminal(_ fd: Int32) -> Bool { isatty(fd) == 1 }

/// Gives `to` the window size of `from`; nothing happens when either is no terminal.
package func copyTerminalSize(from: Int32, to: Int32) { _ = cl_terminal_copy_size(from, to) }

private func terminalAttributes(_ fd: Int32) throws(SystemError) -> termios {
    var attributes = termios()
    try check(cl_terminal_get(fd, &attributes), "tcgetattr")
    return attributes
}

/// A terminal switched to raw mode (cfmakeraw(3)) until this value goes away.
package struct RawTerminalMode: ~Copyable {
    private let fd: Int32
    private let original: termios

    package init(_ fd: Int32) throws(SystemError) {
        original = try terminalAttributes(fd)
        self.fd = fd
        var attributes = original
        cl_terminal_make_raw(&attributes)
        _ = cl_terminal_set(fd, &attributes)
    }

    deinit {
        var attributes = original
        _ = cl_terminal_set(fd, &attributes)
    }
}
