internal import LinuxSystem
internal import RuntimeSpec

/// The new process, from its birth in the container to the program it becomes. The steps that it shares with a
/// container's first process are those of `Init/`.
enum ExecProcess {
    static func run(
        _ plan: ExecPlan, _ entering: ContainerEntering, _ cgroup: consuming CgroupEntrance,
        _ host: consuming InitChannel
    ) -> Never {
        do throws(RuntimeError) {
            try enter(cgroup)
            try entering.finish()
            throw try setUp(plan, host).execute()
        } catch {
            try? host.send(.failed(error))
            exitNow(255)
        }
    }

    private static func setUp(_ plan: ExecPlan, _ host: borrowing InitChannel) throws(RuntimeError) -> PreparedProgram {
        try setAffinity(plan.process.execCPUAffinity?.final, at: "process.execCPUAffinity.final")
        try explain("cannot start a session") { () throws(SystemError) in try startSession() }
        if plan.newKeyring { try plan.labels.joinKeyring(inContainer: true) }
        // Nothing is left now by which a path in the container could lead out of it.
        closeDescriptors(
            from: plan.inherited.end,
            except: [host.socket.descriptor.rawValue, plan.console?.receiver].compactMap { $0 })

        let root = RootDirectory(
            try explain("cannot open the container's root") { () throws(SystemError) in
                try FileDescriptor.open("/", .place)
            })
        if let console = plan.console { try console.attach(try console.open(in: root, mountConsole: false)) }
        try enterWorkingDirectory(plan.process.cwd, in: root)
        let remains = HostRemains(
            labels: try plan.labels.open(inContainer: true), home: homeDirectory(of: plan.process, in: root))
        return try PreparedProgram(plan.program, remains, host)
    }

    /// Through no magic link: it cannot be a directory of the host that some descriptor still stands for.
    private static func enterWorkingDirectory(
        _ path: String, in root: borrowing RootDirectory
    ) throws(RuntimeError) {
        try explain(
            "cannot enter the working directory \(path)", at: "process.cwd",
            hint: "it must be a directory of the container"
        ) { () throws(SystemError) in try enterDirectory(try root.open(path, .place)) }
    }
}
