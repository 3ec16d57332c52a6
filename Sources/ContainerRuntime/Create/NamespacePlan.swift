internal import LinuxSystem
internal import RuntimeSpec

/// Which namespaces a container's first process gets, and when: some at birth, some joined before it, some only once
/// it is where it belongs.
struct NamespacePlan: Equatable {
    /// New ones, made by clone3(2).
    var atBirth = NamespaceFlags.none
    /// Existing ones, joined in this order by the process that then gives birth.
    var joined: [Joined] = []
    /// A new cgroup namespace takes the cgroup its maker is in as the root: it is made after the cgroup is entered.
    var newCgroup = false
    /// The offsets of a new time namespace can be set only while no process is in it.
    var newTime = false

    struct Joined: Equatable {
        let type: NamespaceType
        let path: String
        let configPath: String
    }

    init(_ namespaces: [Namespace]) {
        for (index, namespace) in namespaces.enumerated() {
            if let path = namespace.path {
                joined.append(Joined(type: namespace.type, path: path, configPath: "linux.namespaces[\(index)].path"))
            } else if namespace.type == .cgroup {
                newCgroup = true
            } else if namespace.type == .time {
                newTime = true
            } else {
                atBirth.insert(namespace.type.flag)
            }
        }
        // The user namespace comes first, because it gives the right to join those it owns; the mount namespace last,
        // because the paths of the others are paths of the host's.
        joined.sort { Self.rank($0.type) < Self.rank($1.type) }
    }

    private static func rank(_ type: NamespaceType) -> Int {
        switch type {
        case .user: 0
        case .mount: 2
        default: 1
        }
    }

    func joins(_ type: NamespaceType) -> Bool { joined.contains { $0.type == type } }

    /// Whether the container is in a user namespace other than the runtime's.
    var hasUserNamespace: Bool { atBirth.contains(.user) || joins(.user) }
}

extension NamespaceType {
    var flag: NamespaceFlags {
        switch self {
        case .cgroup: .cgroup
        case .ipc: .ipc
        case .mount: .mount
        case .network: .network
        case .pid: .pid
        case .time: .time
        case .user: .user
        case .uts: .uts
        }
    }
}

/// The namespace files of a container, opened before anything is made, so that a wrong path fails early and what was
/// checked is what is joined.
struct JoinedNamespaces: ~Copyable {
    /// Valid for as long as this value is.
    let entrance: NamespaceEntrance

    init(_ plan: NamespacePlan) throws(RuntimeError) {
        var opened: [(descriptor: Int32, plan: NamespacePlan.Joined)] = []
        do throws(RuntimeError) {
            for entry in plan.joined { opened.append((try Self.open(entry), entry)) }
        } catch {
            for entry in opened { _ = FileDescriptor(owning: entry.descriptor) }
            throw error
        }
        entrance = NamespaceEntrance(entries: opened)
    }

    deinit {
        for entry in entrance.entries { _ = FileDescriptor(owning: entry.descriptor) }
    }

    var isEmpty: Bool { entrance.entries.isEmpty }

    func has(_ type: NamespaceType) -> Bool { entrance.entries.contains { $0.plan.type == type } }

    private static func open(_ entry: NamespacePlan.Joined) throws(RuntimeError) -> Int32 {
        let file = try explain(
            "cannot open the \(entry.type.rawValue) namespace", at: entry.configPath,
            hint: "give the path of an existing namespace file, such as /proc/PID/ns/\(entry.type.fileName)"
        ) { () throws(SystemError) in try FileDescriptor.open(entry.path, []) }
        guard file.namespaceKind() == entry.type.flag else {
            throw RuntimeError(
                at: entry.configPath, "\(entry.path) is not a \(entry.type.rawValue) namespace",
                hint: "the kernel tells another kind, or that it is no namespace file (ioctl NS_GET_NSTYPE)")
        }
        return file.release()
    }
}

/// The way into open namespaces.
struct NamespaceEntrance {
    fileprivate let entries: [(descriptor: Int32, plan: NamespacePlan.Joined)]

    /// Joins them all. The caller is a process that exists for this: it does not come back to where it was.
    func enter() throws(RuntimeError) {
        for (descriptor, plan) in entries {
            // Joining the user namespace one is in already is refused by the kernel (EINVAL), and is no error here.
            if plan.type == .user, isOwnUserNamespace(descriptor) { continue }
            try explain("cannot join the \(plan.type.rawValue) namespace \(plan.path)", at: plan.configPath) {
                () throws(SystemError) in try enterNamespace(descriptor, plan.type.flag)
            }
        }
    }

    private func isOwnUserNamespace(_ descriptor: Int32) -> Bool {
        guard let own = try? fileStatus("/proc/self/ns/user"), let other = try? descriptorStatus(descriptor) else {
            return false
        }
        return own.isSameFile(as: other)
    }
}

extension NamespaceType {
    /// The file's name in /proc/PID/ns.
    package var fileName: String {
        switch self {
        case .mount: "mnt"
        case .network: "net"
        default: rawValue
        }
    }
}
