internal import ContainerRuntime

extension Command {
    static let state = Command(
        verb: .state,
        summary: "print the state of a container as JSON",
        operands: [.container],
        isParsed: true,
        run: StateCommand.run)
}

enum StateCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        throw RuntimeError("state: not wired yet")
    }
}
