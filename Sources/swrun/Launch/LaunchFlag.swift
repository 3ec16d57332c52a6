internal import ContainerRuntime
internal import RuntimeSpec

/// The options of `launch`, which are those of `spec` as well. The letters are those of the program that swrun descends
/// from.
extension Option {
    static let newIPC = Option("ipc", "i", help: "a new ipc namespace: its own message queues and shared memory")
    static let newNetwork = Option("net", "n", help: "a new network namespace: nothing in it but the loopback device")
    static let newMounts = Option(
        "mounts", "m", help: "a new mount namespace, with /proc, /dev, /sys and the control groups mounted in it")
    static let newPID = Option("pid", "p", help: "a new pid namespace: the command is process 1")
    static let newUTS = Option("uts", "u", help: "a new uts namespace: its own host name")
    static let newCgroup = Option("cgroup", "c", help: "a new cgroup namespace: its own control group is the root")
    static let newUser = Option("user", "U", help: "a new user namespace: the caller is root in it")
    static let idMap = Option(
        "id-map", nil, .choice("auto|self"),
        help: "map the caller's subordinate ids into its user namespace, if it has any (root's are all), or its own id "
            + "alone (default: auto)")
    static let rootPath = Option(
        "path", "P", .directory("ROOTFS"), help: "the root filesystem (the same as the argument ROOTFS)")
    static let commandText = Option(
        "command", "C", .text("'COMMAND ...'"),
        help: "the command in one word, split as a shell would, without its expansions (default: /bin/sh)")
    static let volume = Option(
        "volume", "v", .text("HOST:CONTAINER[:OPTIONS]"), repeats: true,
        help: "show HOST of the host as CONTAINER; OPTIONS are mount options such as ro,noexec")
    static let seccompEnable = Option(
        "seccomp-enable", "s", help: "deny every system call that is not on a minimal list")
    static let seccompAllow = Option(
        "seccomp-whitelist", "S", .text("CALL,..."), repeats: true,
        help: "allow these system calls too, by name or by the machine's number; means -s")
    static let seccompProfile = Option(
        "seccomp-profile", nil, .file("FILE"),
        help: "the filter in FILE, such as --seccomp-record writes, in place of the minimal list; means -s")
    static let diskImage = Option(
        "qcow2", "Q", .file("IMAGE"), help: "the root filesystem is that of the disk image IMAGE")
    static let containerImage = Option(
        "image", nil, .text("IMAGE"),
        help: "the root filesystem is that of the container image or archive IMAGE, unpacked for this container; the "
            + "command is the image's unless another is given")
    static let hostName = Option("hostname", nil, .text("NAME"), help: "the host name (default: the container's name)")
    static let bridge = Option(
        "bridge", nil, .text("NAME[:ADDRESS/PREFIX]"),
        help: "connect the container to this bridge of the host, which is made if there is none, with an address and "
            + "a default route")
    static let boot = Option(
        "boot", help: "boot a whole system: /sbin/init as process 1, which is asked to stop by SIGRTMIN+3")
    static let environment = Option(
        "env", "e", .text("NAME[=VALUE]"), repeats: true,
        help: "a variable of the command's environment; without a value, that of the caller")
    static let workingDirectory = Option(
        "workdir", "w", .text("DIR"), help: "the directory in which the command starts (default: /)")
    static let userID = Option(
        "user-id", nil, .text("UID[:GID]"), help: "the user and group of the command (default: 0:0)")
    static let readOnlyRoot = Option("read-only", help: "the root filesystem cannot be written")
    static let addCapability = Option(
        "cap-add", nil, .text("CAPABILITY"), repeats: true, help: "grant this capability too, or ALL")
    static let dropCapability = Option(
        "cap-drop", nil, .text("CAPABILITY"), repeats: true, help: "do not grant this capability, or any (ALL)")
    static let memoryLimit = Option(
        "memory", nil, .text("SIZE"), help: "at most this much memory, such as 512m (bytes, or with k, m, g)")
    static let processors = Option(
        "cpus", nil, .text("NUMBER"), help: "at most the time of this many processors, such as 1.5")
    static let processLimit = Option("pids-limit", nil, .text("NUMBER"), help: "at most this many processes")
}

/// One row of the table that gives the flags of `launch` and `spec` their meaning: the option, the part of config.json
/// that it decides, and how it is taken. Both commands read nothing else; the README shows the same table.
struct LaunchFlag: Sendable {
    let option: Option
    /// Properties of config.json under the specification's names.
    let section: String
    /// Takes one value of the option; a flag is taken when it is set.
    let take: @Sendable (inout LaunchWishes, String) throws(RuntimeError) -> Void

    init(
        _ option: Option, _ section: String,
        _ take: @escaping @Sendable (inout LaunchWishes, String) throws(RuntimeError) -> Void
    ) {
        self.option = option
        self.section = section
        self.take = take
    }

    /// A flag that asks for a new namespace.
    private init(_ option: Option, _ type: NamespaceType, and others: String...) {
        self.init(option, (["linux.namespaces: \(type.rawValue)"] + others).joined(separator: ", ")) {
            wishes, _ throws(RuntimeError) in wishes.namespaces.append(type)
        }
    }

    static let table: [LaunchFlag] = [
        LaunchFlag(.newIPC, .ipc),
        LaunchFlag(.newNetwork, .network),
        LaunchFlag(.newMounts, .mount, and: "mounts", "linux.maskedPaths", "linux.readonlyPaths"),
        LaunchFlag(.newPID, .pid),
        LaunchFlag(.newUTS, .uts),
        LaunchFlag(.newCgroup, .cgroup),
        LaunchFlag(.newUser, .user, and: "linux.uidMappings", "linux.gidMappings"),
        LaunchFlag(.idMap, "linux.uidMappings, linux.gidMappings") { wishes, word throws(RuntimeError) in
            wishes.mapsOwnIDsOnly = word == "self"
        },
        LaunchFlag(.rootPath, "root.path") { wishes, path throws(RuntimeError) in try wishes.take(rootfs: path) },
        LaunchFlag(.commandText, "process.args") { wishes, text throws(RuntimeError) in
            wishes.commandText = try splitCommand(text)
        },
        LaunchFlag(.volume, "mounts") { wishes, text throws(RuntimeError) in
            wishes.volumes.append(try Volume(text).mount)
        },
        LaunchFlag(.seccompEnable, "linux.seccomp") { wishes, _ throws(RuntimeError) in wishes.filters = true },
        LaunchFlag(.seccompAllow, "linux.seccomp.syscalls") { wishes, text throws(RuntimeError) in
            wishes.filters = true
            wishes.allowedCalls += try systemCallNames(text)
        },
        LaunchFlag(.seccompProfile, "linux.seccomp") { wishes, path throws(RuntimeError) in
            wishes.filters = true
            wishes.profile = try readSeccompProfile(path)
        },
        LaunchFlag(.diskImage, "root.path") { wishes, image throws(RuntimeError) in wishes.image = image },
        LaunchFlag(.containerImage, "root.path, process") { wishes, image throws(RuntimeError) in
            wishes.containerImage = image
        },
        LaunchFlag(.hostName, "hostname") { wishes, name throws(RuntimeError) in wishes.hostname = name },
        LaunchFlag(.bridge, "annotations: \(BridgeNetwork.annotation)") { wishes, text throws(RuntimeError) in
            guard BridgeNetwork(text) != nil else {
                throw RuntimeError(
                    "\"\(text)\" is not NAME or NAME:ADDRESS/PREFIX",
                    hint: "a device's name has 1 to 15 bytes; an address is such as 10.89.0.7/24")
            }
            wishes.bridge = text
        },
        LaunchFlag(.boot, "process, mounts, annotations: \(StopSignal.annotation)") { wishes, _ throws(RuntimeError) in
            wishes.boots = true
        },
        LaunchFlag(.environment, "process.env") { wishes, text throws(RuntimeError) in try wishes.take(variable: text)
        },
        LaunchFlag(.workingDirectory, "process.cwd") { wishes, path throws(RuntimeError) in
            wishes.workingDirectory = path
        },
        LaunchFlag(.userID, "process.user") { wishes, text throws(RuntimeError) in wishes.user = try userIDs(text) },
        LaunchFlag(.readOnlyRoot, "root.readonly") { wishes, _ throws(RuntimeError) in wishes.readOnly = true },
        LaunchFlag(.addCapability, "process.capabilities") { wishes, name throws(RuntimeError) in
            try wishes.capabilities.add(name)
        },
        LaunchFlag(.dropCapability, "process.capabilities") { wishes, name throws(RuntimeError) in
            try wishes.capabilities.drop(name)
        },
        LaunchFlag(.memoryLimit, "linux.resources.memory") { wishes, text throws(RuntimeError) in
            wishes.memory = try memorySize(text)
        },
        LaunchFlag(.processors, "linux.resources.cpu") { wishes, text throws(RuntimeError) in
            wishes.cpu = try processorTime(text)
        },
        LaunchFlag(.processLimit, "linux.resources.pids") { wishes, text throws(RuntimeError) in
            wishes.processes = try processCount(text)
        },
    ]

    static var options: [Option] { table.map(\.option) }
}
