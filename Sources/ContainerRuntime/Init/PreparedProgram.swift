internal import LinuxSystem
internal import RuntimeSpec

/// What was taken along from the time before the root was changed.
struct HostRemains {
    let labels: OpenedLabels
    /// The value for HOME where `process.env` has none.
    let home: String
}

/// What a program is given when it starts, worked out on the host side: nothing has happened yet. `create` and `exec`
/// share it.
struct ProgramPlan {
    let process: Process
    let credentials: CredentialPlan
    let seccomp: SeccompFilter?
    let settings: ProcessSettings
    /// How many descriptors are announced to it, from 3 on (sd_listen_fds(3)).
    var listenDescriptors: Int32 = 0
    /// Whether it can send readiness messages.
    var hasNotifySocket = false
    /// Whether it is killed when the process that created its container ends.
    var endsWithCaller = false
}

/// The user's program, with everything in place that it is to find: what is left is execve(2).
struct PreparedProgram {
    private let path: String
    private let arguments: CStringVector
    private let environment: CStringVector
    private let filter: SeccompFilter?
    /// A filter that comes last is loaded right before execve(2): what the runtime does until then, which is to wait for
    /// the word to start and to run hooks, needs system calls that the program may be denied.
    private let loadsFilterNow: Bool

    /// Called with the container's root as the root. Takes the settings of `process` in the order in which each still
    /// has the right it needs, and ends without privileges.
    init(
        _ plan: ProgramPlan, _ remains: HostRemains, _ host: borrowing InitChannel
    ) throws(RuntimeError) {
        let process = plan.process
        let variables = Self.environment(plan, home: remains.home)
        environment = CStringVector(variables.list)
        arguments = CStringVector(process.args)
        giveStandardStreams(to: process.user)
        unblockSignals()
        try remains.labels.apply()
        try plan.settings.apply()
        filter = plan.seccomp
        // An agent gets the listener while the container is being created.
        loadsFilterNow =
            plan.credentials.loadsFilterLast && (plan.seccomp.map { !$0.notifies || $0.isWatched } ?? false)
        path = try Self.becomeUser(plan, filter: loadsFilterNow ? nil : plan.seccomp, variables.path, host)
    }

    /// Finds the program with the rights of the container's user, and before the filter could forbid to look.
    private static func becomeUser(
        _ plan: ProgramPlan, filter: SeccompFilter?, _ searchPath: String, _ host: borrowing InitChannel
    ) throws(RuntimeError) -> String {
        var path = ""
        try plan.credentials.apply(
            filter: filter,
            withIdentity: { () throws(RuntimeError) in
                path = try findExecutable(plan.process.args[0], path: searchPath)
                // A change of the user would make the kernel forget it. A caller that has ended before is noticed where
                // its word to start is missing.
                if plan.endsWithCaller {
                    try explain("cannot tie the container's process to this one") { () throws(SystemError) in
                        try dieWithParent()
                    }
                }
            },
            announceListener: { (number) throws(RuntimeError) in try host.send(.seccompListener(descriptor: number)) })
        return path
    }

    /// - Parameter announceListener: as in `CredentialPlan.apply`
    func execute(announceListener: (Int32) throws(RuntimeError) -> Void = { _ in }) -> RuntimeError {
        if loadsFilterNow, let filter {
            do throws(RuntimeError) { try filter.loadAnnouncing(announceListener) } catch { return error }
        }
        let error = LinuxSystem.execute(path, arguments, environment)
        let denied = filter?.firstDenied(of: ["execve"]).map { "linux.seccomp does not allow \($0)" }
        return RuntimeError(
            at: "process.args[0]", "exec: \"\(path)\"", error, hint: denied ?? diagnoseExecution(path, error))
    }

    /// `process.env`, with what the runtime adds: HOME where it is missing, and what a service manager passed.
    private static func environment(_ plan: ProgramPlan, home: String) -> (list: [String], path: String) {
        var list = plan.process.env
        var path = defaultSearchPath
        var hasHome = false
        for entry in list {
            if entry.hasPrefix("PATH=") { path = String(entry.dropFirst(5)) }
            if entry.hasPrefix("HOME="), entry.utf8.count > 5 { hasHome = true }
        }
        if !hasHome {
            list.removeAll { $0 == "HOME=" }
            list.append("HOME=\(home)")
        }
        if plan.listenDescriptors > 0 {
            list.append("LISTEN_FDS=\(plan.listenDescriptors)")
            list.append("LISTEN_PID=\(currentProcessID())")
        }
        if plan.hasNotifySocket { list.append("NOTIFY_SOCKET=\(NotifySocket.pathInContainer)") }
        return (list, path)
    }
}

/// An ordinary user can open /dev/stdout and its like again only when the streams belong to it. Pipes, sockets and
/// terminals were made for this container; files and devices of the host keep their owner.
private func giveStandardStreams(to user: User) {
    guard user.uid != 0 else { return }
    for number in Int32(0)...2 {
        guard let status = try? descriptorStatus(number), status.uid != user.uid,
            status.kind == .fifo || status.kind == .socket || isTerminal(number)
        else { continue }
        try? changeDescriptorOwner(number, uid: user.uid)
    }
}
