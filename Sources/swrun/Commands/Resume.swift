internal import ContainerRuntime

extension Command {
    static let resume = Command(
        verb: .resume,
        summary: "let the processes of a paused container go on",
        operands: [.container],
        run: ResumeCommand.run)
}

enum ResumeCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        try PauseContainer.resume(try ContainerID(call.arguments.operands[0]), in: call.global.stateRoot)
        return 0
    }
}
