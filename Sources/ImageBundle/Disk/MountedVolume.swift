internal import LinuxSystem

/// A filesystem of an image, mounted read-only where nobody can reach it by a path. The mount and its loop device are gone
/// when this object is, also where the process is killed.
///
/// Mounting a filesystem that somebody else made lets the kernel read it: whoever does not trust the kernel with that
/// should not open the image.
final class MountedVolume {
    let root: RootDirectory
    let probe: FilesystemProbe

    init(_ root: consuming RootDirectory, _ probe: FilesystemProbe) {
        self.root = root
        self.probe = probe
    }

    /// - Parameters:
    ///   - file: an open file that holds the filesystem
    ///   - offset, size: where in it
    static func mount(
        _ file: Int32, _ image: String, offset: UInt64, size: UInt64, _ probe: FilesystemProbe?, name: String
    ) throws(BundleError) -> MountedVolume {
        guard let probe, let driver = probe.driver else {
            throw BundleError(
                "\(image): \(name) holds \(probe?.kind.rawValue ?? "nothing that is known"), no root filesystem")
        }
        if effectiveUserID() != 0, (try? fileStatus(image)?.isSameFile(as: descriptorStatus(file))) == true {
            let root = try UserspaceMount.mount(image, offset: offset, probe, name: name)
            return MountedVolume(RootDirectory(root), probe)
        }
        do throws(SystemError) {
            let device = try LoopDevice.attach(file, offset: offset, size: size, name: image)
            let mount = try context(driver, source: device.path).mount(
                [.readOnly, .noSetUserID, .noDevices, .noExecution, .noAccessTime])
            return MountedVolume(RootDirectory(mount.intoDescriptor()), probe)
        } catch {
            let hint: String? =
                switch error.errno {
                case .notPermitted, .accessDenied: "reading disk images needs root"
                case .noDevice: "this kernel has no \(driver)"
                case .noEntry where error.subject == "/dev/loop-control": "the kernel's loop module is not there"
                default: nil
                }
            throw BundleError("\(image): cannot mount \(name) (\(probe.kind.rawValue))", error, hint: hint)
        }
    }

    /// Options that replay no journal, and let no error be more than an error: a superblock may ask for a panic.
    static func context(_ driver: String, source: String) throws(SystemError) -> FilesystemContext {
        let context = try FilesystemContext(type: driver)
        try context.set(source: source)
        try context.set(option: "ro")
        let options: [String] =
            switch driver {
            case "ext4": ["noload", "errors=continue"]
            case "xfs": ["norecovery", "nouuid"]
            // The top of all subvolumes, whichever is the default one.
            case "btrfs": ["rescue=nologreplay", "subvolid=5"]
            default: []
            }
        for option in options { try context.set(option: option) }
        return context
    }

    /// A directory in the filesystem (a subvolume of btrfs) as a root of its own; the filesystem's own root for nil.
    func directory(_ path: String?) throws(SystemError) -> RootDirectory {
        RootDirectory(try root.open(path ?? ".", .directory, .noLinks))
    }

    /// The bytes in use.
    var usedBytes: UInt64 { (try? root.descriptor.usedBytes()) ?? 0 }
}
