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
                + "128 and the signal's number when a signal ended it.",
            "With --seccomp-record the container may do everything, and the system calls that it made, in all its "
                + "processes and threads, become a profile: the object that linux.seccomp in config.json is, which "
                + "podman and docker take as well. It holds what this run did and nothing else, so let the program do "
                + "all that it is to be able to do, in one run or in several with --seccomp-merge. The filter of "
                + "config.json is not in force meanwhile. Every system call waits until swrun has seen it, which makes "
                + "it some 10 microseconds slower. A signal that comes meanwhile, and whose handler was installed without "
                + "SA_RESTART, makes the call fail with EINTR.",
            "With --seccomp-explain the filter of config.json is in force. Each call that it denies is reported once "
                + "as it happens, and at the end there is a list of them for -S. Only denied calls are slower. Where "
                + "the filter would kill a thread, its whole process is killed; a handler for SIGSYS does not learn "
                + "which call it was.",
            "Both need the foreground, and end the container when swrun is killed. What exec starts is not watched.",
        ],
        operands: [.newContainer],
        options: [
            .bundle, .config, .consoleSocket, .pidfdSocket, .pidFile, .noPivot, .noNewKeyring, .preserveFDs, .detach,
            .keep, .noSubreaper, .seccompRecord, .seccompMerge, .seccompExplain,
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
        request.seccompWatch = try SeccompWatch(call.arguments, detached: request.detached)
        return try RunContainer.run(
            request, keep: call.arguments.has(.keep), reaper: !call.arguments.has(.noSubreaper),
            started: { call.report.flush() }, tell: { call.report.tell($0) }, { call.report.warning($0) })
    }
}
