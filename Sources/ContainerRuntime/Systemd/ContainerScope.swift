internal import LinuxSystem
internal import RuntimeSpec

/// The scope of a container, as its state has it: with which systemd, and under which name.
package struct ContainerScope: Equatable, Sendable {
    let systemd: Systemd.Kind
    let unit: String

    /// Ends the scope; what is still in it, systemd ends as well. This is also how an interrupted command cleans up: it
    /// is not interrupted a second time.
    func remove() throws(RuntimeError) {
        try Systemd(systemd, interruptedBy: .none).stop(unit)
    }

    /// Has the same limits as the control files, so that systemd does not undo them.
    func update(_ writes: [ControlWrite], devices: [ScopeProperty]) throws(RuntimeError) {
        let manager = try Systemd(systemd)
        let limits = ScopeLimits.of(writes, knowsIdle: try manager.knowsIdle(writes)) + devices
        if !limits.isEmpty { try manager.set(limits, of: unit) }
    }

    /// Where the kernel does not let a user move a process from one part of the tree into another (a session and a
    /// service of the same user are such parts), systemd does.
    func move(_ pid: Int32) throws(RuntimeError) {
        try Systemd(systemd).attach(pid, to: unit)
    }
}

extension Systemd {
    func knowsIdle(_ writes: [ControlWrite]) throws(RuntimeError) -> Bool {
        guard writes.contains(where: { $0.choices.contains { $0.file == "cpu.idle" && $0.text == "1" } }) else {
            return false
        }
        return try version() ?? 0 >= 252
    }
}

/// A scope that is going to be made.
///
/// systemd makes none without a process in it, and takes one away as soon as it is empty. The container's first process
/// is to be born in it, when its limits are set; until then a process that does nothing keeps it.
final class NewScope {
    let scope: ContainerScope
    /// Of the container's cgroup, from the top of the hierarchy: the scope's own, or one in it.
    let path: String
    private let hasSubgroup: Bool
    private let systemd: Systemd
    private let slice: String
    private let id: String
    private let annotated: [ScopeProperty]
    private var keeper: Keeper?

    /// - Throws: when systemd is not in reach, or the names and properties are none
    init(_ config: Config, id: String) throws(RuntimeError) {
        let kind = Systemd.Kind.own
        let name = try ScopeName(cgroupsPath: config.linux?.cgroupsPath, id: id, kind)
        annotated = try ScopeAnnotations.properties(config.annotations)
        systemd = try Systemd(kind)
        let subgroup = try config.annotations.cgroupName(.scopeSubgroup)
        path = try systemd.controlGroup() + name.path + (subgroup.map { "/\($0)" } ?? "")
        hasSubgroup = subgroup != nil
        scope = ContainerScope(systemd: kind, unit: name.unit)
        slice = name.slice
        self.id = id
    }

    deinit { release() }

    /// Returns when the scope has its cgroup and the keeper is in it.
    ///
    /// - Parameter devices: of a v1 device list
    func start(_ writes: [ControlWrite], devices: [ScopeProperty]) throws(RuntimeError) {
        let keeper = try Keeper()
        let pid = UInt32(bitPattern: keeper.pid)
        self.keeper = keeper
        // Without a word systemd has a limit of its own for processes, which no other cgroup manager has.
        let properties = [
            ScopeProperty("Description", .string("container \(id)")),
            ScopeProperty("Slice", .string(slice)),
            ScopeProperty("Delegate", .boolean(true)),
            ScopeProperty("PIDs", .array(of: "u", [.uint32(pid)])),
            // A container that failed leaves no unit in the list.
            ScopeProperty("CollectMode", .string("inactive-or-failed")),
            // When the system goes down, the engine ends its containers in its own order.
            ScopeProperty("DefaultDependencies", .boolean(false)),
            ScopeProperty("CPUAccounting", .boolean(true)),
            ScopeProperty("MemoryAccounting", .boolean(true)),
            ScopeProperty("TasksAccounting", .boolean(true)),
            ScopeProperty("IOAccounting", .boolean(true)),
            ScopeProperty("TasksMax", .uint64(.max)),
        ]
        let limits = ScopeLimits.of(writes, knowsIdle: try systemd.knowsIdle(writes))
        do throws(RuntimeError) {
            try systemd.start(scope.unit, properties + limits + devices + annotated)
        } catch {
            // systemd does not always say which property it cannot take.
            if annotated.isEmpty { throw error }
            let names = annotated.map(\.name).joined(separator: ", ")
            throw RuntimeError("\(error.message); annotations set the properties \(names)")
        }
    }

    /// Where the container's cgroup is one in the scope, the keeper waits there: the scope could not hand controllers
    /// down with a process of its own.
    func enterSubgroup(_ cgroup: ContainerCgroup) throws(RuntimeError) {
        guard hasSubgroup, let keeper, let unified = cgroup.unified else { return }
        try explain("cannot keep the scope") { () throws(SystemError) in
            try writeControl(unified.path + "/cgroup.procs", "\(keeper.pid)".utf8)
        }
    }

    /// From here on the container's own process keeps the scope.
    func release() {
        keeper = nil
    }
}

/// A process that waits until this one lets it go, or has ended.
private final class Keeper {
    let pid: Int32
    /// Nothing is ever written: that it is closed, says that this process has gone.
    private let end: Int32

    init() throws(RuntimeError) {
        let pipe = try explain("cannot make a pipe") { () throws(SystemError) in try Pipe() }
        let born = try explain("cannot make a process that keeps the scope") { () throws(SystemError) in
            try clone()
        }
        switch consume born {
        case .child:
            // Locks and connections would outlive this process's parent in it.
            closeDescriptors(from: 0, except: [pipe.read.rawValue])
            _ = try? pipe.read.read(upTo: 1)
            exitNow(0)
        case .parent(let process):
            pid = process.pid
            end = pipe.writer().release()
        }
    }

    deinit {
        // Killed, not asked: a child that has just been born may have the other end too.
        try? sendSignal(9, to: pid)
        _ = try? waitForEnd(of: pid)
        closeDescriptor(end)
    }
}
