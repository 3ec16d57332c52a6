internal import ContainerRuntime

extension Option {
    static let cwd = Option("cwd", nil, .directory("DIR"), help: "start in this directory of the container")
    static let env = Option(
        "env", "e", .text("NAME=VALUE"), repeats: true, help: "set a variable of the environment")
    static let tty = Option("tty", "t", help: "give the process a terminal")
    static let user = Option("user", "u", .text("UID[:GID]"), help: "run as this user and group of the container")
    static let additionalGids = Option(
        "additional-gids", "g", .text("GID"), repeats: true, help: "add a supplementary group")
    static let process = Option(
        "process", "p", .file("FILE"), help: "read the process from FILE, in the form of config.json's process")
    static let processLabel = Option("process-label", nil, .text("LABEL"), help: "set the SELinux label")
    static let apparmor = Option("apparmor", nil, .text("PROFILE"), help: "set the AppArmor profile")
    static let noNewPrivs = Option("no-new-privs", help: "keep the process from gaining privileges by execve(2)")
    static let cap = Option("cap", "c", .text("CAPABILITY"), repeats: true, help: "add a capability")
    static let execCgroup = Option(
        "cgroup", nil, .text("[CONTROLLER:]PATH"), repeats: true,
        help: "run in this cgroup below the container's, which must exist")
    static let ignorePaused = Option(
        "ignore-paused", help: "exec in a paused container too; the process runs once it is resumed")
}

extension Command {
    static let exec = Command(
        verb: .exec,
        summary: "run another process in a running container",
        details: [
            "The process is like the container's own (its user, environment, capabilities and limits), except for what "
                + "the options say; or it is what --process describes. It is held by the container's namespaces, "
                + "cgroups and seccomp filter.",
            "In the foreground, swrun passes signals on and exits with the status of the process, or with 128 and the "
                + "signal's number when a signal ended it; with 255 when it could not be executed.",
        ],
        operands: [.container, Command.Operand(name: "COMMAND", kind: .other, presence: .anyNumber)],
        options: [
            .process, .tty, .consoleSocket, .detach, .pidFile, .pidfdSocket, .cwd, .env, .user, .additionalGids, .cap,
            .noNewPrivs, .apparmor, .processLabel, .preserveFDs, .execCgroup, .ignorePaused,
        ],
        examples: [
            Example(command: "swrun exec -t web sh", meaning: "a shell in the container web"),
            Example(command: "swrun exec -u 1000:1000 -e HOME=/tmp web id", meaning: "as another user"),
        ],
        stopsAtFirstOperand: true,
        run: ExecCommand.run)
}

enum ExecCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        try call.sealExecutable()
        return try ExecContainer.run(
            try ExecRequest(call), started: { call.report.flush() }, { call.report.warning($0) })
    }
}

extension ExecRequest {
    fileprivate init(_ call: Invocation) throws(RuntimeError) {
        let arguments = call.arguments
        self.init(id: try ContainerID(arguments.operands[0]), stateRoot: call.global.stateRoot)
        processFile = arguments[.process]
        changes = try ProcessChanges(arguments)
        if processFile == nil, changes.args.isEmpty {
            throw RuntimeError("exec: no process: give a command, or --process FILE", exitCode: 255)
        }
        consoleSocket = arguments[.consoleSocket]
        pidFile = arguments[.pidFile]
        pidfdSocket = arguments[.pidfdSocket]
        preservedDescriptors = arguments.number(.preserveFDs) ?? 0
        cgroups = arguments.all(.execCgroup)
        detached = arguments.has(.detach)
        ignoresPause = arguments.has(.ignorePaused)
        rootless = call.global.isRootless
    }
}

extension ProcessChanges {
    fileprivate init(_ arguments: Arguments) throws(RuntimeError) {
        self.init()
        args = Array(arguments.operands.dropFirst())
        cwd = arguments[.cwd]
        env = arguments.all(.env)
        terminal = arguments.has(.tty) ? true : nil
        if let text = arguments.text(.user) {
            guard let change = UserChange(parsing: text) else {
                throw RuntimeError(
                    "exec: option --user must be UID or UID:GID, numbers from 0 to 4294967294, not \"\(text)\"",
                    exitCode: 255)
            }
            user = change
        }
        let groups = arguments.all(.additionalGids)
        for text in groups.flatMap({ $0.split(separator: ",", omittingEmptySubsequences: false) }) {
            guard let id = UserChange.id(text.utf8) else {
                throw RuntimeError(
                    "exec: option --additional-gids must be a number from 0 to 4294967294, not \"\(text)\"",
                    exitCode: 255)
            }
            additionalGids.append(id)
        }
        capabilities = arguments.all(.cap)
        noNewPrivileges = arguments.has(.noNewPrivs) ? true : nil
        apparmorProfile = arguments[.apparmor]
        selinuxLabel = arguments[.processLabel]
    }
}
