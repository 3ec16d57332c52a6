internal import LinuxSystem

/// A filesystem mounted for an ordinary user, who may not ask the kernel to: fuse2fs reads ext2 to ext4 in a process of the
/// user's own. Where he may be root of a user namespace with mounts of its own, the files have their owners and capabilities
/// there; else fusermount3 mounts, and everything belongs to him. What is lost is named in the manual.
///
/// As soon as the mount is there it is taken off its directory; what remains is a descriptor, and when that is closed, by
/// whatever means, fuse2fs ends.
enum UserspaceMount {
    private static let program = "/usr/bin/fuse2fs"

    /// Whether root of a user namespace can mount what it serves; fusermount3 does not need that.
    static var canMount: Bool {
        (effectiveUserID() != 0 || isInUserNamespace()) && (try? FileDescriptor.open("/dev/fuse", .readWrite)) != nil
    }

    private static let fuseMagic: Int64 = 0x6573_5546

    static func mount(
        _ image: String, offset: UInt64, _ probe: FilesystemProbe, name: String, hasOwnMounts: Bool
    ) throws(BundleError) -> FileDescriptor {
        let what = "\(image): cannot mount \(name) (\(probe.kind.rawValue)) as an ordinary user"
        guard probe.driver == "ext4" else {
            throw BundleError(
                "\(what): fuse2fs reads only ext2, ext3 and ext4", hint: "root can use the kernel's filesystems")
        }
        guard (try? FileDescriptor.open(program, .path)) != nil else {
            throw BundleError(
                "\(what): there is no \(program)", hint: "Debian has it in the package fuse2fs; root needs none")
        }
        let options = "ro,norecovery,fakeroot,no_default_opts,use_ino,offset=\(offset)"
        do throws(SystemError) {
            let full = try absolutePath(image)
            if hasOwnMounts { return try serveInOwnMounts(full, options) }
            let point = try makePoint()
            defer { try? removeDirectory(point) }
            let root = try serve(full, at: point, options)
            // Off its directory: fusermount3 may do that for its caller.
            let end = try start(["/usr/bin/fusermount3", "-u", "-z", point])
            _ = try waitForEnd(of: end)
            return root
        } catch {
            throw BundleError(what, error, hint: "fuse2fs needs fusermount3 (Debian: fuse3) and /dev/fuse")
        }
    }

    /// Where this process has mounts of its own any directory serves: nobody else sees it. It must be empty.
    private static func serveInOwnMounts(_ image: String, _ options: String) throws(SystemError) -> FileDescriptor {
        let point = "/sys"
        let empty = try FilesystemContext(type: "tmpfs").mount([.noSetUserID, .noDevices, .noExecution])
        try empty.attach(to: try FileDescriptor.open(point, [.path, .directory]))
        defer { try? detachMount(point) }
        let root = try serve(image, at: point, options)
        try detachMount(point)
        return root
    }

    private static func makePoint() throws(SystemError) -> String {
        let place = environmentVariable("XDG_RUNTIME_DIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        let path = "\(place)/swrun-mount-\(hexadecimal(try randomBytes(8).little64(0), width: 16))"
        try makeDirectory(path, mode: 0o700)
        return path
    }

    private static func serve(
        _ image: String, at point: String, _ options: String
    ) throws(SystemError) -> FileDescriptor {
        let helper = try start([program, "-f", image, point, "-o", options])
        return FileDescriptor(owning: try waitForMount(point, helper))
    }

    private static func start(_ words: [String]) throws(SystemError) -> Int32 {
        let (vector, environment) = (CStringVector(words), CStringVector(["PATH=/usr/bin:/bin", "LANG=C"]))
        switch try cloneHelper() {
        case .parent(let child): return child.pid
        case .child:
            do throws(SystemError) {
                let nothing = try FileDescriptor.open("/dev/null", .readWrite)
                for stream: Int32 in 0...2 { try place(nothing.rawValue, as: stream) }
                unblockSignals()
            } catch {
                exitNow(1)
            }
            _ = execute(words[0], vector, environment)
            exitNow(127)
        }
    }

    /// - Returns: the root of the mount
    private static func waitForMount(_ point: String, _ helper: Int32) throws(SystemError) -> Int32 {
        for _ in 0..<5000 {
            let root = try FileDescriptor.open(point, .directory)
            if (try? root.filesystemMagic()) == fuseMagic { return root.release() }
            if collectEnded(helper) != nil { throw SystemError("fuse2fs", "it cannot read the filesystem", .invalid) }
            sleep(milliseconds: 1)
        }
        throw SystemError("fuse2fs", "it does not get ready", .busy)
    }
}
