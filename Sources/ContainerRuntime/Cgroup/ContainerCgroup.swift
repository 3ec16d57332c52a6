internal import CLinux
internal import Glibc
internal import LinuxSystem
package import RuntimeSpec

/// Who makes and removes a container's cgroups.
package enum CgroupDriver: String, SpecWord {
    /// swrun, with mkdir(2).
    case cgroupfs
    /// systemd, as transient scopes.
    case systemd
    /// Nobody: the container stays where the runtime was started, and whoever did that answers for limits.
    case disabled

    package static let noun: StaticString = "cgroup manager"
}

/// A container's directory in one hierarchy.
package struct CgroupDirectory: Equatable, Sendable {
    /// As in `CgroupHierarchy`: empty for the unified hierarchy.
    package let controllers: [String]
    /// Absolute, as the runtime sees it.
    package let path: String
    /// How many directories at the end of `path` this container made: 0 when its cgroup existed before, nil while that
    /// is not known because the making has not been reported yet.
    package var made: Int?

    package init(controllers: [String], path: String, made: Int? = nil) {
        self.controllers = controllers
        self.path = path
        self.made = made
    }

    package var isUnified: Bool { controllers.isEmpty }
    /// Under which word errors and `/proc/PID/cgroup` know the hierarchy.
    var name: String { isUnified ? "unified" : controllers.joined(separator: ",") }
}

/// Where a container is in each hierarchy. It is kept in the container's state, so that later commands neither look at
/// the mount table nor need to be told the driver.
package struct ContainerCgroup: Equatable, Sendable {
    package let driver: CgroupDriver
    /// One per hierarchy, the unified one last; none when the container has no cgroup of its own.
    package var directories: [CgroupDirectory]
    /// An extended attribute of the container's cgroup that tells it from one that somebody else made under the same
    /// name later on. It matters when a create was killed before it could report what it had made.
    let mark: String
    /// Of the driver systemd.
    var scope: ContainerScope?

    package init(
        driver: CgroupDriver, directories: [CgroupDirectory], mark: String = "", scope: ContainerScope? = nil
    ) {
        self.driver = driver
        self.directories = directories
        self.mark = mark
        self.scope = scope
    }

    package var unified: CgroupDirectory? { directories.last.flatMap { $0.isUnified ? $0 : nil } }

    /// The v1 directory that has `controller`, or nil.
    package func directory(of controller: String) -> CgroupDirectory? {
        directories.first { $0.controllers.contains(controller) }
    }

    /// The directory whose list of processes counts: every process of the container is in each of them, unless one with
    /// the power to do so moved it away, for which the unified hierarchy and the freezer are the least tempting.
    var census: CgroupDirectory? { unified ?? directory(of: "freezer") ?? directories.first }

    /// The processes in the container's cgroup and in those below it, as the runtime's pid namespace numbers them.
    /// Empty when the cgroup is gone.
    package func processes() throws(RuntimeError) -> [Int32] {
        guard let census else { return [] }
        return try explain("cannot list the container's processes") { () throws(SystemError) in
            try processesInTree(census.path)
        }
    }

    /// Sends `signal` to every process of the container, new ones included. SIGKILL reaches a paused container too:
    /// what a v1 freezer holds is let go, because it would not die before.
    package func killAll(_ signal: Int32) throws(RuntimeError) {
        guard isOwn else { return }
        if signal == SIGKILL, let unified, killWithKernel(unified.path) {
            thawForDeath()
            return
        }
        var pids = try processes()
        if pids.isEmpty { return }
        // Frozen processes do not fork, so that one round reaches all of them. Where there is no freezer, or a process
        // does not stop, later rounds are for those born meanwhile.
        let wasFrozen = isFrozen
        let isHeld = wasFrozen || (try? freeze(patience: 500_000)) != nil
        for _ in 0..<(isHeld || signal != SIGKILL ? 1 : 16) {
            pids = try processes()
            for pid in pids {
                try explain("cannot signal process \(pid) of the container") { () throws(SystemError) in
                    do throws(SystemError) { try sendSignal(signal, to: pid) } catch
                        where error.errno == .noSuchProcess
                    {}
                }
            }
            if pids.isEmpty { break }
        }
        if signal == SIGKILL { thawForDeath() }
        if isHeld && (!wasFrozen || signal == SIGKILL) { try? thaw() }
    }

    /// `cgroup.kill` (kernel 5.14) ends a cgroup and all below it in one step that nothing can outrun.
    private func killWithKernel(_ path: String) -> Bool {
        (try? writeControl(path + "/cgroup.kill", "1".utf8)) != nil
    }

    /// Puts the mark on the census directory. Where extended attributes are refused, a create that is killed leaves
    /// processes that have to be found by hand.
    func setMark() {
        guard let census else { return }
        for name in Self.markNames where cl_setxattr(census.path, name, mark, mark.utf8.count) == 0 { return }
    }

    /// The first is beyond the reach of containers; the second is what a runtime without privileges may set.
    private static let markNames = ["trusted.swrun", "user.swrun"]

    /// Whether the container's cgroup is the one that its create made, or found unused.
    private var isOwn: Bool {
        guard let census, census.made == nil else { return true }
        return Self.markNames.contains { name in
            var value = [UInt8](repeating: 0, count: 512)
            let length = cl_getxattr(census.path, name, &value, value.count)
            return length >= 0 && value[..<length].elementsEqual(mark.utf8)
        }
    }

    /// Removes what this container made: its cgroups with everything below them, then the parents that were made for
    /// them and that nobody else uses by now. A cgroup that existed before the container stays. Nothing is killed.
    ///
    /// - Throws: when a process is (still, after two seconds) inside.
    package func remove() throws(RuntimeError) {
        var failure: RuntimeError?
        let isOwn = isOwn
        for directory in directories.reversed() where directory.made != 0 {
            do throws(RuntimeError) {
                // Of what a killed create may not even have begun with, an empty directory at most goes.
                if isOwn {
                    // A process that is stuck in one hierarchy is so in the others: it was waited for once.
                    try remove(directory, patiently: failure == nil)
                } else {
                    try? removeDirectory(directory.path)
                }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        if isOwn { try scope?.remove() }
    }

    private func remove(_ directory: CgroupDirectory, patiently: Bool) throws(RuntimeError) {
        do throws(SystemError) {
            try removeTree(directory.path, patiently: patiently)
        } catch {
            let first = (try? processesInTree(directory.path))?.first
            throw RuntimeError(
                "cannot remove the cgroup \(directory.path)", error,
                hint: first.map { "process \($0) is still in it" })
        }
        var parent = directory.path
        for _ in 1..<max(directory.made ?? 1, 1) {
            parent = parentPath(parent)
            // Another container may live there by now: then it stays, and this is no failure.
            if (try? removeDirectory(parent)) == nil { break }
        }
    }
}

// MARK: - State

extension ContainerCgroup: JSONDecodable, JSONEncodable {
    /// `{"driver": "cgroupfs", "directories": ["1:cpu,cpuacct:/sys/fs/cgroup/cpu,cpuacct/x"],
    /// "mark": "...", "scope": {"systemd": "system", "unit": "swrun-x.scope"}}`
    package var json: JSON {
        .members {
            $0.add("driver", driver.rawValue)
            $0.add("directories", lines)
            $0.add("mark", mark)
            $0.add("scope", scope)
        }
    }

    private var lines: [String] {
        var lines: [String] = []
        for directory in directories { lines.append(directory.line) }
        return lines
    }

    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            driver: try object.required("driver"), directories: try object.list("directories"),
            mark: try object.required("mark"), scope: try object.optional("scope"))
    }
}

extension ContainerScope: JSONDecodable, JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("systemd", systemd.rawValue)
            $0.add("unit", unit)
        }
    }

    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(systemd: try object.required("systemd"), unit: try object.required("unit"))
    }
}

extension CgroupDirectory: JSONDecodable {
    /// Like one of /proc/PID/cgroup, `made:controllers:path`: every command reads it, and a host of v1 has ten of them.
    fileprivate var line: String { (made.map { "\($0)" } ?? "") + ":" + join(controllers, with: ",") + ":" + path }

    package init(json: JSONValue) throws(SpecError) {
        var fields = Fields(Array(try String(json: json).utf8)[...])
        let (colon, comma) = (UInt8(ascii: ":"), UInt8(ascii: ","))
        guard let made = fields.next(colon), var names = fields.next(colon).map({ Fields($0) }), !fields.rest.isEmpty
        else {
            throw json.mismatch("made:controllers:path")
        }
        var controllers: [String] = []
        while let name = names.next(comma) { controllers.append(String(decoding: name, as: UTF8.self)) }
        self.init(
            controllers: controllers, path: String(decoding: fields.rest, as: UTF8.self),
            made: Int(String(decoding: made, as: UTF8.self)))
    }
}
