internal import LinuxSystem
internal import RuntimeSpec

/// `checkpoint`: has criu write a running container into images.
package enum CheckpointContainer {
    package static func run(
        _ id: ContainerID, in root: StateRoot, _ options: CriuOptions, _ warn: (String) -> Void
    ) throws(RuntimeError) {
        let state = try root.open(id)
        try state.lock()
        let record = try state.readRecord()
        switch state.status(of: record) {
        case .running, .paused: break
        case .created, .creating: throw RuntimeError("cannot checkpoint a container that is not started")
        case .stopped: throw RuntimeError("container not running")
        }
        let config = try state.readConfig()
        let directories = try CriuDirectories(options, making: true)
        let task: CriuTask = options.preDump ? .preDump : .dump
        var call = CriuCall(
            task: task, options: options, images: directories.images.rawValue, work: directories.work.number)
        call.pid = record.pid
        call.root = record.rootfs
        call.freezer = record.cgroup.freezerPath
        // The images keep the second name; a restore gives the first by it, and the place on its own host.
        call.externalMounts = try ExternalMount.present(config, record).map {
            ExternalMount(key: $0.key, value: $0.key)
        }
        for namespace in try ExternalNamespace.list(config) {
            call.external.append(try namespace.left(out: record.pid))
        }
        let streams = try StandardStreams(of: record.pid)
        call.external += streams.external
        if task == .dump { try streams.write(to: directories.images) }
        call.configFile = CriuDirectories.configFile(config)

        let kept = [directories.images.rawValue, directories.work.number, options.statusFD].compactMap { $0 }
        var criu = try Criu(keeping: kept, prepare: {})
        do throws(RuntimeError) {
            _ = try criu.call(call) { (_, _, _) in }
        } catch {
            criu.end()
            throw error
        }
        criu.end()
        if options.leaveRunning || options.preDump { return }
        // Its processes are in the images now.
        try DestroyContainer.run(state, record, warn)
    }
}

/// Where images and logs are.
struct CriuDirectories: ~Copyable {
    let images: FileDescriptor
    let work: FileDescriptor?

    init(_ options: CriuOptions, making: Bool) throws(RuntimeError) {
        let path = options.imagePath
        let images = try explain("cannot open the directory of images", hint: "give --image-path") {
            () throws(SystemError) in
            making ? try openMakingDirectories(path) : try FileDescriptor.open(path, .directory)
        }
        let work = try Self.open(work: options.workPath)
        self.images = images
        self.work = work
    }

    private static func open(work path: String?) throws(RuntimeError) -> FileDescriptor? {
        guard let path else { return nil }
        return try explain("cannot open the working directory of criu", hint: "give --work-path") {
            () throws(SystemError) in try openMakingDirectories(path)
        }
    }

    /// More options for criu: a file that the bundle names, or the one that administrators keep for runtimes.
    static func configFile(_ config: Config) -> String? {
        if let path = config.annotations[.criuConfig] { return path.isEmpty ? nil : path }
        return ["/etc/criu/swrun.conf", "/etc/criu/runc.conf"].first { ((try? fileStatus($0)) ?? nil) != nil }
    }
}

/// What the container's standard streams are, under the names by which criu passes others in their place: a pipe or a
/// file of the host. Kept beside the images, for the restore.
struct StandardStreams {
    private var names: [String] = []
    /// The files of the host that criu must not look for in the container.
    private(set) var external: [String] = []

    static let fileName = "descriptors.json"

    init(of pid: Int32) throws(RuntimeError) {
        let place = "/proc/\(pid)/fd"
        let mounts = try explain("cannot read the container's mounts") { () throws(SystemError) in
            try readFile("/proc/\(pid)/mountinfo", limit: 1 << 24)
        }
        let own = Set(
            String(decoding: mounts, as: UTF8.self).split(separator: "\n").map { $0.prefix { $0 != " " } })
        for number in 0..<3 {
            let target = try explain("cannot look at the container's standard streams") { () throws(SystemError) in
                try readLink("\(number)", at: try FileDescriptor.open(place, .place))
            }
            // A file that lies on none of its mounts: criu would look for it in the container.
            guard let status = (try? fileStatus("\(place)/\(number)")) ?? nil,
                status.kind == .regular || status.kind == .characterDevice,
                let mount = mountID(of: number, pid), !own.contains("\(mount)")
            else {
                names.append(target)
                continue
            }
            let name = "file[\(String(mount, radix: 16)):\(String(status.inode, radix: 16))]"
            names.append(name)
            if !external.contains(name) { external.append(name) }
        }
    }

    /// Of a checkpoint; empty where it has none, as one that another program made.
    init(in images: borrowing FileDescriptor) throws(RuntimeError) {
        guard let text = try? readFile(Self.fileName, at: images.rawValue, limit: 1 << 16) else { return }
        do throws(SpecError) {
            names = try [String].decode(text)
        } catch {
            throw RuntimeError("\(Self.fileName): \(error)")
        }
    }

    func write(to images: borrowing FileDescriptor) throws(RuntimeError) {
        try explain("cannot write \(Self.fileName)") { () throws(SystemError) in
            let file = try FileDescriptor.open(
                Self.fileName, [.writeOnly, .create, .truncate, .noFollow], mode: 0o600, at: images.rawValue)
            try file.write(JSON.array(names.map { .string($0) }).bytes())
        }
    }

    /// This process's own streams, in the place of those that were.
    var inherited: [(name: String, descriptor: Int32)] {
        names.prefix(3).enumerated().compactMap { number, name in
            name.hasPrefix("pipe:") || name.hasPrefix("file[") ? (name, Int32(number)) : nil
        }
    }

    private func mountID(of number: Int, _ pid: Int32) -> UInt64? {
        guard let text = try? readFile("/proc/\(pid)/fdinfo/\(number)", limit: 4096) else { return nil }
        let line = String(decoding: text, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("mnt_id:") }
        return line.flatMap { UInt64($0.dropFirst(7).drop { $0 == "\t" || $0 == " " }) }
    }
}
