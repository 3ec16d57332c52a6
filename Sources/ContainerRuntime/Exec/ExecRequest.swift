internal import LinuxSystem
internal import RuntimeSpec

/// What `exec` is asked for.
package struct ExecRequest: Sendable {
    package var id: ContainerID
    package var stateRoot: StateRoot
    /// A file with the process to run (`--process`); otherwise the container's own process is the pattern.
    package var processFile: String?
    package var changes = ProcessChanges()
    package var consoleSocket: String?
    package var pidFile: String?
    package var pidfdSocket: String?
    package var preservedDescriptors: Int32 = 0
    /// `--cgroup`
    package var cgroups: [String] = []
    package var detached = false
    package var ignoresPause = false
    package var rootless = false

    package init(id: ContainerID, stateRoot: StateRoot) {
        self.id = id
        self.stateRoot = stateRoot
    }
}

/// In what the process differs from its pattern. nil and empty lists change nothing.
package struct ProcessChanges: Sendable {
    package var args: [String] = []
    package var cwd: String?
    /// "NAME=VALUE": takes the place of a variable of that name.
    package var env: [String] = []
    package var terminal: Bool?
    package var user: UserChange?
    package var additionalGids: [UInt32] = []
    package var capabilities: [String] = []
    package var noNewPrivileges: Bool?
    package var apparmorProfile: String?
    package var selinuxLabel: String?

    package init() {}

    func apply(to process: inout Process) {
        if !args.isEmpty { process.args = args }
        if let cwd { process.cwd = cwd }
        for entry in env { process.setVariable(entry) }
        if let terminal { process.terminal = terminal }
        if let user {
            process.user.uid = user.uid
            if let gid = user.gid { process.user.gid = gid }
        }
        process.user.additionalGids += additionalGids.filter { !process.user.additionalGids.contains($0) }
        if !capabilities.isEmpty { process.add(capabilities: capabilities) }
        if let noNewPrivileges { process.noNewPrivileges = noNewPrivileges }
        if let apparmorProfile { process.apparmorProfile = apparmorProfile }
        if let selinuxLabel { process.selinuxLabel = selinuxLabel }
    }
}

/// `UID[:GID]`
package struct UserChange: Equatable, Sendable {
    package let uid: UInt32
    package let gid: UInt32?

    /// Numbers and nothing else: whatever is not understood must not become user 0. nil for anything else.
    package init?(parsing text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let uid = Self.id(parts[0]) else { return nil }
        self.uid = uid
        if parts.count == 2 {
            guard let gid = Self.id(parts[1]) else { return nil }
            self.gid = gid
        } else {
            gid = nil
        }
    }

    /// An id in decimal digits; not the last one, which means "leave as it is" to the kernel.
    package static func id(_ text: Substring.UTF8View) -> UInt32? {
        guard !text.isEmpty, text.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            let id = UInt32(Substring(text)), id != UInt32.max
        else { return nil }
        return id
    }
}

extension Process {
    fileprivate mutating func setVariable(_ entry: String) {
        let name = entry.prefix { $0 != "=" } + "="
        env.removeAll { $0.hasPrefix(name) }
        env.append(entry)
    }

    /// To every set but the inheritable and the ambient one, by which programs would pass them on (CVE-2022-29162).
    fileprivate mutating func add(capabilities names: [String]) {
        var sets = capabilities ?? Capabilities()
        sets.bounding = (sets.bounding ?? []) + names
        sets.effective = (sets.effective ?? []) + names
        sets.permitted = (sets.permitted ?? []) + names
        capabilities = sets
    }
}
