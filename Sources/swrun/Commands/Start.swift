internal import ContainerRuntime

extension Command {
    static let start = Command(
        verb: .start,
        summary: "run the process of a created container",
        operands: [.container],
        run: StartCommand.run)
}

enum StartCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        try StartContainer.run(
            try ContainerID(call.arguments.operands[0]), in: call.global.stateRoot, { call.report.warning($0) })
        return 0
    }
}
