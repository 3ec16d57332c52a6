import Glibc
import Testing

@testable import swrun

@Suite("The tables in the README")
struct LaunchTableTests {
    private static let readme: String = {
        let path = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/README.md"
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var text = ""
        while let line = readLine(from: file) { text += line }
        return text
    }()

    private static func readLine(from file: UnsafeMutablePointer<FILE>) -> String? {
        var pointer: UnsafeMutablePointer<CChar>?
        var size = 0
        defer { free(pointer) }
        guard getline(&pointer, &size, file) > 0, let pointer else { return nil }
        return String(cString: pointer)
    }

    /// The lines between two comments.
    private func section(_ begin: String, _ end: String) -> String {
        var lines: [Substring] = []
        var isInside = false
        for line in Self.readme.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("<!-- \(end)") { isInside = false }
            if isInside { lines.append(line) }
            if line.hasPrefix("<!-- \(begin)") { isInside = true }
        }
        return lines.joined(separator: "\n")
    }

    @Test("every flag is there with the part of config.json that it decides")
    func flags() {
        var table = "| option | decides | |\n|---|---|---|"
        for flag in LaunchFlag.table {
            let short = flag.option.short.map { "`-\($0)` " } ?? ""
            let value = flag.option.value.placeholder.map { " " + $0.replacing(["|": "\\|"]) } ?? ""
            let section = flag.section.split(separator: ", ").map { "`\($0)`" }.joined(separator: ", ")
            let help = flag.option.help.replacing(["|": "\\|"])
            table += "\n| \(short)`\(flag.option.dashed)\(value)` | \(section) | \(help) |"
        }
        #expect(section("flags", "end of the flags") == table)
    }

    @Test("the minimal list of system calls is there")
    func calls() {
        var table = "| for | system calls |\n|---|---|"
        for (purpose, names) in SystemCallList.minimal { table += "\n| \(purpose) | `\(names)` |" }
        #expect(section("minimal list", "end of the minimal list") == table)
    }
}
