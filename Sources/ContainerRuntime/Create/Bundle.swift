internal import LinuxSystem
internal import RuntimeSpec

/// A bundle that was opened and found fit to be run (bundle.md).
struct Bundle {
    /// The absolute path of the directory.
    let path: String
    /// The text of config.json as it was read: what is kept for later commands is what was decided upon.
    let text: [UInt8]
    let config: Config
    /// The absolute path of the root filesystem.
    let rootfs: String

    init(_ request: CreateRequest) throws(RuntimeError) {
        if let given = request.configuration {
            path = try explain("cannot find the state root \(request.stateRoot.path)") { () throws(SystemError) in
                try absolutePath("\(request.stateRoot.path)/\(request.id.text)")
            }
            text = given.json.bytes(indent: "    ")
            config = given
            do throws(SpecError) { try config.validate() } catch { throw RuntimeError("\(error)") }
        } else {
            (path, text, config) = try Self.open(request)
        }
        rootfs = try Self.findRoot(config.root, bundle: path)
        try Self.check(config.process, request)
    }

    private static func open(
        _ request: CreateRequest
    ) throws(RuntimeError) -> (path: String, text: [UInt8], config: Config) {
        let path = try explain("cannot find the bundle \(request.bundle)") { () throws(SystemError) in
            try absolutePath(request.bundle)
        }
        let file = request.configFile ?? "\(path)/config.json"
        let text = try read(file)
        do throws(SpecError) {
            let config = try Config.decode(text)
            try config.validate()
            return (path, text, config)
        } catch {
            throw RuntimeError("\(file): \(error)")
        }
    }

    private static func read(_ file: String) throws(RuntimeError) -> [UInt8] {
        do {
            return try readFile(file, limit: Config.maximumDocumentSize)
        } catch {
            let hint: String? =
                switch error.errno {
                case .noEntry: "a bundle is a directory with a config.json; swrun spec makes one"
                case .fileTooBig: "a config.json may have at most \(Config.maximumDocumentSize >> 20) MiB"
                default: nil
                }
            throw RuntimeError("cannot read the container's configuration", error, hint: hint)
        }
    }

    private static func findRoot(_ root: Root?, bundle: String) throws(RuntimeError) -> String {
        guard let root, !root.path.isEmpty else {
            throw RuntimeError(
                at: "root.path", "missing", hint: "name the directory of the root filesystem, such as rootfs")
        }
        let path = root.path.utf8.first == UInt8(ascii: "/") ? root.path : "\(bundle)/\(root.path)"
        let status = try explain("cannot find the root filesystem", at: "root.path") { () throws(SystemError) in
            try fileStatus(path)
        }
        guard let status else {
            throw RuntimeError(
                at: "root.path", "cannot find the root filesystem", SystemError("stat", path, .noEntry),
                hint: "a directory must exist there")
        }
        guard status.isDirectory else {
            throw RuntimeError(at: "root.path", "\(path) is not a directory")
        }
        return path
    }

    private static func check(_ process: Process?, _ request: CreateRequest) throws(RuntimeError) {
        guard let process else {
            guard !request.startsAtOnce else {
                throw RuntimeError(at: "process", "missing", hint: "there is nothing to run without it")
            }
            return
        }
        try checkTerminal(process, detached: request.detached, consoleSocket: request.consoleSocket)
    }
}

/// Whether the terminal, and whoever is to hold it, fit together.
func checkTerminal(_ process: Process, detached: Bool, consoleSocket: String?) throws(RuntimeError) {
    if process.terminal, detached, consoleSocket == nil {
        throw RuntimeError(
            at: "process.terminal", "a detached process with a terminal needs somebody to hold the terminal",
            hint: "give --console-socket, or set process.terminal to false")
    }
    if !process.terminal, consoleSocket != nil {
        throw RuntimeError(
            "--console-socket: the process has no terminal", hint: "set process.terminal to true, or leave it out")
    }
}

extension ContainerRecord {
    init(_ bundle: Bundle, _ request: CreateRequest, _ cgroup: ContainerCgroup) {
        self.init(
            id: request.id.text, bundle: bundle.path, rootfs: bundle.rootfs, created: currentTimestamp(),
            ownerID: effectiveUserID(), cgroup: cgroup)
        annotations = bundle.config.annotations
        hasPoststartHooks = !bundle.config.hooks.poststart.isEmpty
        hasPoststopHooks = !bundle.config.hooks.poststop.isEmpty
        hasProcess = bundle.config.process != nil
        hasOwnKeyring = request.newKeyring
        if request.endsWithCaller { caller = .current }
    }
}
