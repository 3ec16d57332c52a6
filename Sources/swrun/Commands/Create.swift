internal import ContainerRuntime

extension Command {
    static let create = Command(
        verb: .create,
        summary: "make a container from a bundle, ready to start",
        details: [
            "Everything that config.json asks for is set up except the process itself: it runs when start is called. "
                + "Changes to config.json after create have no effect on the container."
        ],
        operands: [.newContainer],
        options: [
            .bundle, .config, .consoleSocket, .pidfdSocket, .pidFile, .noPivot, .noNewKeyring, .preserveFDs,
        ],
        examples: [
            Example(
                command: "swrun create --bundle /srv/web --pid-file /run/web.pid web",
                meaning: "make a container from the bundle in /srv/web")
        ],
        run: CreateCommand.run)
}

enum CreateCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        throw RuntimeError("create: not wired yet")
    }
}
