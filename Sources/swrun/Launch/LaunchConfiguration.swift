internal import ContainerRuntime
internal import RuntimeSpec

/// The config.json that the flags mean.
struct LaunchConfiguration {
    private let wishes: LaunchWishes
    private let caller: LaunchCaller

    /// - Parameter wishes: settled
    init(_ wishes: LaunchWishes, for caller: LaunchCaller) {
        self.wishes = wishes
        self.caller = caller
    }

    /// - Parameters:
    ///   - rootfs: the path of the root filesystem
    ///   - name: the container's, which is its host name too unless another was asked for
    func make(rootfs: String, name: String) -> Config {
        Config(
            ociVersion: SpecVersion.customary,
            root: Root(path: rootfs, readonly: wishes.readOnly),
            mounts: mounts,
            process: process,
            hostname: wishes.wants(.uts) ? wishes.hostname ?? name : nil,
            linux: linux,
            annotations: annotations)
    }

    private var annotations: [KeyValue] {
        var annotations: [KeyValue] = []
        if !wishes.boots { annotations.append(KeyValue(SecureBits.annotation, Self.secureBits)) }
        if let bridge = wishes.bridge { annotations.append(KeyValue(BridgeNetwork.annotation, bridge)) }
        if let signal = wishes.boots ? "SIGRTMIN+3" : wishes.stopSignal {
            annotations.append(KeyValue(StopSignal.annotation, signal))
        }
        return annotations
    }

    /// Being root gives no capability by itself: what the container has given up does not come back with execve(2).
    static let secureBits = "noroot,noroot-locked"

    // MARK: Process

    private var process: Process {
        Process(
            terminal: caller.hasTerminal,
            user: wishes.user ?? User(),
            args: command,
            env: environment,
            cwd: wishes.workingDirectory ?? "/",
            capabilities: capabilities,
            // The users of a whole system have their su and sudo.
            noNewPrivileges: !wishes.boots)
    }

    private var capabilities: Capabilities {
        var sets = wishes.capabilities.sets(for: wishes.user ?? User())
        // Securebits are not for it, and what is ambient would be inherited by every service.
        if wishes.boots { (sets.inheritable, sets.ambient) = (nil, nil) }
        return sets
    }

    private var command: [String] {
        if let words = wishes.commandText { return words }
        return wishes.command.isEmpty ? [wishes.boots ? "/sbin/init" : "/bin/sh"] : wishes.command
    }

    private var environment: [String] {
        var variables = [KeyValue("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")]
        if caller.hasTerminal { variables.append(KeyValue("TERM", caller.terminalType ?? "xterm")) }
        // systemd's container interface: how init knows where it is.
        if wishes.boots { variables.append(KeyValue("container", "swrun")) }
        variables.removeAll { wishes.variables[$0.key] != nil }
        return (variables + wishes.variables).map { "\($0.key)=\($0.value)" }
    }

    // MARK: Linux

    private var linux: Linux {
        let isolatesMounts = wishes.wants(.mount)
        let mappings = wishes.wants(.user)
        let standard = DefaultConfig.make(rootless: false, uid: 0, gid: 0).linux
        return Linux(
            uidMappings: mappings ? caller.uidMappings : [],
            gidMappings: mappings ? caller.gidMappings : [],
            resources: resources,
            namespaces: Self.order.filter(wishes.wants).map { Namespace($0) },
            seccomp: wishes.filters ? SystemCallList.filter(wishes.profile, allowing: wishes.allowedCalls) : nil,
            maskedPaths: isolatesMounts ? standard?.maskedPaths ?? [] : [],
            readonlyPaths: isolatesMounts ? standard?.readonlyPaths ?? [] : [])
    }

    private static let order: [NamespaceType] = [.pid, .network, .ipc, .uts, .mount, .cgroup, .user]

    private var resources: Resources? {
        var resources = Resources(
            memory: wishes.memory.map { Memory(limit: $0) }, cpu: wishes.cpu,
            pids: wishes.processes.map { Pids(limit: $0) })
        if caller.isPrivileged { resources.devices = [DeviceRule(allow: false)] }
        return resources == Resources() ? nil : resources
    }

    // MARK: Mounts

    private var mounts: [Mount] {
        guard wishes.wants(.mount) else { return [] }
        let inUserNamespace = wishes.wants(.user) || caller.isInUserNamespace
        let rootless = DefaultConfig.make(rootless: true, uid: 0, gid: 0).mounts
        let privileged = DefaultConfig.make(rootless: false, uid: 0, gid: 0).mounts
        var mounts: [Mount] = []
        for (mount, substitute) in zip(privileged, rootless) {
            switch mount.destination {
            // The kernel mounts what belongs to a namespace only for those who own that namespace.
            case "/proc" where inUserNamespace && !wishes.wants(.pid): mounts.append(Self.hostProc)
            case "/sys" where inUserNamespace && !wishes.wants(.network): mounts.append(substitute)
            case "/dev/mqueue" where inUserNamespace && !wishes.wants(.ipc): continue
            // Its option names group 5 (tty).
            case "/dev/pts" where inUserNamespace && !maps(group: 5): mounts.append(substitute)
            // An init manages the cgroups below its own.
            case "/sys/fs/cgroup" where wishes.boots:
                var writable = mount
                writable.options.removeAll { $0 == "ro" }
                mounts.append(writable)
            default: mounts.append(mount)
            }
        }
        return mounts + (wishes.boots ? Self.bootMounts : []) + wishes.imageVolumes + wishes.volumes
    }

    /// What an init expects to be empty.
    private static let bootMounts = [("/run", "mode=755"), ("/run/lock", "mode=1777"), ("/tmp", "mode=1777")].map {
        Mount(destination: $0.0, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", $0.1])
    }

    private func maps(group id: UInt32) -> Bool {
        wishes.wants(.user)
            && caller.gidMappings.contains { $0.containerID <= id && id - $0.containerID < $0.size }
    }

    private static let hostProc = Mount(
        destination: "/proc", type: "none", source: "/proc", options: ["rbind", "nosuid", "noexec", "nodev"])
}
