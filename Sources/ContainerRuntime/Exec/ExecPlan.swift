internal import LinuxSystem
internal import RuntimeSpec

/// All that the new process has to know, worked out before there is one.
struct ExecPlan {
    let program: ProgramPlan
    let labels: SecurityLabels
    let seccompListener: SeccompListener?
    /// Those of the container's that its config.json lists: all others it shares with whoever made it.
    let namespaces: NamespaceFlags
    let inherited: InheritedDescriptors
    let newKeyring: Bool
    /// See `CredentialPlan`.
    let keepsGroups: Bool
    var console: ConsoleSetup?

    var process: Process { program.process }
    var hasUserNamespace: Bool { namespaces.contains(.user) }

    init(
        _ request: ExecRequest, _ record: ContainerRecord, _ pattern: ExecPattern, warnings: inout [String]
    ) throws(RuntimeError) {
        let config = pattern.config
        let process = try request.process(config)
        let linux = config.linux ?? Linux()
        namespaces = try Self.namespaces(linux.namespaces, of: record.pid)
        inherited = InheritedDescriptors(preserved: request.preservedDescriptors)
        newKeyring = record.hasOwnKeyring
        keepsGroups = config.annotations.keepsGroups
        let filter: ContainerFilter
        if let compiled = pattern.filter {
            filter = ContainerFilter(filter: compiled)
        } else {
            filter = try ContainerFilter(config, cache: request.stateRoot.seccompCache)
        }
        seccompListener = filter.listener
        labels = try SecurityLabels(process, mountLabel: nil)
        program = ProgramPlan(
            process: process,
            credentials: try CredentialPlan(
                process, hasFilter: filter.filter != nil, inUserNamespace: namespaces.contains(.user),
                isRootless: request.rootless, annotations: config.annotations, warnings: &warnings),
            seccomp: filter.filter,
            settings: ProcessSettings(process, personality: linux.personality, memoryPolicy: linux.memoryPolicy),
            listenDescriptors: inherited.listening)
    }

    static func namespaces(_ list: [Namespace], of pid: Int32) throws(RuntimeError) -> NamespaceFlags {
        var flags = NamespaceFlags.none
        for namespace in list {
            // The kernel refuses to enter the user namespace that one is in; a path may be that of the runtime's own.
            if namespace.type == .user, namespace.path != nil, try isOwnUserNamespace(of: pid) { continue }
            flags.insert(namespace.type.flag)
        }
        return flags
    }

    private static func isOwnUserNamespace(of pid: Int32) throws(RuntimeError) -> Bool {
        try explain("cannot look at the container's user namespace") { () throws(SystemError) in
            guard let own = try fileStatus("/proc/self/ns/user"), let other = try fileStatus("/proc/\(pid)/ns/user")
            else { return false }
            return own.isSameFile(as: other)
        }
    }
}

extension ExecRequest {
    /// The process to run: `--process`, or the container's own as a pattern, with what the command line changes.
    func process(_ config: Config) throws(RuntimeError) -> Process {
        var process: Process
        if let processFile {
            let text = try explain("cannot read the process to run", hint: "give --process a file that exists") {
                () throws(SystemError) in try readFile(processFile, limit: Config.maximumDocumentSize)
            }
            do throws(SpecError) {
                process = try Process.decode(text)
            } catch {
                throw RuntimeError("\(processFile): \(error)")
            }
        } else {
            process = config.process ?? Process(cwd: "/")
            process.terminal = false
            // The size is that of the container's first terminal, not of this one.
            process.consoleSize = nil
        }
        changes.apply(to: &process)
        do throws(SpecError) {
            try process.validate()
        } catch {
            throw RuntimeError("\(processFile ?? "process"): \(error)")
        }
        try checkTerminal(process, detached: detached, consoleSocket: consoleSocket)
        return process
    }

    /// The cgroups of the new process.
    func place(_ record: ContainerRecord) throws(RuntimeError) -> ContainerCgroup {
        if !cgroups.isEmpty { return try record.cgroup.below(cgroups) }
        // A cgroup that hands controllers down takes no process (cgroups(7), "no internal processes").
        guard let unified = record.cgroup.unified,
            let handedDown = try? readFile(unified.path + "/cgroup.subtree_control", limit: 4096),
            handedDown.contains(where: { $0 != UInt8(ascii: "\n") })
        else { return record.cgroup }
        return try record.cgroup.following(record.pid)
    }
}
