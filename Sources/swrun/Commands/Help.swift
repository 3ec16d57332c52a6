internal import ContainerRuntime

extension Command {
    static let help = Command(
        verb: .help,
        summary: "print help",
        operands: [Operand(name: "COMMAND", kind: .command, presence: .optional)],
        run: HelpCommand.run)
}

enum HelpCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        guard let name = call.arguments.operands.first else {
            try output(Help.overview)
            return 0
        }
        try output(Help.text(of: Command.named(name)))
        return 0
    }
}
