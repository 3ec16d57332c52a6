internal import LinuxSystem
internal import RuntimeSpec

/// A mount of the container that shows something of the host: criu does not save it, and has to be told where it comes
/// from when it is restored.
struct ExternalMount: Equatable {
    /// The path in the container.
    let key: String
    /// What stands there after a restore, as a path of the host.
    let value: String

    /// The mounts that config.json, and the runtime by itself, take from the host.
    static func expected(_ config: Config, _ record: ContainerRecord) -> [ExternalMount] {
        var mounts: [ExternalMount] = []
        for mount in config.mounts where mount.isBind {
            guard let source = mount.source else { continue }
            mounts.append(
                ExternalMount(
                    key: mount.destination,
                    value: source.utf8.first == UInt8(ascii: "/") ? source : "\(record.bundle)/\(source)"))
        }
        mounts += cgroups(config, record.cgroup)
        let linux = config.linux ?? Linux()
        mounts += linux.maskedPaths.map { ExternalMount(key: $0, value: "/dev/null") }
        if linux.namespaces.contains(where: { $0.type == .user }) {
            // Device files can not be made there: those of the host are bound.
            for path in DeviceNode.standard.map(\.path) + linux.devices.map(\.path) {
                mounts.append(ExternalMount(key: path, value: path))
            }
        }
        return mounts
    }

    /// Without a cgroup namespace a container sees its part of the host's hierarchies (`CgroupView`): one mount of version
    /// 2, or a directory with one mount a hierarchy.
    private static func cgroups(_ config: Config, _ cgroup: ContainerCgroup) -> [ExternalMount] {
        if config.linux?.namespaces.contains(where: { $0.type == .cgroup }) == true { return [] }
        var mounts: [ExternalMount] = []
        for mount in config.mounts where !mount.isBind && (mount.type == "cgroup" || mount.type == "cgroup2") {
            for directory in cgroup.directories {
                if directory.isUnified { mounts.append(ExternalMount(key: mount.destination, value: directory.path)) }
                let name = directory.name.hasPrefix("name=") ? String(directory.name.dropFirst(5)) : directory.name
                mounts.append(ExternalMount(key: "\(mount.destination)/\(name)", value: directory.path))
            }
        }
        return mounts
    }

    /// Of `expected`, those that a running container has: criu refuses names of what is not there.
    static func present(_ config: Config, _ record: ContainerRecord) throws(RuntimeError) -> [ExternalMount] {
        let table = try explain("cannot read the container's mounts") { () throws(SystemError) in
            try readFile("/proc/\(record.pid)/mountinfo", limit: 1 << 24)
        }
        // "36 35 98:0 /root /mount/point options ... - type source options" (proc_pid_mountinfo(5))
        var roots: [String: String] = [:]
        for line in String(decoding: table, as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count > 4 { roots[String(fields[4])] = String(fields[3]) }
        }
        let isBind = Set(config.mounts.filter(\.isBind).map(\.destination))
        // A masked directory is an empty filesystem of the container's own.
        return expected(config, record).filter { mount in
            roots[mount.key].map { isBind.contains(mount.key) || $0 != "/" } ?? false
        }
    }
}

extension Mount {
    fileprivate var isBind: Bool { type == "bind" || options.contains("bind") || options.contains("rbind") }
}

/// A namespace of the container that is somebody else's too: it is entered again, not saved.
struct ExternalNamespace {
    let type: NamespaceType
    let path: String

    /// criu knows how to enter these two.
    static func list(_ config: Config) throws(RuntimeError) -> [ExternalNamespace] {
        var list: [ExternalNamespace] = []
        for (index, namespace) in (config.linux?.namespaces ?? []).enumerated() {
            guard let path = namespace.path else { continue }
            guard namespace.type == .network || namespace.type == .pid else {
                throw RuntimeError(
                    at: "linux.namespaces[\(index)].path",
                    "criu cannot leave a shared \(namespace.type.rawValue) namespace out of a checkpoint")
            }
            list.append(ExternalNamespace(type: namespace.type, path: path))
        }
        return list
    }

    /// The name under which it stands in the images.
    var name: String { type == .network ? "extRootNetNS" : "extRootPidNS" }

    /// How a dump is told to leave it out.
    func left(out pid: Int32) throws(RuntimeError) -> String {
        let file = "/proc/\(pid)/ns/\(type.fileName)"
        let status = try explain("cannot look at the container's namespaces") { () throws(SystemError) in
            try fileStatus(file)
        }
        return "\(type.fileName)[\(status?.inode ?? 0)]:\(name)"
    }
}
