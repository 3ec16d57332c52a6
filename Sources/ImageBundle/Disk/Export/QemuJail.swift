internal import Glibc
internal import LinuxSystem

/// Starts qemu-storage-daemon where it sees nothing that it does not need, and may nearly nothing.
///
/// The filesystem that it serves is mounted by us: it gets the open /dev/fuse that belongs to the mount, so that it needs no
/// privilege for one.
enum QemuJail {
    static let imagePath = "/image"
    /// Where the daemon is told to mount. libfuse takes a name of this form for a descriptor on which the kernel waits already;
    /// that it is a regular file is what the daemon itself wants to see.
    static let exportPath = "/dev/fd/\(fuseNumber)"
    /// Made by the daemon when it serves.
    static let readyPath = "/ready"
    static let patchPath = "/patch"
    static let scratchPath = "/scratch"
    private static let fuseNumber: Int32 = 3

    /// A daemon, and what it serves.
    struct Daemon {
        let pid: Int32
        /// Descriptors that the caller owns: of the process, the reading end of its error output, and the mount, which is
        /// attached nowhere and is one file.
        let pidfd: Int32
        let errors: Int32
        let mount: Int32
        /// A pipe on which the daemon waits for a byte before it runs; where none comes it ends. Whoever started it may be
        /// killed before anybody else knows of it.
        let start: (reading: Int32, writing: Int32)
    }

    /// What it is linked against and loads. A link of the host is made again as a link.
    private static let directories = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/libexec"]
    private static let files = ["/etc/ld.so.cache"]

    /// A file or directory of the host that the daemon is to see.
    private struct View {
        let path: String
        let isDirectory: Bool
        let mount: Int32
    }

    private struct Room {
        var views: [View] = []
        var links: [(path: String, target: String)] = []
    }

    /// What the daemon reads.
    struct Content {
        /// Open files, which appear as `/image0`, `/image1`, ...
        var images: [Int32]
        /// What is in the file `/patch`.
        var patch: [UInt8]?
        /// An open file, which has a name, that the daemon may write: `/scratch`.
        var scratch: Int32?
    }

    /// - Parameter isDetached: whether the daemon outlives this process
    static func start(
        _ program: String, _ arguments: [String], _ content: Content, isDetached: Bool
    ) throws(SystemError) -> Daemon {
        let (reading, writing) = try pipeEnds()
        let errors = FileDescriptor(owning: reading)
        defer { closeDescriptor(writing) }
        let start = try pipeEnds()
        let fuse = try FileDescriptor.open("/dev/fuse", .readWrite)
        let mount = try fileServed(over: fuse, isWritable: content.scratch != nil)
        let room = try prepare(program, content)
        defer { for view in room.views { closeDescriptor(view.mount) } }
        let words = CStringVector(arguments)
        let environment = CStringVector(["PATH=/usr/bin:/bin", "LANG=C"])
        switch try clone([.mount, .pid, .network, .ipc, .uts]) {
        case .parent(let child):
            let pid = child.pid
            return Daemon(
                pid: pid, pidfd: child.intoPidfd().release(), errors: errors.release(), mount: mount.release(),
                start: (start.read, start.write))
        case .child:
            closeDescriptor(start.write)
            let begun = FileDescriptor(owning: start.read)
            do throws(SystemError) {
                try place(writing, as: 2)
                // Of the caller's descriptors the daemon gets none but one, and of its streams neither.
                let nothing = try FileDescriptor.open("/dev/null", .readWrite)
                for stream: Int32 in 0...1 { try place(nothing.rawValue, as: stream) }
                try closeOnExec(from: 3)
                if isDetached { try startSession() } else { try dieWithParent() }
                let root = try enter(room.views, room.links)
                if let patch = content.patch {
                    let file = try root.open(patchPath, [.writeOnly, .create], mode: 0o600)
                    try file.write(patch)
                }
                try pivotRoot(to: root.descriptor)
                if try begun.read(upTo: 1).isEmpty { exitNow(1) }
                try place(fuse.rawValue, as: fuseNumber)
                try confine(content)
            } catch {
                end(error)
            }
            end(execute(program, words, environment))
        }
    }

    /// A mount of a filesystem that is a single file, for whoever answers on `fuse`. Only root may look at it.
    private static func fileServed(
        over fuse: borrowing FileDescriptor, isWritable: Bool
    ) throws(SystemError) -> DetachedMount {
        let context = try FilesystemContext(type: "fuse")
        try context.set(source: "swrun")
        for option in ["fd=\(fuse.rawValue)", "rootmode=100000", "user_id=0", "group_id=0"] {
            try context.set(option: option)
        }
        return try context.mount([.noSetUserID, .noDevices, .noExecution, isWritable ? [] : .readOnly])
    }

    /// Everything of the host that the daemon is to see. Before the process is there: a namespace that is a copy cannot
    /// clone the mounts of open files.
    private static func prepare(_ program: String, _ content: Content) throws(SystemError) -> Room {
        var room = Room()
        do throws(SystemError) {
            for (index, image) in content.images.enumerated() {
                let mount = try readOnly(try DetachedMount.clone(ofDescriptor: image))
                room.views.append(View(path: "\(imagePath)\(index)", isDirectory: false, mount: mount))
            }
            if let scratch = content.scratch {
                let mount = try DetachedMount.clone(ofDescriptor: scratch)
                room.views.append(View(path: scratchPath, isDirectory: false, mount: mount.release()))
            }
            for path in directories {
                guard let status = try fileStatus(path, followLinks: false) else { continue }
                if status.kind == .symbolicLink {
                    room.links.append(
                        (path, try readLink(path, at: try FileDescriptor.open("/", .place))))
                } else {
                    let mount = try readOnly(try DetachedMount.clone(ofPath: path, recursive: false))
                    room.views.append(View(path: path, isDirectory: true, mount: mount))
                }
            }
            for path in files + [program] {
                guard try fileStatus(path) != nil else { continue }
                let mount = try readOnly(try DetachedMount.clone(ofPath: path, recursive: false))
                room.views.append(View(path: path, isDirectory: false, mount: mount))
            }
            return room
        } catch {
            for view in room.views { closeDescriptor(view.mount) }
            throw error
        }
    }

    private static func readOnly(_ mount: consuming DetachedMount) throws(SystemError) -> Int32 {
        try mount.descriptor.setMountAttributes(set: [.readOnly, .noSetUserID, .noDevices])
        return mount.release()
    }

    private static func end(_ error: SystemError) -> Never {
        let text = "qemu-storage-daemon: \(error.text)\n"
        _ = try? writeAvailable(2, Array(text.utf8))
        exitNow(1)
    }

    // MARK: - In the process

    /// Makes a root of its own, in memory, with what was prepared.
    private static func enter(
        _ views: [View], _ links: [(path: String, target: String)]
    ) throws(SystemError) -> RootDirectory {
        try setPropagation(.private, ofEverythingBelow: "/")
        let context = try FilesystemContext(type: "tmpfs")
        try context.set(option: "mode=0755")
        try context.set(option: "size=1m")
        let root = RootDirectory(try context.mount([.noSetUserID, .noDevices]).intoDescriptor())
        // Any directory serves: the old root is gone in a moment.
        let place = try FileDescriptor.open("/proc", .place)
        try DetachedMount(try root.descriptor.duplicate()).attach(to: place)
        for view in views {
            let point = try root.openMaking(view.isDirectory ? .directory : .file, view.path)
            try DetachedMount(FileDescriptor(owning: view.mount)).attach(to: point, subject: view.path)
        }
        for link in links { try root.descriptor.makeSymbolicLink(String(link.path.dropFirst()), to: link.target) }
        closeNow(try root.openMaking(.file, exportPath))
        return root
    }

    /// No privilege is left, but where an image belongs to somebody else: then the one to read it all the same.
    private static func confine(_ content: Content) throws(SystemError) {
        let override: Int32 = 1  // CAP_DAC_OVERRIDE
        var kept: [Int32] = []
        for image in content.images where try !isOpenToRoot(image) { kept = [override] }
        try dropBoundingCapabilities(except: kept)
        try setNoNewPrivileges()
        let megabyte: UInt64 = 1 << 20
        // Apart from the file that it may write there is the one that says that it is ready.
        let written = content.scratch == nil ? 4096 : scratchLimit
        try setResourceLimit(Int32(RLIMIT_CORE.rawValue), soft: 0, hard: 0)
        try setResourceLimit(Int32(RLIMIT_FSIZE.rawValue), soft: written, hard: written)
        try setResourceLimit(Int32(RLIMIT_NOFILE.rawValue), soft: 128, hard: 128)
        try setResourceLimit(Int32(RLIMIT_AS.rawValue), soft: 2048 * megabyte, hard: 2048 * megabyte)
        unblockSignals()
        try SystemCallSandbox.serving.enter()
    }

    /// More than the journal of any filesystem holds.
    private static let scratchLimit: UInt64 = 8 << 30

    /// Whether root could read the file also without privileges.
    private static func isOpenToRoot(_ file: Int32) throws(SystemError) -> Bool {
        let status = try descriptorStatus(file)
        return status.mode & (status.uid == 0 ? 0o400 : status.gid == 0 ? 0o040 : 0o004) != 0
    }
}
