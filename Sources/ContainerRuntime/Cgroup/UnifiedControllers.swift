internal import LinuxSystem

/// A v2 cgroup has the controllers that every cgroup above it hands down in its `cgroup.subtree_control`
/// (cgroups(7)).
enum UnifiedControllers {
    /// What every container gets where the host has it, asked for or not: a later `update` needs them, and statistics.
    static let customary = ["cpu", "cpuset", "io", "memory", "pids"]

    /// Hands controllers down to the cgroup `path`.
    ///
    /// - Parameter required: with the property of config.json that needs it. A customary controller that cannot be
    ///   handed down is no failure.
    static func enable(_ required: [(name: String, property: String)], in path: String) throws(RuntimeError) {
        let (failure, before) = try explain("cannot enable cgroup controllers") {
            () throws(SystemError) -> (SystemError?, [String]) in
            let present = try words(in: path + "/cgroup.controllers")
            let missing = (customary + required.map(\.name)).filter { !present.contains($0) }
            return missing.isEmpty ? (nil, present) : (try handDown(missing, to: path), present)
        }
        let unmet = required.first { !before.contains($0.name) }
        guard unmet != nil else { return }
        let present = try explain("cannot enable cgroup controllers") { () throws(SystemError) in
            try words(in: path + "/cgroup.controllers")
        }
        for (name, property) in required where !present.contains(name) {
            throw refusal(name, property, path, failure)
        }
    }

    /// From the topmost cgroup down to the one above `path`, each hands down what it has itself.
    ///
    /// - Returns: the last reason why one could not.
    private static func handDown(_ names: [String], to path: String) throws(SystemError) -> SystemError? {
        var failure: SystemError?
        for ancestor in ancestors(of: path) {
            let available = try words(in: ancestor + "/cgroup.controllers")
            let enabled = try words(in: ancestor + "/cgroup.subtree_control")
            let wanted = names.filter { available.contains($0) && !enabled.contains($0) }
            if wanted.isEmpty { continue }
            if try keepsProcesses(ancestor) {
                failure = SystemError("write", ancestor + "/cgroup.subtree_control", .busy)
                continue
            }
            let file = ancestor + "/cgroup.subtree_control"
            do throws(SystemError) {
                try writeControl(file, wanted.map { "+\($0)" }.joined(separator: " ").utf8)
            } catch {
                // All or nothing; those that can be handed down are.
                failure = error
                for name in wanted where wanted.count > 1 { try? writeControl(file, "+\(name)".utf8) }
            }
        }
        return failure
    }

    /// Whether a cgroup has processes of its own and is not the root of all. The kernel lets such a one hand down those
    /// controllers that can tell threads apart (cpu, pids), but then nothing can be born below it any more: EOPNOTSUPP
    /// (cgroups(7), "threaded").
    private static func keepsProcesses(_ path: String) throws(SystemError) -> Bool {
        guard try fileStatus(path + "/cgroup.type") != nil else { return false }
        do throws(SystemError) { return try !readControl(path + "/cgroup.procs").isEmpty } catch {
            // Threaded already: its processes are listed above it.
            if error.errno == .notSupported { return true }
            throw error
        }
    }

    /// The cgroups above `path`, the topmost first.
    private static func ancestors(of path: String) -> [String] {
        var result: [String] = []
        var ancestor = parentPath(path)
        while ancestor != "/", let status = try? fileStatus(ancestor + "/cgroup.controllers"), status.kind == .regular {
            result.append(ancestor)
            ancestor = parentPath(ancestor)
        }
        return result.reversed()
    }

    private static func words(in file: String) throws(SystemError) -> [String] {
        try readControl(file).split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    private static func refusal(
        _ name: String, _ property: String, _ path: String, _ failure: SystemError?
    ) -> RuntimeError {
        let ancestors = ancestors(of: path)
        let top = ancestors.first ?? parentPath(path)
        let topHasIt = (try? words(in: top + "/cgroup.controllers").contains(name)) ?? false
        let hint: String
        switch failure?.errno {
        case _ where !topHasIt:
            hint =
                "\(top)/cgroup.controllers does not list it: it is mounted as cgroup v1, not delegated (systemd: "
                + "Delegate=\(name)), or not in the kernel"
        case .busy?, .notSupported?:
            hint = "a cgroup that has processes of its own hands no controllers down: move them to one below it"
        case .accessDenied?, .notPermitted?, .readOnly?:
            hint = "delegate \(name) to this user (systemd: Delegate=\(name))"
        default: hint = "enable it in \(parentPath(path))/cgroup.subtree_control"
        }
        return RuntimeError(
            at: property, "needs the cgroup controller \(name), which \(path) does not have", failure, hint: hint)
    }
}
