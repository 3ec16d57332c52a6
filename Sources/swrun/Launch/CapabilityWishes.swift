internal import ContainerRuntime
internal import RuntimeSpec

/// The reduced set of capabilities that a launched command gets, with what was added and dropped.
struct CapabilityWishes {
    /// Enough to be root among one's own files and users; nothing that reaches beyond the container: no device nodes, no
    /// raw packets, no tracing, no administration.
    static let reduced: [String] = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",
        "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
    ]

    private var added: [String] = []
    private var dropped: [String] = []

    mutating func add(_ name: String) throws(RuntimeError) { added += try Self.names(name) }
    mutating func drop(_ name: String) throws(RuntimeError) { dropped += try Self.names(name) }

    /// What the sets of config.json say for this user: root has the reduced set, anybody else only what was added.
    /// All are ambient, so that they outlast execve(2) though the securebits take root's privileges away from it.
    func sets(for user: User) -> Capabilities {
        // Naming one is more precise than naming all.
        let all = CapabilityMask.knownNames
        let addsAll = added.count == all.count, dropsAll = dropped.count == all.count
        func isGranted(_ name: String, _ base: Bool) -> Bool {
            if addsAll { return !dropped.contains(name) }
            if dropsAll { return added.contains(name) }
            return (base || added.contains(name)) && !dropped.contains(name)
        }
        let bounding = all.filter { isGranted($0, Self.reduced.contains($0)) }
        let held = user.uid == 0 ? bounding : all.filter { isGranted($0, false) }
        return Capabilities(
            bounding: bounding, effective: held, inheritable: held, permitted: held, ambient: held)
    }

    /// "net_raw", "CAP_NET_RAW", "all"
    private static func names(_ text: String) throws(RuntimeError) -> [String] {
        let all = CapabilityMask.knownNames
        let name = text.uppercased()
        if name == "ALL" { return all }
        let full = name.hasPrefix("CAP_") ? name : "CAP_" + name
        guard all.contains(full) else {
            let hint = nearest(to: full, in: all).map { "did you mean \($0)?" } ?? "see capabilities(7)"
            throw RuntimeError("\"\(text)\" is no capability that this kernel knows", hint: hint)
        }
        return [full]
    }
}
