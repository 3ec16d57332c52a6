internal import ContainerRuntime

extension Option {
    static let force = Option(
        "force", "f", help: "end a running container first; a container that does not exist is no error")
}

extension Command {
    static let delete = Command(
        verb: .delete,
        summary: "remove what a stopped container has left",
        operands: [.container],
        options: [.force],
        run: DeleteCommand.run)
}

enum DeleteCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        try DeleteContainer.run(
            try ContainerID(call.arguments.operands[0]), in: call.global.stateRoot, force: call.arguments.has(.force),
            { call.report.warning($0) })
        return 0
    }
}
