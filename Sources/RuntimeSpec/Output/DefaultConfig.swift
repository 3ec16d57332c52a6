/// The config.json that `spec` writes: a shell in a root filesystem next to it, with the usual mounts and few privileges.
package enum DefaultConfig {
    /// - Parameters:
    ///   - rootless: for a caller without privileges: a user namespace with the caller as root, no network namespace, no
    ///     limits, and `/sys` of the host (a sysfs of one's own needs a network namespace of one's own).
    ///   - uid: the caller, mapped to the container's root. Only used when `rootless`.
    ///   - gid: the caller's group, likewise.
    ///   - unifiedCgroups: whether the host has cgroup v2 alone, where a cgroup namespace is customary.
    package static func make(rootless: Bool, uid: UInt32, gid: UInt32, unifiedCgroups: Bool = false) -> Config {
        var types: [NamespaceType] = [.pid, .network, .ipc, .uts, .mount]
        if unifiedCgroups { types.append(.cgroup) }
        if rootless {
            types.removeAll { $0 == .network }
            types.append(.user)
        }
        let denyDevices = Resources(devices: [DeviceRule(allow: false)])
        return Config(
            ociVersion: SpecVersion.customary,
            root: Root(path: "rootfs", readonly: true),
            mounts: mounts(rootless: rootless),
            process: process,
            hostname: "swrun",
            linux: Linux(
                uidMappings: rootless ? [IDMapping(containerID: 0, hostID: uid, size: 1)] : [],
                gidMappings: rootless ? [IDMapping(containerID: 0, hostID: gid, size: 1)] : [],
                resources: rootless ? nil : denyDevices,
                namespaces: types.map { Namespace($0) },
                maskedPaths: [
                    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                    "/proc/timer_list",
                    "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
                ],
                readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]))
    }

    private static var process: Process {
        let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
        return Process(
            terminal: true,
            args: ["sh"],
            env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            cwd: "/",
            capabilities: Capabilities(
                bounding: capabilities, effective: capabilities, permitted: capabilities),
            rlimits: [Rlimit(type: .nofile, soft: 1024, hard: 1024)],
            noNewPrivileges: true)
    }

    private static func mounts(rootless: Bool) -> [Mount] {
        let safe = ["nosuid", "noexec", "nodev"]
        // Group 5 (tty) is not mapped when only the caller is.
        let terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] + (rootless ? [] : ["gid=5"])
        let sys =
            rootless
            ? Mount(destination: "/sys", type: "none", source: "/sys", options: ["rbind"] + safe + ["ro"])
            : Mount(destination: "/sys", type: "sysfs", source: "sysfs", options: safe + ["ro"])
        return [
            Mount(destination: "/proc", type: "proc", source: "proc"),
            Mount(
                destination: "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            Mount(destination: "/dev/pts", type: "devpts", source: "devpts", options: terminals),
            Mount(
                destination: "/dev/shm", type: "tmpfs", source: "shm", options: safe + ["mode=1777", "size=65536k"]),
            Mount(destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: safe),
            sys,
            Mount(
                destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: safe + ["relatime", "ro"]),
        ]
    }
}
