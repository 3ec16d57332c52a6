internal import LinuxSystem
internal import RuntimeSpec

/// A device node that the container gets.
struct DeviceNode: Equatable {
    let path: String
    let kind: FileStatus.Kind
    let number: DeviceNumber
    var mode: UInt32 = 0o666
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    /// `linux.devices[N]`, or nil for a device that every container gets.
    var configPath: String?

    /// config-linux.md, "Default Devices"
    static let standard: [DeviceNode] =
        [
            ("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9),
        ].map { DeviceNode(path: "/dev/\($0.0)", kind: .characterDevice, number: DeviceNumber(major: 1, minor: $0.1)) }
        + [DeviceNode(path: "/dev/tty", kind: .characterDevice, number: DeviceNumber(major: 5, minor: 0))]

    init(path: String, kind: FileStatus.Kind, number: DeviceNumber) {
        self.path = path
        self.kind = kind
        self.number = number
    }

    /// - Parameter configPath: `linux.devices[N]`
    init(_ device: Device, at configPath: String) throws(RuntimeError) {
        guard device.path.utf8.first == UInt8(ascii: "/") else {
            throw RuntimeError(at: "\(configPath).path", "\"\(device.path)\" is not an absolute path")
        }
        path = device.path
        kind =
            switch device.type {
            case .block: .blockDevice
            case .pipe: .fifo
            case .character, .unbuffered: .characterDevice
            }
        let isPipe = device.type == .pipe
        guard let major = UInt32(exactly: device.major ?? 0), let minor = UInt32(exactly: device.minor ?? 0),
            isPipe || (device.major != nil && device.minor != nil), major < 1 << 12, minor < 1 << 20
        else {
            throw RuntimeError(
                at: configPath, "\(device.path) has no valid device number",
                hint: "give major (0 to 4095) and minor (0 to 1048575)")
        }
        number = DeviceNumber(major: major, minor: minor)
        mode = (device.fileMode ?? 0o666) & 0o7777  // engines leave the file type in it
        uid = device.uid ?? 0
        gid = device.gid ?? 0
        self.configPath = configPath
    }
}

/// Supplies the device nodes and the links of /dev.
struct DeviceSetup {
    let nodes: [DeviceNode]
    /// In a user namespace the kernel refuses mknod(2): the host's nodes are bind-mounted instead.
    let inUserNamespace: Bool

    func run(in root: borrowing RootDirectory) throws(RuntimeError) {
        let old = setFileModeMask(0)
        defer { setFileModeMask(old) }
        for node in nodes {
            let (directory, name) = splitPath(node.path)
            do throws(SystemError) {
                // The directory is opened once, inside the root; nodes and links in it follow no link.
                let place = try root.openMaking(.directory, directory)
                try make(node, named: name, in: place)
            } catch {
                throw RuntimeError(at: node.configPath, "cannot make the device \(node.path)", error)
            }
        }
        try links(in: root)
    }

    private func make(
        _ node: DeviceNode, named name: String, in directory: borrowing FileDescriptor
    ) throws(SystemError) {
        if !inUserNamespace {
            do throws(SystemError) {
                try directory.makeDevice(name, node.kind, node.number, mode: node.mode)
                if node.uid != 0 || node.gid != 0 { try directory.changeOwner(name, uid: node.uid, gid: node.gid) }
                return
            } catch {
                if error.errno == .exists { return try accept(node, named: name, in: directory) }
                guard error.errno == .notPermitted, node.kind != .fifo else { throw error }
            }
        } else if try fileStatus(name, at: directory.rawValue, followLinks: false)?.isDevice == true {
            return try accept(node, named: name, in: directory)
        }
        if node.kind == .fifo {
            try directory.makeFIFO(name, mode: node.mode)
        } else {
            try bindHostNode(node, named: name, in: directory)
        }
    }

    /// What is there already must be the device that was asked for (config-linux.md, "Devices").
    private func accept(
        _ node: DeviceNode, named name: String, in directory: borrowing FileDescriptor
    ) throws(SystemError) {
        let status = try fileStatus(name, at: directory.rawValue, followLinks: false)
        guard let status, status.kind == node.kind, node.kind == .fifo || status.target == node.number else {
            throw SystemError("mknodat", "\(node.path): another file is in its place", .exists)
        }
    }

    private func bindHostNode(
        _ node: DeviceNode, named name: String, in directory: borrowing FileDescriptor
    ) throws(SystemError) {
        let source = try FileDescriptor.open(node.path, .entry)
        let status = try source.status()
        guard status.kind == node.kind, status.target == node.number else {
            throw SystemError("open", "\(node.path) of the host: it is not that device", .noDevice)
        }
        do throws(SystemError) {
            try directory.makeFile(name)
        } catch {
            guard error.errno == .exists else { throw error }
        }
        let target = try FileDescriptor.open(name, .entry, at: directory.rawValue)
        try DetachedMount.clone(of: source, subject: node.path).attach(to: target, subject: node.path)
    }

    /// runtime-linux.md, "Dev symbolic links", and /dev/ptmx.
    private func links(in root: borrowing RootDirectory) throws(RuntimeError) {
        try explain("cannot make the links in /dev") { () throws(SystemError) in
            let dev = try root.openMaking(.directory, "/dev")
            // In a /dev that came as a mount of its own with the root filesystem, the multiplexer is somebody else's.
            let isOwn = try dev.mountID() == root.descriptor.mountID()
            try link("ptmx", to: "pts/ptmx", in: dev, replacingDevice: isOwn)
            guard try root.openIfPresent("/proc/self/fd") != nil else { return }
            try link("fd", to: "/proc/self/fd", in: dev)
            try link("stdin", to: "/proc/self/fd/0", in: dev)
            try link("stdout", to: "/proc/self/fd/1", in: dev)
            try link("stderr", to: "/proc/self/fd/2", in: dev)
            if try root.openIfPresent("/proc/kcore") != nil { try link("core", to: "/proc/kcore", in: dev) }
        }
    }

    private func link(
        _ name: String, to target: String, in directory: borrowing FileDescriptor, replacingDevice: Bool = false
    ) throws(SystemError) {
        do throws(SystemError) {
            try directory.makeSymbolicLink(name, to: target)
        } catch {
            // An image may bring its own; only /dev/ptmx of an image (a node of the host's terminals) has to go.
            guard error.errno == .exists else { throw error }
            let status = try fileStatus(name, at: directory.rawValue, followLinks: false)
            guard replacingDevice, status?.isDevice == true else { return }
            try directory.remove(name)
            try directory.makeSymbolicLink(name, to: target)
        }
    }
}

/// The directory part and the last component of an absolute path.
func splitPath(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ("/", path) }
    return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.utf8.index(after: slash)...]))
}
