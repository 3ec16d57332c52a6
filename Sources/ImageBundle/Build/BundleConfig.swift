package import LinuxSystem
package import RuntimeSpec

extension ImageFacts {
    /// The config.json of the bundle: the usual sandbox of `spec`, with what the image says.
    ///
    /// - Parameter ownIDs: of an ordinary user, for whom a user namespace is mapped as it was when the files got their owners
    func config(ownIDs: OwnIDs?, unifiedCgroups: Bool) -> Config {
        var config = DefaultConfig.make(rootless: ownIDs != nil, uid: 0, gid: 0, unifiedCgroups: unifiedCgroups)
        config.linux?.uidMappings = ownIDs?.users.map(IDMapping.init) ?? []
        config.linux?.gidMappings = ownIDs?.groups.map(IDMapping.init) ?? []
        config.root = Root(path: "rootfs", readonly: false)
        config.hostname = hostname ?? "swrun"
        config.annotations = annotations
        var process = config.process ?? Process(cwd: "/")
        process.args = args.isEmpty ? ["/bin/sh"] : args
        process.terminal = terminal
        if !env.isEmpty { process.env = env }
        process.cwd = cwd
        process.user = User(uid: self.uid, gid: self.gid, additionalGids: additionalGids)
        // Programs of an image expect what engines give them: its services change their user, its package manager changes
        // owners, its sudo gains privileges within these bounds.
        process.capabilities = Capabilities(
            bounding: Self.capabilities, effective: Self.capabilities, permitted: Self.capabilities)
        process.noNewPrivileges = false
        config.process = process
        for volume in volumes {
            config.mounts.append(
                Mount(
                    destination: volume.destination, type: "bind", source: volume.source,
                    options: ["rbind", "rw", "nodev"]))
        }
        if isInitSystem {
            for (path, mode) in [("/run", "755"), ("/run/lock", "1777"), ("/tmp", "1777")] {
                config.mounts.append(
                    Mount(
                        destination: path, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=\(mode)"])
                )
            }
        }
        return config
    }

    private static let capabilities = [
        "CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
        "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
        "CAP_SYS_CHROOT",
    ]
}

extension IDMapping {
    package init(_ range: IDRange) {
        self.init(containerID: range.inside, hostID: range.outside, size: range.count)
    }
}
