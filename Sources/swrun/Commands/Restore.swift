internal import ContainerRuntime

extension Command {
    static let restore = Command(
        verb: .restore,
        summary: "make a container from images that checkpoint saved, and let it run on",
        details: [
            "The bundle is that of the container that was saved, or one like it. In the foreground, swrun stays as it "
                + "does for run."
        ],
        operands: [.newContainer],
        options: [
            .bundle, .config, .imagePath, .workPath, .consoleSocket, .detach, .pidFile, .tcpEstablished, .tcpClose,
            .linkRemap, .extUnixSk, .shellJob, .lazyPages, .fileLocks, .autoDedup, .emptyNS, .manageCgroupsMode,
            .networkLock, .lsmProfile, .lsmMountContext, .keep, .noSubreaper, .noPivot,
        ],
        examples: [
            Example(
                command: "swrun restore --bundle /srv/web --image-path /srv/images web",
                meaning: "let the saved container web run on")
        ],
        run: RestoreCommand.run)
}

enum RestoreCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        try call.sealExecutable()
        let arguments = call.arguments
        var request = CreateRequest(
            id: try ContainerID(arguments.operands[0]), bundle: arguments[.bundle] ?? ".",
            stateRoot: call.global.stateRoot)
        request.configFile = arguments[.config]
        request.consoleSocket = arguments[.consoleSocket]
        request.pidFile = arguments[.pidFile]
        request.detached = arguments.has(.detach)
        request.startsAtOnce = true
        request.rootless = call.global.isRootless
        request.cgroupDriver = call.global.cgroupManager ?? .cgroupfs
        var options = try CriuOptions(common: arguments)
        options.tcpClose = arguments.has(.tcpClose)
        options.lsmProfile = arguments[.lsmProfile]
        options.lsmMountContext = arguments[.lsmMountContext]
        return try RestoreContainer.run(
            request, options, keep: arguments.has(.keep), reaper: !arguments.has(.noSubreaper),
            started: { call.report.flush() }, { call.report.warning($0) })
    }
}
