internal import ContainerRuntime
internal import ImageBundle
internal import LinuxSystem

extension Option {
    static let root = Option(
        "root", nil, .directory("DIR"),
        help: "keep the state of containers in DIR (default: /run/swrun, for ordinary users $XDG_RUNTIME_DIR/swrun)")
    static let log = Option(
        "log", nil, .file("FILE"), help: "log errors and warnings to FILE, to journald:NAME or to syslog:NAME")
    static let logFormat = Option(
        "log-format", nil, .choice("text|json"), help: "the form of the log's lines (default: text)")
    static let logLevel = Option(
        "log-level", nil, .choice("error|warning|info|debug"),
        help: "the least important kind of line to log (default: warning)")
    static let debug = Option("debug", help: "the same as --log-level debug")
    static let systemdCgroup = Option("systemd-cgroup", help: "the same as --cgroup-manager systemd")
    static let cgroupManager = Option(
        "cgroup-manager", nil, .choice("cgroupfs|systemd|disabled"),
        help: "make the cgroups of containers as directories, through systemd, or not at all (default: cgroupfs)")
    static let rootless = Option(
        "rootless", nil, .choice("true|false|auto"),
        help: "go on without a cgroup where none may be made (default: auto, which is true for ordinary users and in "
            + "user namespaces)")
    static let version = Option("version", "v", help: "print the version, and those of the libraries inside")
    static let help = Option("help", "h", help: "print help")
}

/// The options before the command.
struct GlobalOptions {
    static let table: [Option] = [
        .root, .log, .logFormat, .logLevel, .debug, .systemdCgroup, .cgroupManager, .rootless, .version, .help,
    ]

    enum Rootless: String { case yes = "true", no = "false", auto }

    /// `--root` as an absolute path; nil when not given.
    let root: String?
    /// nil when not given: then a container that exists keeps the manager it was made with.
    let cgroupManager: CgroupDriver?
    let rootless: Rootless

    init(_ arguments: Arguments) throws(RuntimeError) {
        if let path = arguments[.root] { root = try absolute(path) } else { root = nil }
        // The more precise option wins where an engine passes both.
        if let manager = arguments[.cgroupManager] {
            cgroupManager = CgroupDriver(rawValue: manager)
        } else {
            cgroupManager = arguments.has(.systemdCgroup) ? .systemd : nil
        }
        rootless = arguments[.rootless].flatMap(Rootless.init(rawValue:)) ?? .auto
    }

    /// Where state is kept: `--root`, else `/run/swrun`, and for an ordinary user `$XDG_RUNTIME_DIR/swrun`.
    /// So it is for the root of a user namespace that an ordinary user's engine made.
    var stateRoot: StateRoot {
        var found = statePlace
        found.rootfsProvider = ImageRootfs(registry: ImageRegistry(stateRoot: found.path))
        return found
    }

    private var statePlace: StateRoot {
        if let root { return StateRoot(path: root) }
        return .standard(
            rootless: effectiveUserID() != 0 || (environmentVariable("XDG_RUNTIME_DIR") != nil && isInUserNamespace()))
    }

    /// Whether to go on without what only root may have.
    var isRootless: Bool {
        switch rootless {
        case .yes: true
        case .no: false
        case .auto: effectiveUserID() != 0 || isInUserNamespace()
        }
    }
}

/// The path from the root of the file system. A command that changes its directory must not change what the paths
/// on its command line mean.
func absolute(_ path: String) throws(RuntimeError) -> String {
    if path.utf8.first == UInt8(ascii: "/") { return path }
    do throws(SystemError) {
        return try currentDirectoryPath() + "/" + path
    } catch {
        throw RuntimeError("cannot resolve the path \"\(path)\"", error)
    }
}
