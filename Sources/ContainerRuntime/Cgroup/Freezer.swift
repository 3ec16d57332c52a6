internal import Glibc
internal import LinuxSystem

/// Holding all processes of a container, and letting them go: the v1 freezer where the host has it (other tools look
/// there), else v2's `cgroup.freeze`.
extension ContainerCgroup {
    private var freezer: Freezer? {
        if let directory = directory(of: "freezer") { return .v1(directory.path + "/freezer.state") }
        return unified.map { .v2($0.path) }
    }

    /// The directory by which the container can be held, or nil.
    var freezerPath: String? { (directory(of: "freezer") ?? unified)?.path }

    /// Whether the container is frozen, or is about to be.
    package var isFrozen: Bool {
        guard let freezer, let state = try? freezer.state() else { return false }
        return state != .thawed
    }

    /// Returns when every process is held.
    ///
    /// - Parameter patience: in microseconds.
    /// - Throws: when some process does not stop in that time (a system call that cannot be interrupted); the others run
    ///   again then.
    package func freeze(patience: Int = 10_000_000) throws(RuntimeError) {
        let freezer = try required()
        try explain("cannot freeze the container") { () throws(SystemError) in
            do throws(SystemError) { try freezer.freeze(patience: patience) } catch {
                try? freezer.set(.thawed)
                throw error
            }
        }
    }

    package func thaw() throws(RuntimeError) {
        let freezer = try required()
        try explain("cannot thaw the container") { () throws(SystemError) in try freezer.set(.thawed) }
    }

    /// Lets go what the v1 freezer holds, also in cgroups below the container's that somebody froze by themselves: a
    /// signal, SIGKILL included, reaches nobody in there. (v2 lets the frozen die.)
    func thawForDeath() {
        guard let directory = directory(of: "freezer") else { return }
        var pending = [directory.path]
        while let path = pending.popLast() {
            try? Freezer.v1(path + "/freezer.state").set(.thawed)
            if let status = try? fileStatus(path), status.links > 2 { pending += (try? childCgroups(of: path)) ?? [] }
        }
    }

    private func required() throws(RuntimeError) -> Freezer {
        guard let freezer else {
            throw RuntimeError(
                "cannot freeze the container: it has no cgroup with a freezer", nil,
                hint: "the host has to mount the v1 freezer controller or cgroup v2 when the container is created")
        }
        return freezer
    }
}

private enum Freezer {
    /// The file freezer.state
    case v1(String)
    /// The cgroup
    case v2(String)

    enum State { case thawed, freezing, frozen }

    func set(_ state: State) throws(SystemError) {
        switch self {
        case .v1(let file): try writeControl(file, (state == .thawed ? "THAWED" : "FROZEN").utf8)
        case .v2(let path): try writeControl(path + "/cgroup.freeze", (state == .thawed ? "0" : "1").utf8)
        }
    }

    func state() throws(SystemError) -> State {
        switch self {
        case .v1(let file):
            let text = try readControl(file)
            return text.starts(with: "THAWED".utf8) ? .thawed : text.starts(with: "FROZEN".utf8) ? .frozen : .freezing
        case .v2(let path):
            if try readControl(path + "/cgroup.freeze").first == UInt8(ascii: "0") { return .thawed }
            let events = try readControl(path + "/cgroup.events")
            return events.split(separator: UInt8(ascii: "\n")).contains { $0.elementsEqual("frozen 1".utf8) }
                ? .frozen : .freezing
        }
    }

    func freeze(patience: Int) throws(SystemError) {
        try set(.frozen)
        var waited = 0
        var pause = 50
        while try state() != .frozen {
            guard waited < patience else { throw SystemError("freeze", "", Errno(ETIMEDOUT)) }
            usleep(UInt32(pause))
            waited += pause
            pause = min(pause * 2, 10_000)
            // A v1 cgroup may stay half frozen when a process forks at the wrong moment; asking again gets it there.
            if case .v1 = self { try set(.frozen) }
        }
    }
}
