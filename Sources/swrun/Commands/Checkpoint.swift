internal import ContainerRuntime
internal import LinuxSystem
internal import RuntimeSpec

extension Option {
    static let imagePath = Option(
        "image-path", nil, .directory("DIR"), help: "the directory of the images (default: checkpoint)")
    static let workPath = Option(
        "work-path", nil, .directory("DIR"), help: "the directory of criu's logs (default: that of the images)")
    static let parentPath = Option(
        "parent-path", nil, .directory("DIR"), help: "images of an earlier pre-dump, as a path from the new ones")
    static let leaveRunning = Option("leave-running", help: "let the container run on")
    static let preDump = Option("pre-dump", help: "save memory only, and let the container run on")
    static let tcpEstablished = Option("tcp-established", help: "allow open tcp connections")
    static let tcpSkipInFlight = Option("tcp-skip-in-flight", help: "leave tcp connections out that are being made")
    static let tcpClose = Option("tcp-close", help: "restore tcp connections as closed ones")
    static let linkRemap = Option("link-remap", help: "allow open files whose names were removed")
    static let extUnixSk = Option("ext-unix-sk", help: "allow unix sockets with a peer outside of the container")
    static let shellJob = Option("shell-job", help: "allow a session or a terminal of the caller's")
    static let lazyPages = Option("lazy-pages", help: "leave memory to be fetched while the container runs already")
    static let statusFD = Option("status-fd", nil, .number("FD"), help: "tell on this descriptor when criu is ready")
    static let pageServer = Option(
        "page-server", nil, .text("ADDRESS:PORT"), help: "send memory to a page server of criu")
    static let fileLocks = Option("file-locks", help: "allow locks on files")
    static let autoDedup = Option("auto-dedup", help: "remove what newer images have too from the older ones")
    static let emptyNS = Option("empty-ns", nil, .choice("network"), help: "restore this namespace as an empty one")
    static let manageCgroupsMode = Option(
        "manage-cgroups-mode", nil, .choice("soft|full|strict|ignore"),
        help: "what criu does about cgroups (default: soft)")
    static let networkLock = Option(
        "network-lock", nil, .choice("iptables|nftables|skip"), help: "how the network is held still meanwhile")
    static let lsmProfile = Option(
        "lsm-profile", nil, .text("TYPE:NAME"), help: "restore with this profile: apparmor:NAME or selinux:LABEL")
    static let lsmMountContext = Option(
        "lsm-mount-context", nil, .text("CONTEXT"), help: "restore mounts with this SELinux context")
}

extension Command {
    static let checkpoint = Command(
        verb: .checkpoint,
        summary: "save a running container into images",
        details: [
            "criu does the work and has to be installed. Afterwards the container is gone, unless it is to be left "
                + "running; restore brings it back. More options for criu may stand in the file that the annotation "
                + "org.criu.config names, or in /etc/criu/swrun.conf."
        ],
        operands: [.container],
        options: [
            .imagePath, .workPath, .parentPath, .leaveRunning, .preDump, .tcpEstablished, .tcpSkipInFlight, .linkRemap,
            .extUnixSk, .shellJob, .lazyPages, .statusFD, .pageServer, .fileLocks, .autoDedup, .emptyNS,
            .manageCgroupsMode, .networkLock,
        ],
        examples: [
            Example(command: "swrun checkpoint --image-path /srv/images web", meaning: "save the container web")
        ],
        run: CheckpointCommand.run)
}

enum CheckpointCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        let arguments = call.arguments
        var options = try CriuOptions(common: arguments)
        options.parentPath = arguments[.parentPath]
        options.leaveRunning = arguments.has(.leaveRunning)
        options.preDump = arguments.has(.preDump)
        options.tcpSkipInFlight = arguments.has(.tcpSkipInFlight)
        options.statusFD = arguments.number(.statusFD)
        if let text = arguments[.pageServer] {
            guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
                throw RuntimeError("checkpoint: option --page-server must be ADDRESS:PORT, not \"\(text)\"")
            }
            options.pageServer = (String(text[..<colon]), Int(port))
        }
        try CheckpointContainer.run(
            try ContainerID(arguments.operands[0]), in: call.global.stateRoot, options, { call.report.warning($0) })
        return 0
    }
}

extension CriuOptions {
    /// The options that `checkpoint` and `restore` share.
    init(common arguments: Arguments) throws(RuntimeError) {
        self.init()
        imagePath = try absolute(arguments[.imagePath] ?? "checkpoint")
        if let path = arguments[.workPath] { workPath = try absolute(path) }
        tcpEstablished = arguments.has(.tcpEstablished)
        linkRemap = arguments.has(.linkRemap)
        extUnixSockets = arguments.has(.extUnixSk)
        shellJob = arguments.has(.shellJob)
        lazyPages = arguments.has(.lazyPages)
        fileLocks = arguments.has(.fileLocks)
        autoDedup = arguments.has(.autoDedup)
        emptyNetwork = arguments[.emptyNS] == "network"
        cgroupMode = arguments[.manageCgroupsMode].flatMap(CgroupMode.init(rawValue:))
        networkLock = arguments[.networkLock].flatMap(NetworkLock.init(rawValue:))
    }
}
