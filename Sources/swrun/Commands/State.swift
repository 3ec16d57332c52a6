internal import ContainerRuntime
internal import RuntimeSpec

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
        let state = try QueryState.one(try ContainerID(call.arguments.operands[0]), in: call.global.stateRoot)
        try output(state.json.serialized(indent: "  ") + "\n")
        return 0
    }
}
