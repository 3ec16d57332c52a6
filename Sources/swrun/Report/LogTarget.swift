internal import CLinux
internal import Glibc
internal import LinuxSystem

/// Where `--log` sends lines.
enum LogTarget: Equatable {
    /// Opened when there is a line to write, and not before: most commands succeed and have nothing to say.
    case file(String)
    /// The journal of systemd; the text names the sender.
    case journal(String)
    /// The system's log, also by name of the sender.
    case syslog(String)

    /// Reads `FILE`, `file:FILE`, `journald:NAME` and `syslog:NAME`, the spellings of crun.
    init(_ text: String) {
        if let name = text.after("journald:") {
            self = .journal(name.isEmpty ? "swrun" : name)
        } else if let name = text.after("syslog:") {
            self = .syslog(name.isEmpty ? "swrun" : name)
        } else {
            let path = text.after("file:") ?? text
            // Where the working directory cannot be told, the relative path is as good as any.
            self = .file((try? absolute(path)) ?? path)
        }
    }

    func write(_ line: Line, _ format: Report.Format) throws(SystemError) {
        switch self {
        case .file(let path):
            let file = try FileDescriptor.open(path, [.writeOnly, .append, .create], mode: 0o644)
            try file.write(format == .json ? line.json : line.text, subject: path)
        case .journal(let name):
            try sendDatagram(Self.journalEntry(line, from: name), to: "/run/systemd/journal/socket")
        case .syslog(let name):
            try sendDatagram(Self.syslogMessage(line, from: name), to: "/dev/log")
        }
    }

    /// The native protocol of systemd-journald: one `FIELD=value` on each line.
    static func journalEntry(_ line: Line, from name: String) -> String {
        "MESSAGE=\(escaped(line.message, quotes: false))\nPRIORITY=\(line.level.priority)\n"
            + "SYSLOG_IDENTIFIER=\(escaped(name, quotes: false))\n"
    }

    /// RFC 3164 with the facility "daemon" (3), as syslog(3) writes it; the receiver adds time and host.
    static func syslogMessage(_ line: Line, from name: String) -> String {
        "<\(3 << 3 | line.level.priority)>\(escaped(name, quotes: false))[\(getpid())]: "
            + escaped(line.message, quotes: false)
    }
}

/// Sends one datagram to a socket in the file system. A receiver that does not keep up must not hold up a container,
/// so the call does not wait.
func sendDatagram(_ text: String, to path: String) throws(SystemError) {
    let kind = Int32(SOCK_DGRAM.rawValue) | CL_O_CLOEXEC | O_NONBLOCK
    let socket = FileDescriptor(owning: try check(cl_socket(AF_UNIX, kind, 0), "socket"))
    try check(cl_connect_unix(socket.rawValue, path), "connect", path)
    try socket.write(text, subject: path)
}

extension Report.Level {
    /// The priority in the system's log, syslog(3); the graver, the smaller.
    var priority: Int32 {
        switch self {
        case .error: LOG_ERR
        case .warning: LOG_WARNING
        case .info: LOG_INFO
        case .debug: LOG_DEBUG
        }
    }
}

extension String {
    /// What follows the prefix; nil when the text does not begin with it.
    fileprivate func after(_ prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
