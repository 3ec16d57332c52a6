internal import Glibc
internal import LinuxSystem

/// Starts qemu-storage-daemon where it sees nothing that it does not need.
enum QemuJail {
    static let imagePath = "/image"
    static let exportPath = "/export"

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

    /// - Parameters:
    ///   - images: open files, which appear as `/image0`, `/image1`, ...
    ///   - patch: the content of one more such file
    /// - Returns: the process, a pidfd of it, and the end of a pipe from its stderr
    static func start(
        _ program: String, _ arguments: [String], images: [Int32], patch: [UInt8]?, detached: Bool
    ) throws(SystemError) -> (pid: Int32, pidfd: Int32, errors: Int32) {
        let (reading, writing) = try pipeEnds()
        defer { closeDescriptor(writing) }
        let room: Room
        do throws(SystemError) {
            room = try prepare(program, images)
        } catch {
            closeDescriptor(reading)
            throw error
        }
        defer { for view in room.views { closeDescriptor(view.mount) } }
        let words = CStringVector(arguments)
        let environment = CStringVector(["PATH=/usr/bin:/bin", "LANG=C"])
        let birth: CloneResult
        do throws(SystemError) {
            birth = try clone([.mount, .pid, .network, .ipc, .uts])
        } catch {
            closeDescriptor(reading)
            throw error
        }
        switch consume birth {
        case .parent(let child):
            let pid = child.pid
            return (pid, child.intoPidfd().release(), reading)
        case .child:
            do throws(SystemError) {
                try place(writing, as: 2)
                // Of the caller's descriptors the daemon gets none, and of its streams neither.
                let nothing = try FileDescriptor.open("/dev/null", .readWrite)
                for stream: Int32 in 0...1 { try place(nothing.rawValue, as: stream) }
                try closeOnExec(from: 3)
                if detached { try startSession() } else { try dieWithParent() }
                let root = try enter(room.views, room.links)
                if let patch {
                    let file = try root.open("\(imagePath)\(images.count)", [.writeOnly, .create], mode: 0o600)
                    try file.write(patch)
                }
                try pivotRoot(to: root.descriptor)
                try confine()
            } catch {
                end(error)
            }
            end(execute(program, words, environment))
        }
    }

    /// Everything of the host that the daemon is to see. Before the process is there: a namespace that is a copy cannot
    /// clone the mounts of open files.
    private static func prepare(_ program: String, _ images: [Int32]) throws(SystemError) -> Room {
        var room = Room()
        do throws(SystemError) {
            for (index, image) in images.enumerated() {
                let mount = try readOnly(try DetachedMount.clone(ofDescriptor: image))
                room.views.append(View(path: "\(imagePath)\(index)", isDirectory: false, mount: mount))
            }
            for path in directories {
                guard let status = try fileStatus(path, followLinks: false) else { continue }
                if status.kind == .symbolicLink {
                    room.links.append(
                        (path, try readLink(path, at: try FileDescriptor.open("/", [.path, .directory]))))
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
            let fuse = try DetachedMount.clone(ofPath: "/dev/fuse", recursive: false)
            room.views.append(View(path: "/dev/fuse", isDirectory: false, mount: fuse.release()))
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
        let place = try FileDescriptor.open("/proc", [.path, .directory])
        try DetachedMount(try root.descriptor.duplicate()).attach(to: place)
        for view in views {
            let point = try root.openMaking(view.isDirectory ? .directory : .file, view.path)
            try DetachedMount(FileDescriptor(owning: view.mount)).attach(to: point, subject: view.path)
        }
        for link in links { try root.descriptor.makeSymbolicLink(String(link.path.dropFirst()), to: link.target) }
        closeNow(try root.openMaking(.file, exportPath))
        return root
    }

    /// The daemon keeps what it needs to mount its file and to read images of any owner, and no other privilege.
    private static func confine() throws(SystemError) {
        let (override, systemAdministration): (Int32, Int32) = (1, 21)
        try dropBoundingCapabilities(except: [override, systemAdministration])
        try setNoNewPrivileges()
        let megabyte: UInt64 = 1 << 20
        try setResourceLimit(Int32(RLIMIT_CORE.rawValue), soft: 0, hard: 0)
        try setResourceLimit(Int32(RLIMIT_FSIZE.rawValue), soft: 0, hard: 0)
        try setResourceLimit(Int32(RLIMIT_NOFILE.rawValue), soft: 128, hard: 128)
        try setResourceLimit(Int32(RLIMIT_AS.rawValue), soft: 2048 * megabyte, hard: 2048 * megabyte)
        resetSignals()
    }
}
