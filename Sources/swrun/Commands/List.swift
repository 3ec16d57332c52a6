internal import ContainerRuntime
internal import RuntimeSpec

extension Option {
    static let format = Option("format", "f", .choice("table|json"), help: "the form (default: table)")
    static let quiet = Option("quiet", "q", help: "print ids only")
}

extension Command {
    static let list = Command(
        verb: .list,
        summary: "print the containers of this state directory",
        options: [.format, .quiet],
        examples: [
            Example(command: "swrun --root /run/other list --format json", meaning: "those of another directory")
        ],
        isParsed: true,
        run: ListCommand.run)
}

enum ListCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        if call.arguments.has(.quiet) {
            let ids = try QueryState.all(in: call.global.stateRoot).map(\.id)
            try output(ids.map { $0 + "\n" }.joined())
            return 0
        }
        let states = try QueryState.all(in: call.global.stateRoot)
        if call.arguments[.format] == "json" {
            // runc prints null for no containers; an empty list is a list.
            try output(JSON.array(states.map(\.json)).serialized() + "\n")
        } else {
            try output(table(states))
        }
        return 0
    }

    /// Columns as wide as their widest entry and three spaces more.
    private static func table(_ states: [RuntimeSpec.State]) -> String {
        let rows =
            [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]]
            + states.map { [$0.id, "\($0.pid)", $0.status.rawValue, $0.bundle, $0.created ?? "", $0.owner ?? ""] }
        let widths = (0..<6).map { column in rows.reduce(0) { max($0, $1[column].utf8.count) } }
        return rows.map { row in
            zip(row.dropLast(), widths).map { text, width in
                text + String(repeating: " ", count: width - text.utf8.count + 3)
            }.joined() + row[5] + "\n"
        }.joined()
    }
}
