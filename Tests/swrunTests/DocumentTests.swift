import Foundation
import Testing

@testable import swrun

@Suite("Help and the manual page")
struct DocumentTests {
    @Test("help fits a terminal of 80 columns and names every option that is not hidden", arguments: Verb.allCases)
    func help(verb: Verb) {
        let text = Help.text(of: verb.command)
        #expect(text.hasPrefix("Usage: swrun \(verb.rawValue)"))
        for option in verb.command.options { #expect(text.contains("\(option.dashed) ") != option.isHidden) }
        checkWidth(text)
    }

    @Test("the overview fits too and names every command and every global option")
    func overview() {
        for verb in Verb.allCases { #expect(Help.overview.contains("\n  \(verb.rawValue) ")) }
        for option in GlobalOptions.table { #expect(Help.overview.contains(" \(option.dashed) ")) }
        checkWidth(Help.overview)
    }

    private func checkWidth(_ text: String) {
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    @Test("the manual page names every command and every option that is not hidden")
    func manualPage() {
        for verb in Verb.allCases {
            #expect(ManualPage.text.contains("\n.Ss \(verb.rawValue)\n"))
            for option in verb.command.options where !option.isHidden {
                #expect(
                    ManualPage.text.contains(
                        "Fl -" + option.name.description.replacingOccurrences(of: "-", with: "\\-")))
            }
        }
    }

    @Test("man accepts the manual page without a warning", .enabled(if: isInstalled("man")))
    func man() throws {
        let result = try run("man --warnings -l - > /dev/null", input: ManualPage.text)
        #expect(result.stderr == "")
        #expect(result.status == 0)
    }

    @Test("mandoc accepts the manual page without a warning", .enabled(if: isInstalled("mandoc")))
    func mandoc() throws {
        let result = try run("mandoc -T lint -W warning 2> /dev/null", input: ManualPage.text)
        #expect(result.stdout == "")
        #expect(result.status == 0)
    }

    @Test("the version is the first line, and the only one with that word: docker reads it")
    func version() {
        let lines = Version.text.split(separator: "\n")
        #expect(lines[0] == "swrun version \(Version.number)")
        #expect(lines[1] == "commit: \(Version.commit)")
        #expect(lines[2] == "spec: 1.3.0")
        for line in lines.dropFirst() { #expect(!line.contains("version")) }
    }
}

@Suite("The program")
struct ProgramTests {
    /// The program that was built beside the tests.
    private var swrun: String {
        let tests = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let beside = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().path
        for directory in [beside, tests.map { URL(filePath: $0).deletingLastPathComponent().path } ?? ""] {
            if FileManager.default.isExecutableFile(atPath: directory + "/swrun") { return directory + "/swrun" }
        }
        return "swrun is not beside the tests"
    }

    @Test(
        "an error on the command line is one line on stderr and status 1",
        arguments: [
            "crate", "state", "state a b", "create --bogus a", "create --bundle", "--log-format=xml state a", "--bogus",
            "kill --all", "completion csh", "help nothing", "list x",
        ])
    func errors(line: String) throws {
        let result = try run("'\(swrun)' \(line)")
        #expect(result.status == 1)
        #expect(result.stdout == "")
        #expect(result.stderr.hasPrefix("swrun: "))
        #expect(result.stderr.split(separator: "\n", omittingEmptySubsequences: false).count == 2)
    }

    @Test("an error on the command line is the one object in the log")
    func errorInLog() throws {
        let log = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: log) }
        let result = try run("'\(swrun)' --log '\(log.path)' --log-format json state")
        #expect(result.status == 1)
        #expect(result.stderr == "swrun: state: requires exactly 1 argument: CONTAINER-ID; see 'swrun state --help'\n")
        let entry = try JSONSerialization.jsonObject(with: Data(contentsOf: log)) as? [String: String]
        #expect(entry?["level"] == "error")
        #expect(entry?["msg"] == "state: requires exactly 1 argument: CONTAINER-ID; see 'swrun state --help'")
    }

    @Test(
        "help and version go to stdout with status 0",
        arguments: [
            "", "--help", "-h", "--version", "-v", "help", "help run", "run --help", "state -h", "man",
            "completion bash",
            "completion zsh", "completion fish", "--debug --version", "create --bundle x --help",
        ])
    func documents(line: String) throws {
        let result = try run("'\(swrun)' \(line)")
        #expect(result.status == 0)
        #expect(result.stderr == "")
        #expect(result.stdout.count > 20)
    }

    @Test("a result that cannot be written is an error")
    func fullDisk() throws {
        let result = try run("'\(swrun)' --version > /dev/full")
        #expect(result.status == 1)
        #expect(result.stderr == "swrun: cannot print the result: write: no space left on device\n")
    }
}

/// What a shell command did.
struct Outcome {
    let status: Int32
    let stdout: String
    let stderr: String
}

/// Runs a command of sh.
func run(_ command: String, input: String = "", path: String? = nil, shell: String = "/bin/sh") throws -> Outcome {
    let process = Process()
    process.executableURL = URL(filePath: shell)
    process.arguments = ["-c", command]
    if let path {
        process.environment = ProcessInfo.processInfo.environment.merging(
            ["PATH": path + ":/usr/bin:/bin"], uniquingKeysWith: { $1 })
    }
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stderr
    try process.run()
    try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try stdin.fileHandleForWriting.close()
    let output = stdout.fileHandleForReading.readDataToEndOfFile()
    let errors = stderr.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
        status: process.terminationStatus, stdout: String(decoding: output, as: UTF8.self),
        stderr: String(decoding: errors, as: UTF8.self))
}

func isInstalled(_ program: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: "/usr/bin/" + program)
}
