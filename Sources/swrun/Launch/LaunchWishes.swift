internal import ContainerRuntime
internal import ImageBundle
internal import LinuxSystem
internal import RuntimeSpec

/// What the flags of `launch` and `spec` ask for, before it becomes a configuration.
struct LaunchWishes {
    /// Those that were asked for by name, in the order of the table; empty means all.
    var namespaces: [NamespaceType] = []
    private(set) var rootfs: String?
    /// A disk image that holds the root filesystem.
    var image: String?
    /// A container image that is unpacked for the container.
    var containerImage: String?
    /// From `-C`.
    var commandText: [String]?
    /// What stands behind `--`.
    var command: [String] = []
    var volumes: [Mount] = []
    /// Those of the image, which flags may be inside of.
    var imageVolumes: [Mount] = []
    /// In a user namespace: map nothing but the caller's own ids.
    var mapsOwnIDsOnly = false
    var filters = false
    /// What is allowed in place of the minimal list.
    var profile: Seccomp?
    /// Names of system calls that are allowed besides those of the minimal list.
    var allowedCalls: [String] = []
    var hostname: String?
    /// A bridge of the host, and an address on it.
    var bridge: String?
    /// The command is the init of a whole system.
    var boots = false
    private(set) var variables: [KeyValue] = []
    var workingDirectory: String?
    var user: User?
    /// The signal by which the command wants to be asked to stop.
    var stopSignal: String?
    var readOnly = false
    var capabilities = CapabilityWishes()
    var memory: Int64?
    var cpu: CPU?
    var processes: Int64?

    /// What the command line says; the table gives the options their meaning.
    init(_ arguments: Arguments) throws(RuntimeError) {
        for flag in LaunchFlag.table {
            for value in arguments.values(flag.option) {
                if case .flag = flag.option.value, value == "false" { continue }
                // As everywhere: an option given empty is not given.
                if value.isEmpty, !flag.option.repeats { continue }
                do throws(RuntimeError) {
                    try flag.take(&self, value)
                } catch {
                    throw RuntimeError("\(flag.option.dashed): \(error.message)", exitCode: error.exitCode)
                }
            }
        }
        try take(operands: arguments.operands, beforeDashes: arguments.operandsBeforeDashes)
    }

    /// `[ROOTFS] [-- COMMAND...]`
    private mutating func take(operands: [String], beforeDashes count: Int) throws(RuntimeError) {
        if count > 1 {
            throw RuntimeError(
                "not expected: \"\(operands[1])\"", hint: "write -- between the root filesystem and the command")
        }
        if count == 1 {
            guard rootfs == nil else {
                throw RuntimeError("two root filesystems: \(operands[0]), and that of --path", hint: "leave one out")
            }
            try take(rootfs: operands[0])
        }
        command = Array(operands[count...])
    }

    mutating func take(rootfs path: String) throws(RuntimeError) { rootfs = try absolute(path) }

    /// `NAME=VALUE`, or `NAME` for the caller's value, if it has one.
    mutating func take(variable text: String) throws(RuntimeError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard !name.isEmpty else { throw RuntimeError("\"\(text)\" has no name", hint: "give NAME=VALUE, or NAME") }
        variables.removeAll { $0.key == name }
        if parts.count > 1 {
            variables.append(KeyValue(name, String(parts[1])))
        } else if let value = environmentVariable(name) {
            variables.append(KeyValue(name, value))
        }
    }

    /// A variable that no flag sets.
    mutating func take(default variable: KeyValue) {
        if variables[variable.key] == nil { variables.append(variable) }
    }

    func wants(_ type: NamespaceType) -> Bool { namespaces.contains(type) }

    /// Settles what goes without saying, and refuses what cannot work. Called once, when all flags are known.
    mutating func settle(for caller: LaunchCaller) throws(RuntimeError) {
        if namespaces.isEmpty || namespaces == [.user] {
            namespaces += [.ipc, .network, .mount, .pid, .uts, .cgroup]
            if !caller.isPrivileged, !wants(.user) { namespaces.append(.user) }
        }
        if !caller.isPrivileged, !wants(.user) {
            throw RuntimeError(
                "user \(caller.uid) may make namespaces only together with a user namespace",
                hint: "add --user (-U), or be root")
        }
        if image != nil {
            if wants(.user) {
                throw RuntimeError(
                    "--qcow2 with --user: the files of an image belong to users of its own, which a user namespace does "
                        + "not map, and only root may mount it",
                    hint: "leave --user out, or copy the image's files to a directory first")
            }
            if rootfs != nil {
                throw RuntimeError("--qcow2 and --path both name a root filesystem", hint: "leave one out")
            }
        }
        if containerImage != nil, image != nil || rootfs != nil {
            throw RuntimeError("--image and another option both name a root filesystem", hint: "leave one out")
        }
        if bridge != nil, !caller.isPrivileged || caller.isInUserNamespace {
            throw RuntimeError(
                "--bridge: only root may add devices to the network of the host", hint: "leave it out, or be root")
        }
        if mapsOwnIDsOnly, !wants(.user) {
            throw RuntimeError(
                "--id-map self without a user namespace, which is what has mappings",
                hint: "add --user (-U), or leave it out")
        }
        if boots, let user, user.uid != 0 {
            throw RuntimeError("--boot with --user-id: the init of a system is root", hint: "leave one out")
        }
        if commandText != nil, !command.isEmpty {
            throw RuntimeError("--command and a command after -- are two commands", hint: "leave one out")
        }
        if wants(.user), !wants(.mount) {
            throw RuntimeError(
                "--user without --mounts: in a user namespace devices are bind mounts, for which it needs mounts of its own",
                hint: "add --mounts (-m)")
        }
        try checkNeeds()
    }

    /// What needs a namespace that the caller did not ask for would reach the host.
    private func checkNeeds() throws(RuntimeError) {
        let needs: [(Bool, Option, NamespaceType, Option)] = [
            (!volumes.isEmpty, .volume, .mount, .newMounts), (readOnly, .readOnlyRoot, .mount, .newMounts),
            (image != nil, .diskImage, .mount, .newMounts), (hostname != nil, .hostName, .uts, .newUTS),
            (bridge != nil, .bridge, .network, .newNetwork), (boots, .boot, .pid, .newPID),
            (boots, .boot, .mount, .newMounts), (boots, .boot, .cgroup, .newCgroup),
        ]
        for (isAsked, option, type, flag) in needs where isAsked && !wants(type) {
            throw RuntimeError(
                "\(option.dashed) without a new \(type.rawValue) namespace would change the host",
                hint: "add \(flag.dashed) (-\(flag.short ?? "?"))")
        }
    }
}

/// Who launches: what a configuration has to be made for.
struct LaunchCaller {
    var uid: UInt32
    var gid: UInt32
    /// Whether standard input is a terminal.
    var hasTerminal: Bool
    /// `$TERM`
    var terminalType: String?
    /// What a user namespace of this caller maps.
    var uidMappings: [IDMapping]
    var gidMappings: [IDMapping]

    init(uid: UInt32, gid: UInt32, hasTerminal: Bool = false, terminalType: String? = nil) {
        self.uid = uid
        self.gid = gid
        isPrivileged = uid == 0
        self.hasTerminal = hasTerminal
        self.terminalType = terminalType
        uidMappings = [IDMapping(containerID: 0, hostID: uid, size: 1)]
        gidMappings = [IDMapping(containerID: 0, hostID: gid, size: 1)]
    }

    /// Root of a user namespace that somebody else made.
    var isInUserNamespace = false

    /// Whether it may do without a user namespace.
    var isPrivileged: Bool

    static var current: LaunchCaller {
        var caller = LaunchCaller(
            uid: effectiveUserID(), gid: effectiveGroupID(), hasTerminal: isTerminal(0),
            terminalType: environmentVariable("TERM"))
        caller.isInUserNamespace = LinuxSystem.isInUserNamespace()
        return caller
    }

    /// Takes along the subordinate ids that the host grants: of both kinds, for files have both owners.
    mutating func mapSubordinateIDs() {
        let ids = OwnIDs.granted
        guard ids.hasOthers else { return }
        uidMappings = ids.users.map(IDMapping.init)
        gidMappings = ids.groups.map(IDMapping.init)
    }
}
