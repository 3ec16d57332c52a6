internal import ContainerRuntime

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
        throw RuntimeError("list: not wired yet")
    }
}
