internal import ContainerRuntime

extension Command {
    static let pause = Command(
        verb: .pause,
        summary: "hold all processes of a container",
        operands: [.container],
        run: PauseCommand.run)
}

enum PauseCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        try PauseContainer.pause(try ContainerID(call.arguments.operands[0]), in: call.global.stateRoot)
        return 0
    }
}
