internal import LinuxSystem
internal import RuntimeSpec

/// `mounts add` and `mounts remove`: changes the mounts of a running container, from inside its namespaces. Its
/// config.json stays what it was.
package enum LiveMounts {
    /// Mounts what the file lists, in its order; either all of it or nothing.
    package static func add(_ id: ContainerID, in root: StateRoot, file: String) throws(RuntimeError) {
        let mounts = try read(file)
        let state = try root.open(id)
        let container = try LiveContainer(state)
        let linux = container.config.linux ?? Linux()
        var planned: [PlannedMount] = []
        for (index, mount) in mounts.enumerated() {
            planned.append(try PlannedMount(mount, index: index, bundle: container.record.bundle))
        }
        let sources = try open(planned, linux)
        let plan = MountPlan(
            mounts: planned, sources: sources, linux: linux,
            labels: try SecurityLabels(nil, mountLabel: linux.mountLabel, annotations: container.config.annotations),
            cgroupView: CgroupView(
                layout: try CgroupLayout.detect(), hasOwnNamespace: NamespacePlan(linux.namespaces).newCgroup,
                cgroup: container.record.cgroup))
        defer { for number in sources where number >= 0 { closeDescriptor(number) } }
        try container.inside { (root) throws(RuntimeError) in
            var done: [String] = []
            do throws(RuntimeError) {
                for (index, mount) in planned.enumerated() {
                    let one = MountPlan(
                        mounts: [mount], sources: [sources[index]], linux: linux, labels: plan.labels,
                        cgroupView: plan.cgroupView)
                    var steps = MountSteps(one)
                    try steps.run(in: root)
                    done.append(mount.destination)
                }
            } catch {
                for destination in done.reversed() { try? unmount(destination, in: root) }
                throw error
            }
        }
    }

    /// Unmounts the destinations that the file lists, the last one first.
    package static func remove(_ id: ContainerID, in root: StateRoot, file: String) throws(RuntimeError) {
        let mounts = try read(file)
        let state = try root.open(id)
        try LiveContainer(state).inside { (root) throws(RuntimeError) in
            for (index, mount) in mounts.enumerated().reversed() {
                try explain("cannot unmount \(mount.destination)", at: "mounts[\(index)].destination") {
                    () throws(SystemError) in try unmount(mount.destination, in: root)
                }
            }
        }
    }

    /// The property `mounts` of a config.json, or a document that has it.
    private static func read(_ file: String) throws(RuntimeError) -> [Mount] {
        let text = try explain("cannot read the mounts", hint: "give a file with a list of mounts in JSON") {
            () throws(SystemError) in try readFile(file, limit: Config.maximumDocumentSize)
        }
        do throws(SpecError) {
            return try MountList.decode(text).mounts
        } catch {
            throw RuntimeError("\(file): \(error)")
        }
    }

    /// The sources of bind mounts are paths of the runtime's namespace.
    private static func open(_ mounts: [PlannedMount], _ linux: Linux) throws(RuntimeError) -> [Int32] {
        var sources: [Int32] = []
        for mount in mounts {
            guard mount.content.isBind else {
                sources.append(-1)
                continue
            }
            do throws(SystemError) {
                sources.append(try openBindSource(mount, linux).release())
            } catch {
                throw explainBindSource(mount, error)
            }
        }
        return sources
    }

    /// By its name in its directory, both resolved in the container: a link cannot send it elsewhere.
    private static func unmount(_ destination: String, in root: borrowing RootDirectory) throws(SystemError) {
        let (directory, name) = splitPath(destination.utf8.first == UInt8(ascii: "/") ? destination : "/" + destination)
        guard !name.isEmpty, name != ".", name != ".." else { throw SystemError("umount2", destination, .invalid) }
        try enterDirectory(try root.open(directory, .place))
        try detachMount(name, followLinks: false)
    }
}

private struct MountList: JSONDecodable {
    let mounts: [Mount]

    init(json: JSONValue) throws(SpecError) {
        if let object = try? json.object() {
            mounts = try object.list("mounts")
        } else {
            mounts = try [Mount](json: json)
        }
    }
}

/// A container that runs, for work in its namespaces.
struct LiveContainer: ~Copyable {
    let record: ContainerRecord
    let config: Config
    private let process: FileDescriptor
    private let namespaces: NamespaceFlags

    init(_ state: borrowing StateDirectory) throws(RuntimeError) {
        let record = try state.readRecord()
        let config = try state.readConfig()
        let namespaces = try ExecPlan.namespaces(config.linux?.namespaces ?? [], of: record.pid)
        guard namespaces.contains(.mount) else {
            throw RuntimeError("the container has no mount namespace of its own: its mounts are the host's")
        }
        guard let process = record.openProcess() else { throw RuntimeError("container not running") }
        self.record = record
        self.config = config
        self.process = process
        self.namespaces = namespaces
    }

    /// Runs `body` in a child that is in the container's namespaces, its root the container's.
    borrowing func inside(
        _ body: (borrowing RootDirectory) throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        let report = try explain("cannot make a pipe") { () throws(SystemError) in try Pipe() }
        let born = try explain("cannot make a process that enters the container") { () throws(SystemError) in
            try clone()
        }
        switch consume born {
        case .child:
            do throws(RuntimeError) {
                setDumpable(false)
                try enter()
                try body(RootDirectory(try root()))
                exitNow(0)
            } catch {
                try? report.write.write(error.message)
                exitNow(1)
            }
        case .parent(let child):
            let reader = report.reader()
            let (answer, end) = try explain("cannot hear from the process in the container") {
                () throws(SystemError) in (try reader.readToEnd(limit: 1 << 16), try waitForEnd(of: child.pid))
            }
            guard end == .exited(0) else {
                let text = String(decoding: answer, as: UTF8.self)
                throw RuntimeError(text.isEmpty ? "the process in the container was killed" : text)
            }
        }
    }

    private borrowing func enter() throws(RuntimeError) {
        let (process, namespaces) = (process.rawValue, namespaces)
        try explain("cannot enter the container's namespaces") { () throws(SystemError) in
            try enterNamespace(process, namespaces)
        }
        if namespaces.contains(.user) { try becomeRoot() }
        setDumpable(false)
    }

    private borrowing func root() throws(RuntimeError) -> FileDescriptor {
        try explain("cannot open the container's root") { () throws(SystemError) in
            try FileDescriptor.open("/", .place)
        }
    }
}
