internal import LinuxSystem
internal import RuntimeSpec

/// A new time namespace: its offsets can be written only while nobody is in it, so it is made, set, and then entered
/// (time_namespaces(7)).
func enterTimeNamespace(_ offsets: [TimeOffset]) throws(RuntimeError) {
    try explain("cannot make a time namespace", at: "linux.namespaces") { () throws(SystemError) in
        try unshare(.time)
    }
    for offset in offsets {
        let name = offset.clock.rawValue
        try explain(
            "cannot set the \(name) clock's offset to \(offset.secs) s, \(offset.nanosecs) ns",
            at: "linux.timeOffsets.\(name)", hint: "the kernel allows no clock below 0 or beyond 146 years"
        ) { () throws(SystemError) in
            try writeFile("/proc/self/timens_offsets", "\(name) \(offset.secs) \(offset.nanosecs)\n")
        }
    }
    try explain("cannot enter the time namespace", at: "linux.namespaces") { () throws(SystemError) in
        let namespace = try FileDescriptor.open("/proc/self/ns/time_for_children", .readOnly)
        try enterNamespace(namespace.rawValue, .time)
    }
}

extension [KeyValue] {
    /// The offsets of an annotation, in the form of /proc/PID/timens_offsets (time_namespaces(7)): a clock, by name or
    /// number, seconds and nanoseconds.
    func timeOffsets() throws(RuntimeError) -> [TimeOffset] {
        guard let text = self[.timeOffsets] else { return [] }
        var offsets: [TimeOffset] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            let clock: TimeClock? =
                switch words.first {
                case "monotonic", "1": .monotonic
                case "boottime", "7": .boottime
                default: nil
                }
            guard words.count == 3, let clock, let seconds = Int64(words[1]), let nanoseconds = UInt32(words[2]),
                nanoseconds < 1_000_000_000
            else {
                throw RuntimeError(
                    at: "annotations[\"\(Annotation.timeOffsets.rawValue)\"]", "\"\(line)\" is no offset", nil,
                    hint: "expected a clock, seconds and nanoseconds, such as \"boottime 3600 0\"")
            }
            offsets.append(TimeOffset(clock: clock, secs: seconds, nanosecs: nanoseconds))
        }
        return offsets
    }
}

/// In a user namespace: takes its user and group 0, so that what is made belongs to the container's root. Groups of the
/// host are left behind where the namespace allows it.
func becomeRoot(keepingGroups: Bool = false) throws(RuntimeError) {
    do throws(SystemError) {
        if !keepingGroups { try setSupplementaryGroups([]) }
    } catch {
        guard error.errno == .notPermitted else {
            throw RuntimeError("cannot leave the supplementary groups of the host", error)
        }
    }
    try explain(
        "cannot become root of the user namespace", at: "linux.uidMappings",
        hint: "map the container's user and group 0"
    ) { () throws(SystemError) in
        try setGroupID(0)
        try setUserID(0)
    }
}

func bringLoopbackUp() throws(RuntimeError) {
    try explain("cannot bring the loopback interface up") { () throws(SystemError) in try bringInterfaceUp("lo") }
}

/// A kernel without keyrings has nothing to keep apart.
func joinNewKeyring() throws(RuntimeError) {
    do throws(SystemError) {
        try joinNewSessionKeyring()
    } catch {
        guard error.errno != .notImplemented else { return }
        throw RuntimeError("cannot make a session keyring", error, hint: "use --no-new-keyring to keep the caller's")
    }
}

/// hostname and domainname (config.md).
func setNames(_ config: Config) throws(RuntimeError) {
    if let name = config.hostname {
        try explain("cannot set the host name to \"\(name)\"", at: "hostname") { () throws(SystemError) in
            try setHostName(name)
        }
    }
    if let name = config.domainname {
        try explain("cannot set the domain name to \"\(name)\"", at: "domainname") { () throws(SystemError) in
            try setDomainName(name)
        }
    }
}

/// From here on the process and all it makes are in the container's cgroup.
func enter(_ cgroup: consuming CgroupEntrance) throws(RuntimeError) {
    do throws(SystemError) {
        try cgroup.enter()
    } catch {
        throw RuntimeError("cannot enter the container's cgroup", error)
    }
}

/// It takes the cgroup that its maker is in as the root, so it is made after `enter`.
func makeCgroupNamespace() throws(RuntimeError) {
    try explain("cannot make a cgroup namespace", at: "linux.namespaces") { () throws(SystemError) in
        try unshare(.cgroup)
    }
}
