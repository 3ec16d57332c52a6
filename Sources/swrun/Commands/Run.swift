internal import ContainerRuntime

extension Option {
    static let keep = Option("keep", help: "do not delete the container after its process has ended")
    static let noSubreaper = Option(
        "no-subreaper", help: "do not become the parent of processes that the container leaves behind")
}

extension Command {
    static let run = Command(
        verb: .run,
        summary: "create and start a container, wait for it and delete it",
        details: [
            "In the foreground, swrun passes signals on to the container and exits with the process's status, or with "
                + "128 and the signal's number when a signal ended it."
        ],
        operands: [.newContainer],
        options: [
            .bundle, .config, .consoleSocket, .pidfdSocket, .pidFile, .noPivot, .noNewKeyring, .preserveFDs, .detach,
            .keep, .noSubreaper,
        ],
        examples: [Example(command: "swrun run --bundle /srv/web web", meaning: "run the bundle in /srv/web")],
        run: RunCommand.run)
}

enum RunCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        try call.sealExecutable()
        var request = try CreateRequest(call)
        request.startsAtOnce = true
        request.detached = call.arguments.has(.detach)
        return try RunContainer.run(
            request, keep: call.arguments.has(.keep), reaper: !call.arguments.has(.noSubreaper),
            started: { call.report.flush() }, { call.report.warning($0) })
    }
}
