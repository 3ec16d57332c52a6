internal import Glibc
internal import LinuxSystem
internal import RuntimeSpec

/// Giving a container its v2 cgroup, so that it can make cgroups of its own below it (config-linux.md, "Cgroup
/// ownership"). Its limits stay with the runtime: only the files that the kernel names as harmless change hands.
enum Delegation {
    /// The user of the host who is to own the container's cgroup; nil where it is not to change hands. v1 is never
    /// delegated, and a container that cannot write to its cgroup mount, or that would see others', has no use for it.
    static func owner(_ config: Config, _ layout: CgroupLayout) -> UInt32? {
        guard layout.kind == .v2, let linux = config.linux, let namespace = linux.namespaces[.cgroup],
            namespace.path == nil, let process = config.process
        else { return nil }
        let isWritable = config.mounts.contains { mount in
            mount.source == "cgroup" && mount.destination == "/sys/fs/cgroup" && !mount.options.contains("ro")
        }
        guard isWritable else { return nil }
        let owner = linux.namespaces[.user] == nil ? process.user.uid : linux.uidMappings.host(of: process.user.uid)
        // Whoever makes the cgroup owns it.
        return owner == geteuid() ? nil : owner
    }

    /// The files that change hands besides the directory itself, for kernels that do not say it
    /// (/sys/kernel/cgroup/delegate).
    private static let customaryFiles = ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]

    static func give(_ path: String, to owner: UInt32) throws(SystemError) {
        let directory = try FileDescriptor.open(path, .directory)
        try directory.changeOwner("", uid: owner, gid: .max)
        var files = customaryFiles
        if let text = try? readControl("/sys/kernel/cgroup/delegate") {
            files = text.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
        }
        for file in files {
            do throws(SystemError) { try directory.changeOwner(file, uid: owner, gid: .max) } catch
                where error.errno == .noEntry
            {}
        }
    }
}

extension [IDMapping] {
    /// What an id of the container is on the host; nil when it is not mapped.
    func host(of id: UInt32) -> UInt32? {
        for mapping in self where id >= mapping.containerID && id - mapping.containerID < mapping.size {
            return mapping.hostID &+ (id - mapping.containerID)
        }
        return nil
    }
}
