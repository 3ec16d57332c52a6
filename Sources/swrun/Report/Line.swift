internal import Glibc

/// One line of a log, in its forms.
struct Line {
    let level: Report.Level
    let message: String
    private let time: timespec

    init(level: Report.Level, message: String) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        self.init(level: level, message: message, time: now)
    }

    init(level: Report.Level, message: String, time: timespec) {
        self.level = level
        self.message = message
        self.time = time
    }

    /// For people: `swrun: message`, `swrun: warning: message`.
    var plain: String {
        let kind = level == .error ? "" : level.rawValue + ": "
        return "swrun: " + kind + escaped(message, quotes: false) + "\n"
    }

    /// The text form of the log, as runc writes it.
    var text: String {
        #"time="\#(timestamp)" level=\#(level.rawValue) msg="\#(escaped(message, quotes: true))""# + "\n"
    }

    /// The JSON form of the log, as runc writes it and podman and containerd read it.
    var json: String {
        #"{"level":"\#(level.rawValue)","msg":"\#(escaped(message, quotes: true))","time":"\#(timestamp)"}"# + "\n"
    }

    /// The time in UTC as RFC 3339 has it, with nanoseconds.
    var timestamp: String {
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        let day = "\(digits(parts.tm_year + 1900, 4))-\(digits(parts.tm_mon + 1, 2))-\(digits(parts.tm_mday, 2))"
        let clock = "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))"
        return "\(day)T\(clock).\(digits(time.tv_nsec, 9))Z"
    }

    private func digits(_ number: some BinaryInteger, _ width: Int) -> String {
        let text = String(Int(number))
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}

/// The text on one line and without control characters, which a message may have from a file name or a config.json:
/// they could forge a second line of the log, or steer the terminal of who reads it. Control characters, the Unicode
/// line ends and the marks that turn the direction of text become `\n` or `\u001b` as in JSON. With `quotes`, `"` and
/// `\` are escaped too.
func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case "\"" where quotes, "\\" where quotes:
            result.unicodeScalars.append("\\")
            result.unicodeScalars.append(scalar)
        case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}"..."\u{202e}", "\u{2066}"..."\u{2069}":
            let hexadecimal = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - hexadecimal.utf8.count) + hexadecimal
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
