internal import ContainerRuntime
internal import LinuxSystem

/// What swrun says about itself: errors, warnings, debug lines. They go to the log that `--log` names and to stderr,
/// where engines read them:
///
/// - An error goes to both, one line each. podman reads the whole log as one JSON object, so by default a failing
///   command writes exactly that one line: warnings wait for the command's success and go to stderr when it fails.
/// - Warnings and debug lines go to the log alone when there is one, for the stderr of `create` and `run` is the
///   container's. Without a log they go to stderr, except from commands whose output engines parse.
/// - Whoever asks for debug or info lines gets every line in the log as it happens: containerd, which has the switch
///   for it, reads the last error of many lines.
final class Report {
    enum Level: String, Comparable {
        case error, warning, info, debug

        static func < (left: Level, right: Level) -> Bool { left.priority < right.priority }
    }

    enum Format { case text, json }

    private let log: LogTarget?
    private let format: Format
    private let level: Level
    /// No line but errors on stderr: engines parse this command's output.
    var isParsed = false
    private var waiting: [Line] = []
    /// The command has done what may fail; nothing is held back any more.
    private var hasStarted = false
    /// The descriptor of stderr; tests read another.
    private let stderr: Int32

    init(log: LogTarget?, format: Format, level: Level, stderr: Int32 = 2) {
        self.stderr = stderr
        self.log = log
        self.format = format
        self.level = level
    }

    /// As the global options say; options that are not valid count as not given, so that their error can be reported.
    convenience init(_ arguments: Arguments) {
        self.init(
            log: arguments[.log].map(LogTarget.init),
            format: arguments[.logFormat] == "json" ? .json : .text,
            level: arguments.has(.debug) ? .debug : arguments[.logLevel].flatMap(Level.init) ?? .warning)
    }

    /// The message is computed only when somebody wants to read it.
    func debug(_ message: @autoclosure () -> String) { note(.debug, message) }

    func info(_ message: @autoclosure () -> String) { note(.info, message) }

    func warning(_ message: @autoclosure () -> String) { note(.warning, message) }

    /// Something that the user has asked to be told, which is neither debugging nor a warning.
    func tell(_ message: String) {
        let line = Line(level: .info, message: message)
        if log != nil { writeToLog(line) }
        sayOnStderr(line)
    }

    private func note(_ lineLevel: Level, _ message: () -> String) {
        guard lineLevel <= level else { return }
        let line = Line(level: lineLevel, message: message())
        if log == nil {
            if !isParsed { sayOnStderr(line) }
        } else if level > .warning || hasStarted {
            writeToLog(line)
        } else {
            waiting.append(line)
        }
    }

    /// The command has done its work: warnings held back go to the log. A command that goes on for long, such as
    /// `run` in the foreground, calls this when the container has started.
    func flush() {
        hasStarted = true
        for line in waiting { writeToLog(line) }
        waiting = []
    }

    /// The command has failed.
    func fail(_ error: RuntimeError) {
        if !isParsed { for line in waiting { sayOnStderr(line) } }
        waiting = []
        let line = Line(level: .error, message: error.message)
        if log != nil { writeToLog(line) }
        sayOnStderr(line)
    }

    private func writeToLog(_ line: Line) {
        guard let log else { return }
        do throws(SystemError) {
            try log.write(line, format)
        } catch {
            sayOnStderr(Line(level: .warning, message: "cannot write to the log: \(error.text)"))
        }
    }

    /// JSON on stderr is for those who ask for it and name no log, as with runc; else a line for people.
    private func sayOnStderr(_ line: Line) {
        var text = log == nil && format == .json ? line.json : line.plain
        // In the foreground the terminal may be in raw mode, where a line feed alone does not go back to the margin.
        if hasStarted, isTerminal(stderr) { text = text.dropLast() + "\r\n" }
        // Nobody is left to hear that stderr fails.
        try? write(text, to: stderr)
    }
}
