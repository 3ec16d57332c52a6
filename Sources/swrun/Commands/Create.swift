internal import ContainerRuntime
internal import LinuxSystem

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
        try call.sealExecutable()
        _ = try CreateContainer.run(try CreateRequest(call), { call.report.warning($0) })
        return 0
    }
}

extension Invocation {
    /// For commands that make processes of a container.
    func sealExecutable() throws(RuntimeError) {
        do throws(SystemError) {
            try sealOwnExecutable()
        } catch {
            throw RuntimeError("cannot protect the runtime's own program from the container", error)
        }
    }
}

extension CreateRequest {
    /// What the options that `create` and `run` share ask for.
    init(_ call: Invocation) throws(RuntimeError) {
        let arguments = call.arguments
        self.init(
            id: try ContainerID(arguments.operands[0]), bundle: arguments[.bundle] ?? ".",
            stateRoot: call.global.stateRoot)
        configFile = arguments[.config]
        consoleSocket = arguments[.consoleSocket]
        pidFile = arguments[.pidFile]
        pidfdSocket = arguments[.pidfdSocket]
        noPivot = arguments.has(.noPivot)
        newKeyring = !arguments.has(.noNewKeyring)
        preservedDescriptors = arguments.number(.preserveFDs) ?? 0
        rootless = call.global.isRootless
        cgroupDriver = call.global.cgroupManager ?? .cgroupfs
    }
}
