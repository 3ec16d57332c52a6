internal import LinuxSystem
internal import RuntimeSpec

/// The way into a container. Most of it is gone by the process in between (`ExecContainer`): its child begins in the
/// container's namespaces, with the container's root. Two kinds are left to the child:
///
/// - cgroup: it may be born in a cgroup only where it sees both the old one and the new one (cgroups(7), nsdelegate);
/// - user: the right to be born there is the host's. Until then nobody in the container has rights over it.
struct ContainerEntering {
    private let plan: ExecPlan
    /// What becomes the root where no mount namespace is entered.
    private let root: Int32?
    /// A pidfd of the container's first process.
    private let container: Int32
    private let namespacesOfChild: NamespaceFlags

    init(_ plan: ExecPlan, root: Int32?, container: Int32) {
        self.plan = plan
        self.root = root
        self.container = container
        // Without privileges, only membership in the user namespace gives the right to enter the others.
        let kinds: NamespaceFlags = effectiveUserID() == 0 ? .userAndCgroup : .cgroup
        namespacesOfChild = plan.namespaces.intersection(kinds)
    }

    /// Whether the process in between may share the memory of `exec`.
    var mayShareMemory: Bool { !plan.namespaces.contains(.time) && !plan.hasUserNamespace }

    /// In the process in between.
    ///
    /// - Parameter kept: descriptors that stay open; all others of the host are closed before anybody can look
    func begin(keeping kept: [Int32]) throws(RuntimeError) {
        try useRightsOfHost()
        // From here on nobody may look into this process or its child; where that is allowed all the same
        // (CAP_SYS_PTRACE), there is nothing of the host to be found.
        setDumpable(false)
        try enterRoot()
        try enter(plan.namespaces.subtracting(namespacesOfChild))
        closeDescriptors(from: plan.inherited.end, except: kept + [container])
    }

    /// In its child.
    func finish() throws(RuntimeError) {
        try enter(namespacesOfChild)
        closeDescriptor(container)
    }

    /// What the container's own user may not do.
    private func useRightsOfHost() throws(RuntimeError) {
        // Before the cgroup is entered (config.md, execCPUAffinity).
        try setAffinity(plan.process.execCPUAffinity?.initial, at: "process.execCPUAffinity.initial")
        if let score = plan.process.oomScoreAdj {
            try explain(
                "cannot set the oom score", at: "process.oomScoreAdj", hint: "lowering it needs CAP_SYS_RESOURCE"
            ) {
                () throws(SystemError) in try writeFile("/proc/self/oom_score_adj", "\(score)")
            }
        }
        if plan.hasUserNamespace { try plan.program.settings.raiseHardLimits(of: 0) }
    }

    private func enterRoot() throws(RuntimeError) {
        guard let root else { return }
        try explain("cannot enter the container's root") { () throws(SystemError) in
            try enterDirectory(FileDescriptor(owning: root))
            try changeRoot()
        }
    }

    private func enter(_ namespaces: NamespaceFlags) throws(RuntimeError) {
        if namespaces.isEmpty { return }
        do throws(SystemError) {
            try enterNamespace(container, namespaces)
        } catch {
            if error.errno == .noSuchProcess { throw RuntimeError("cannot exec in a stopped container") }
            throw RuntimeError("cannot enter the container's namespaces", error)
        }
        guard namespaces.contains(.user) else { return }
        try becomeRoot(keepingGroups: plan.keepsGroups)
        setDumpable(false)  // a change of the user makes a process as open to others as it was at first
    }
}

func setAffinity(_ list: String?, at path: String) throws(RuntimeError) {
    guard let list, let cpus = NumberList(parsing: list), !cpus.isEmpty else { return }
    try explain("cannot run on the cpus \(list)", at: path, hint: "at least one of them must be there and allowed") {
        () throws(SystemError) in try setProcessorAffinity(cpus.mask.map { UInt($0) })
    }
}
