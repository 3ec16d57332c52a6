internal import RuntimeSpec

/// What a user says about a checkpoint or a restore, under runc's names.
package struct CriuOptions: Sendable {
    /// Where the images are, or are to be.
    package var imagePath = "checkpoint"
    /// Where criu puts its logs; nil: beside the images.
    package var workPath: String?
    /// The images of an earlier pre-dump, relative to `imagePath`.
    package var parentPath: String?
    package var leaveRunning = false
    package var tcpEstablished = false
    package var tcpSkipInFlight = false
    package var tcpClose = false
    package var linkRemap = false
    package var extUnixSockets = false
    package var shellJob = false
    package var lazyPages = false
    package var fileLocks = false
    package var preDump = false
    package var autoDedup = false
    /// Namespaces that are restored empty; criu knows this of the network.
    package var emptyNetwork = false
    package var statusFD: Int32?
    package var pageServer: (address: String, port: Int)?
    package var cgroupMode: CgroupMode?
    package var networkLock: NetworkLock?
    package var lsmProfile: String?
    package var lsmMountContext: String?

    package init() {}

    /// `--manage-cgroups-mode`; the numbers are criu's (rpc.proto, criu_cg_mode).
    package enum CgroupMode: String, SpecWord {
        case ignore, none, props, soft, full, strict

        package static let noun: StaticString = "mode of managing cgroups"

        var number: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    /// `--network-lock` (rpc.proto, criu_network_lock_method)
    package enum NetworkLock: String, SpecWord {
        case iptables, nftables, skip

        package static let noun: StaticString = "way of locking the network"

        var number: Int { (Self.allCases.firstIndex(of: self) ?? 0) + 1 }
    }
}

/// What criu is asked to do (rpc.proto, criu_req_type).
enum CriuTask: Int {
    case dump = 1
    case restore = 2
    case preDump = 4

    /// The name of its log in the working directory.
    var logFile: String {
        switch self {
        case .dump: "dump.log"
        case .restore: "restore.log"
        case .preDump: "predump.log"
        }
    }
}

/// The options of one call (rpc.proto, criu_opts). The numbers stand in the order of that file.
struct CriuCall {
    let task: CriuTask
    let options: CriuOptions
    let images: Int32
    let work: Int32?
    var pid: Int32?
    var root: String?
    var freezer: String?
    var externalMounts: [ExternalMount] = []
    /// Namespaces and files that are not part of the container, by criu's names for them.
    var external: [String] = []
    var inherited: [(name: String, descriptor: Int32)] = []
    /// v1 by controllers; the empty name is v2.
    var cgroupRoots: [(controllers: String, path: String)] = []
    var configFile: String?

    var message: CriuMessage {
        var message = CriuMessage()
        message.add(1, task.rawValue)
        message.add(2, opts)
        return message
    }

    private var opts: CriuMessage {
        var opts = CriuMessage()
        opts.add(1, Int(images))
        if let pid { opts.add(2, Int(pid)) }
        opts.add(3, flag: options.leaveRunning)
        opts.add(4, flag: options.extUnixSockets)
        opts.add(5, flag: options.tcpEstablished)
        opts.add(6, flag: true)  // evasive_devices: /dev/null of the host as a standard stream
        opts.add(7, flag: options.shellJob)
        opts.add(8, flag: options.fileLocks)
        opts.add(9, 4)
        opts.add(10, task.logFile)
        if let server = options.pageServer {
            var message = CriuMessage()
            message.add(1, server.address)
            message.add(2, server.port)
            opts.add(11, message)
        }
        opts.add(12, flag: true)  // notify_scripts
        opts.add(13, root)
        opts.add(14, options.parentPath)
        // Pages that change after this are told apart by the kernel; a later dump then takes those only.
        opts.add(15, flag: task == .preDump)
        opts.add(16, flag: options.autoDedup)
        if let work { opts.add(17, Int(work)) }
        opts.add(18, flag: options.linkRemap)
        for mount in externalMounts { opts.add(23, Self.pair(mount.key, mount.value)) }
        let mode = options.cgroupMode ?? .soft
        opts.add(24, flag: mode != .ignore)
        for root in cgroupRoots {
            var message = CriuMessage()
            if !root.controllers.isEmpty { message.add(1, root.controllers) }
            message.add(2, root.path)
            opts.add(25, message)
        }
        opts.add(26, flag: task == .restore)  // rst_sibling: the restored process becomes this one's child
        for entry in inherited {
            var message = CriuMessage()
            message.add(1, entry.name)
            message.add(2, Int(entry.descriptor))
            opts.add(27, message)
        }
        opts.add(34, mode.number)
        for entry in external { opts.add(37, entry) }
        if options.emptyNetwork { opts.add(38, 0x4000_0000) }  // CLONE_NEWNET
        opts.add(44, freezer)
        opts.add(46, flag: options.tcpSkipInFlight)
        opts.add(48, flag: options.lazyPages)
        if let descriptor = options.statusFD { opts.add(49, Int(descriptor)) }
        opts.add(50, flag: true)  // orphan_pts_master
        opts.add(51, configFile)
        opts.add(52, flag: options.tcpClose)
        opts.add(53, options.lsmProfile)
        opts.add(63, options.lsmMountContext)
        if let lock = options.networkLock { opts.add(64, lock.number) }
        return opts
    }

    private static func pair(_ key: String, _ value: String) -> CriuMessage {
        var message = CriuMessage()
        message.add(1, key)
        message.add(2, value)
        return message
    }
}

/// What criu says (rpc.proto, criu_resp).
enum CriuAnswer {
    /// A moment at which it waits for leave to go on, with the pid that it is about.
    case moment(String, pid: Int32?)
    case done(pid: Int32?)
    case failed(String?)
    case closed

    init(_ bytes: [UInt8]) {
        if bytes.isEmpty {
            self = .closed
            return
        }
        let fields = CriuFields(bytes)
        guard fields.flag(2) else {
            let errno = fields.number(7).flatMap { $0 == 0 ? nil : "errno \($0)" }
            self = .failed(fields.text(9) ?? errno)
            return
        }
        if fields.number(1) == Self.notification {
            let notify = fields.message(5)
            self = .moment(notify?.text(1) ?? "", pid: notify?.number(2).flatMap { Int32(exactly: $0) })
        } else {
            self = .done(pid: fields.message(4)?.number(1).flatMap { Int32(exactly: $0) })
        }
    }

    private static let notification = 6

    /// The leave to go on.
    static var goOn: CriuMessage {
        var message = CriuMessage()
        message.add(1, notification)
        message.add(3, 1)
        return message
    }
}
