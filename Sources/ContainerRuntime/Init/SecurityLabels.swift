internal import LinuxSystem
internal import RuntimeSpec

/// What the security modules of the kernel are told about a container: the AppArmor profile and the SELinux label of its
/// process (config.md, Linux Process), and the SELinux label of its mounts (config-linux.md, Mount Label).
struct SecurityLabels: Equatable {
    private let apparmorProfile: String?
    private let selinuxLabel: String?
    /// The label of new filesystems; nil when there is none.
    private let mountLabel: String?
    /// The option that says what is labelled with it (mount(8)).
    private let mountContext: String

    /// On the host side: a label for a module that the kernel does not have is an error, for the container would run
    /// without the confinement it was promised. Engines write empty strings for "none".
    init(
        _ process: Process?, mountLabel: String?, annotations: [KeyValue] = [], kernel: SecurityModules = .running
    ) throws(RuntimeError) {
        mountContext = annotations[.mountContextType] ?? "context"
        guard ["context", "fscontext", "defcontext", "rootcontext"].contains(mountContext) else {
            throw RuntimeError(
                at: "annotations[\"\(Annotation.mountContextType.rawValue)\"]",
                "unknown kind of context \"\(mountContext.escapedForMessage)\"",
                hint: "known are context, fscontext, defcontext and rootcontext")
        }
        apparmorProfile = Self.given(process?.apparmorProfile)
        selinuxLabel = Self.given(process?.selinuxLabel)
        self.mountLabel = Self.given(mountLabel)
        if let apparmorProfile, !kernel.hasAppArmor() {
            throw RuntimeError(
                at: "process.apparmorProfile",
                "cannot apply the apparmor profile \"\(apparmorProfile)\": the kernel runs without AppArmor",
                hint: "remove it, or boot a kernel with AppArmor enabled (lsm=...,apparmor)")
        }
        let path = selinuxLabel != nil ? "process.selinuxLabel" : "linux.mountLabel"
        if let label = selinuxLabel ?? self.mountLabel, !kernel.hasSELinux() {
            throw RuntimeError(
                at: path, "cannot apply the selinux label \"\(label)\": the kernel runs without SELinux",
                hint: "remove it, or boot a kernel with SELinux enabled (lsm=...,selinux)")
        }
    }

    private static func given(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }

    /// The `context` option for a new filesystem of `type`. The kernel labels procfs and sysfs by itself, and a cgroup
    /// filesystem belongs to the host as well.
    ///
    /// - Parameter quoted: for a list of options, because a label can have commas
    func mountOption(forType type: String, quoted: Bool = false) -> String? {
        guard let mountLabel, !["proc", "sysfs", "cgroup", "cgroup2", "mqueue"].contains(type) else { return nil }
        return quoted ? "\(mountContext)=\"\(mountLabel)\"" : "\(mountContext)=\(mountLabel)"
    }

    /// Opens the files of this process that take the labels, on a procfs of its own: before the root is changed, because
    /// nothing in the container can be trusted to be /proc.
    ///
    /// - Parameter inContainer: the root is the container's already, and so is its /proc
    func open(inContainer: Bool = false) throws(RuntimeError) -> OpenedLabels {
        guard apparmorProfile != nil || selinuxLabel != nil else { return OpenedLabels() }
        let proc = try explain("cannot open a procfs for the process's labels") { () throws(SystemError) in
            try openPrivateProc(trusting: !inContainer)
        }
        var opened = OpenedLabels()
        if let apparmorProfile {
            // The first file is AppArmor's own (Linux 5.8); the second belongs to whichever module came first.
            let (file, name) = try Self.openAttribute(["apparmor/exec", "exec"], in: proc, apparmor: true)
            opened.apparmor = OpenedLabels.Attribute(
                file: file, name: name, text: "exec \(apparmorProfile)", configPath: "process.apparmorProfile",
                hint: "the profile must be loaded: see /sys/kernel/security/apparmor/profiles")
        }
        if let selinuxLabel {
            let (file, name) = try Self.openAttribute(["exec"], in: proc, apparmor: false)
            opened.selinux = OpenedLabels.Attribute(
                file: file, name: name, text: selinuxLabel, configPath: "process.selinuxLabel",
                hint: "the label must be one of the loaded policy, and the runtime must be allowed to change to it")
        }
        return opened
    }

    /// A session keyring for the program, with the program's label: with that of the runtime, SELinux would keep the
    /// program from it. The kernel forgets the label for keyrings at the next execve(2).
    func joinKeyring(inContainer: Bool = false) throws(RuntimeError) {
        if let selinuxLabel {
            let proc = try explain("cannot open a procfs for the keyring's label") { () throws(SystemError) in
                try openPrivateProc(trusting: !inContainer)
            }
            let (file, name) = try Self.openAttribute(["keycreate"], in: proc, apparmor: false)
            try explain(
                "cannot write `\(name)`", at: "process.selinuxLabel",
                hint: "the label must be one of the loaded policy; --no-new-keyring does without a keyring"
            ) { () throws(SystemError) in try FileDescriptor(owning: file).write(selinuxLabel) }
        }
        try joinNewKeyring()
    }

    private static func openAttribute(
        _ names: [String], in proc: borrowing RootDirectory, apparmor: Bool
    ) throws(RuntimeError) -> (file: Int32, name: String) {
        for name in names {
            let path = "self/attr/\(name)"
            let file = try explain("cannot open `/proc/\(path)`", at: apparmor ? "process.apparmorProfile" : nil) {
                () throws(SystemError) -> Int32? in
                guard let file = try proc.openIfPresent(path, .writeOnly, .sameMount) else { return nil }
                guard try file.filesystemMagic() == procfsMagic else {
                    throw SystemError("fstatfs", "it is not on a procfs", .invalid)
                }
                return file.release()
            }
            if let file { return (file, "/proc/\(path)") }
        }
        throw RuntimeError("cannot open `/proc/self/attr/\(names.last ?? "")`: the kernel has no such file")
    }
}

/// The files that take the labels, open in the process that gets them.
struct OpenedLabels {
    struct Attribute {
        let file: Int32
        let name: String
        let text: String
        let configPath: String
        let hint: String
    }

    var apparmor: Attribute?
    var selinux: Attribute?

    /// The descriptors that have to stay open until `apply`.
    var descriptors: [Int32] { [apparmor, selinux].compactMap { $0?.file } }

    /// Says what the process is to be confined by from its next execve(2) on. Before no_new_privs, under which the
    /// modules allow only narrower labels.
    func apply() throws(RuntimeError) {
        for attribute in [apparmor, selinux] {
            guard let attribute else { continue }
            // Engines find the file between the quotes.
            try explain("cannot write `\(attribute.name)`", at: attribute.configPath, hint: attribute.hint) {
                () throws(SystemError) in
                try FileDescriptor(owning: attribute.file).write(attribute.text)
            }
        }
    }
}

/// Which security modules the kernel runs.
struct SecurityModules: Sendable {
    let hasAppArmor: @Sendable () -> Bool
    let hasSELinux: @Sendable () -> Bool

    static let running = SecurityModules(
        hasAppArmor: {
            guard let text = try? readFile("/sys/module/apparmor/parameters/enabled") else { return false }
            return text.first == UInt8(ascii: "Y")
        },
        // Its filesystem is there exactly when it is enabled, unless nobody mounted it.
        hasSELinux: {
            if let status = try? fileStatus("/sys/fs/selinux/enforce") { return status.kind == .regular }
            guard let modules = try? readFile("/sys/kernel/security/lsm") else { return false }
            return modules.split(separator: UInt8(ascii: ",")).contains { $0.elementsEqual("selinux".utf8) }
        })
}
