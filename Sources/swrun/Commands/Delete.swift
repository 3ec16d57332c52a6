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
        options: [.force, .regex],
        run: DeleteCommand.run)
}

enum DeleteCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        let force = call.arguments.has(.force)
        try call.forEachContainer { (id) throws(RuntimeError) in
            try DeleteContainer.run(id, in: call.global.stateRoot, force: force, { call.report.warning($0) })
        }
        return 0
    }
}
