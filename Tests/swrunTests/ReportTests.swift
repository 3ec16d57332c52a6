import ContainerRuntime
import Foundation
import LinuxSystem
import Testing

@testable import swrun

@Suite("Reports")
struct ReportTests {
    /// A report with a log in a file of its own and a stderr that can be read.
    private final class Witness {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        let stderr = Foundation.Pipe()

        init() throws { try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(at: directory) }

        var logFile: URL { directory.appending(path: "log") }

        func report(log: Bool = true, _ format: Report.Format = .json, _ level: Report.Level = .warning) -> Report {
            Report(
                log: log ? .file(logFile.path) : nil, format: format, level: level,
                stderr: stderr.fileHandleForWriting.fileDescriptor)
        }

        /// The lines of the log, in the order written.
        var logged: [String] { lines((try? Data(contentsOf: logFile)) ?? Data()) }

        /// The lines on stderr. Nothing more may be written afterwards.
        func said() throws -> [String] {
            try stderr.fileHandleForWriting.close()
            return lines(stderr.fileHandleForReading.readDataToEndOfFile())
        }

        private func lines(_ data: Data) -> [String] {
            String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }

    private func object(_ line: String) throws -> [String: String] {
        try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String])
    }

    @Test("a failing command leaves one JSON object in the log, and its words on stderr")
    func failure() throws {
        let witness = try Witness()
        let report = witness.report()
        report.warning("capability CAP_X is unknown")
        report.debug("not asked for")
        report.fail(RuntimeError("container \"a\" does not exist"))
        #expect(witness.logged.count == 1)
        let entry = try object(witness.logged[0])
        #expect(entry["level"] == "error")
        #expect(entry["msg"] == "container \"a\" does not exist")
        let time = try #require(entry["time"])
        #expect(
            try abs(Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(time).timeIntervalSinceNow) < 60)
        #expect(
            try witness.said() == [
                "swrun: warning: capability CAP_X is unknown", "swrun: container \"a\" does not exist",
            ])
    }

    @Test("a command that succeeds logs its warnings, and keeps stderr for the container")
    func success() throws {
        let witness = try Witness()
        let report = witness.report()
        report.warning("one")
        #expect(witness.logged == [])
        report.warning("two")
        report.flush()
        report.flush()
        #expect(try witness.logged.map { try object($0)["msg"] } == ["one", "two"])
        #expect(try object(witness.logged[0])["level"] == "warning")
        #expect(try witness.said() == [])
    }

    @Test("without anything to say, no log is made")
    func silence() throws {
        let witness = try Witness()
        witness.report().flush()
        #expect(!FileManager.default.fileExists(atPath: witness.logFile.path))
    }

    @Test("whoever asks for debug lines gets every line, as it happens, and the error last")
    func debug() throws {
        let witness = try Witness()
        let report = witness.report(.json, .debug)
        report.debug("first")
        #expect(witness.logged.count == 1)
        report.warning("second")
        report.fail(RuntimeError("third"))
        #expect(try witness.logged.map { try object($0)["level"] } == ["debug", "warning", "error"])
        #expect(try witness.said() == ["swrun: third"])
    }

    @Test("the level decides what is worth a line")
    func levels() throws {
        let witness = try Witness()
        let report = witness.report(log: false, .text, .error)
        report.warning("no")
        report.fail(RuntimeError("yes"))
        #expect(try witness.said() == ["swrun: yes"])
    }

    @Test("a command whose output engines parse has no line on stderr but its error")
    func parsedOutput() throws {
        let witness = try Witness()
        let report = witness.report(log: false, .text, .debug)
        report.isParsed = true
        report.warning("no")
        report.debug("no")
        report.fail(RuntimeError("yes"))
        #expect(try witness.said() == ["swrun: yes"])
    }

    @Test("JSON goes to stderr when it is asked for and no log is named")
    func jsonOnStderr() throws {
        let witness = try Witness()
        witness.report(log: false, .json).fail(RuntimeError("no"))
        let said = try witness.said()
        #expect(said.count == 1)
        #expect(try object(said[0])["msg"] == "no")
    }

    @Test("a log that cannot be written hides no error")
    func unwritableLog() throws {
        let witness = try Witness()
        let report = Report(
            log: .file("/nonexistent/log"), format: .json, level: .warning,
            stderr: witness.stderr.fileHandleForWriting.fileDescriptor)
        report.fail(RuntimeError("what happened"))
        #expect(
            try witness.said() == [
                "swrun: warning: cannot write to the log: open /nonexistent/log: no such file or directory",
                "swrun: what happened",
            ])
    }

    @Test("lines are added to a log that exists")
    func appending() throws {
        let witness = try Witness()
        try Data("before\n".utf8).write(to: witness.logFile)
        witness.report(.text).fail(RuntimeError("after"))
        #expect(witness.logged.count == 2)
        #expect(witness.logged[0] == "before")
        #expect(witness.logged[1].hasSuffix(" level=error msg=\"after\""))
    }

    @Test(
        "hostile text stays one line, and valid JSON that gives it back",
        arguments: [
            "two\nlines\r\n", "quote \" backslash \\ \\n", "\u{1b}[31mred\u{7}", "\u{0}\u{1f}\u{7f}\u{9b}",
            "\u{2028}\u{202e}x",
            "tab\tü€😀", "", String(decoding: [0x61, 0xff, 0xc0, 0x62] as [UInt8], as: UTF8.self),
        ])
    func hostile(text: String) throws {
        let line = Line(level: .error, message: text)
        #expect(try object(line.json)["msg"] == text)
        for form in [line.json, line.text, line.plain] {
            #expect(form.hasSuffix("\n"))
            for scalar in form.unicodeScalars.dropLast() {
                #expect(scalar.value >= 0x20 && !(0x7f...0x9f).contains(scalar.value) && scalar != "\u{2028}")
            }
        }
    }

    @Test(
        "times are RFC 3339 in UTC with nanoseconds",
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000000000Z"), (951_782_400, 5, "2000-02-29T00:00:00.000000005Z"),
            (1_785_542_400, 999_999_999, "2026-08-01T00:00:00.999999999Z"),
            (4_102_444_799, 10, "2099-12-31T23:59:59.000000010Z"),
        ])
    func times(seconds: Int, nanoseconds: Int, text: String) {
        let time = timespec(tv_sec: seconds, tv_nsec: nanoseconds)
        #expect(Line(level: .error, message: "", time: time).timestamp == text)
    }

    @Test("a log is named as a file, plainly or with file:, or as a log of the system")
    func targets() {
        #expect(LogTarget("/var/log/x") == .file("/var/log/x"))
        #expect(LogTarget("file:/var/log/x") == .file("/var/log/x"))
        #expect(LogTarget("x") == .file(FileManager.default.currentDirectoryPath + "/x"))
        #expect(LogTarget("journald:web") == .journal("web"))
        #expect(LogTarget("syslog:") == .syslog("swrun"))
    }

    @Test("the system's logs get one datagram in their own form")
    func datagrams() throws {
        let line = Line(level: .error, message: "a\nPRIORITY=0")
        #expect(
            LogTarget.journalEntry(line, from: "web") == "MESSAGE=a\\nPRIORITY=0\nPRIORITY=3\nSYSLOG_IDENTIFIER=web\n")
        #expect(LogTarget.syslogMessage(line, from: "web") == "<27>web[\(getpid())]: a\\nPRIORITY=0")

        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer {
            close(receiver)
            unlink(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8) + [0]) }
        let bound = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(receiver, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        try sendDatagram("<27>web: hello", to: path)
        var buffer = [UInt8](repeating: 0, count: 100)
        let count = recv(receiver, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self) == "<27>web: hello")
    }
}
