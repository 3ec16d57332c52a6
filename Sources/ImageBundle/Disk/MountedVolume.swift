internal import LinuxSystem

/// A filesystem of an image, mounted read-only where nobody can reach it by a path. The mount and its loop device are gone
/// when this object is, also where the process is killed.
///
/// Mounting a filesystem that somebody else made lets the kernel read it: whoever does not trust the kernel with that
/// should not open the image.
final class MountedVolume {
    let root: RootDirectory
    let probe: FilesystemProbe
    let journal: Journal

    /// What became of the changes that a filesystem notes in its journal before it makes them.
    enum Journal: Equatable {
        /// There were none: the machine was shut down.
        case clean
        /// They are made.
        case replayed
        /// They are not made, for the reason given.
        case dirty(String)

        var isDirty: Bool { if case .dirty = self { true } else { false } }
    }

    init(_ root: consuming RootDirectory, _ probe: FilesystemProbe, _ journal: Journal = .clean) {
        self.root = root
        self.probe = probe
        self.journal = journal
    }

    /// - Parameters:
    ///   - file: an open file that holds the filesystem
    ///   - offset, size: where in it
    ///   - isWritable: whether a journal may be replayed: what is written to the file does not reach the image
    ///   - hasOwnMounts: whether this process may mount what fuse2fs serves, in mounts that only it has
    static func mount(
        _ file: Int32, _ image: String, offset: UInt64, size: UInt64, _ probe: FilesystemProbe?, name: String,
        isWritable: Bool = false, hasOwnMounts: Bool = false
    ) throws(BundleError) -> MountedVolume {
        guard let probe, let driver = probe.driver else {
            throw BundleError(
                "\(image): \(name) holds \(probe?.kind.rawValue ?? "nothing that is known"), no root filesystem")
        }
        if hasOwnMounts || effectiveUserID() != 0,
            (try? fileStatus(image)?.isSameFile(as: descriptorStatus(file))) == true
        {
            let root = try UserspaceMount.mount(
                image, offset: offset, probe, name: name, hasOwnMounts: hasOwnMounts)
            return MountedVolume(
                RootDirectory(root), probe, probe.isDirty ? .dirty("fuse2fs replays none") : .clean)
        }
        do throws(SystemError) {
            func mount(_ way: Way) throws(SystemError) -> RootDirectory {
                let device = try LoopDevice.attach(
                    file, offset: offset, size: size, name: image, isWritable: way == .replaying)
                return try root(driver, source: device.path, way)
            }
            var isDirty = probe.isDirty
            if driver == "xfs" {
                // Only the log itself tells; the kernel, which would have to write, then says so.
                do throws(SystemError) {
                    return MountedVolume(try mount(.expectingNoJournal), probe)
                } catch {
                    guard error.errno == .readOnly else { throw error }
                    isDirty = true
                }
            }
            var reason = "it needs qemu-storage-daemon"
            if isDirty, isWritable {
                do throws(SystemError) {
                    return MountedVolume(try mount(.replaying), probe, .replayed)
                } catch {
                    reason = error.text
                }
            }
            return MountedVolume(try mount(.ignoringJournal), probe, isDirty ? .dirty(reason) : .clean)
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

    private enum Way { case expectingNoJournal, replaying, ignoringJournal }

    private static func root(
        _ driver: String, source: String, _ way: Way
    ) throws(SystemError) -> RootDirectory {
        let attributes: MountAttributes = [.readOnly, .noSetUserID, .noDevices, .noExecution, .noAccessTime]
        for attempt in 0... {
            do throws(SystemError) {
                let mount = try context(driver, source: source, way).mount(attributes)
                return RootDirectory(mount.intoDescriptor())
            } catch {
                // A btrfs that was mounted from another device a moment ago is still there.
                guard driver == "btrfs", [.exists, .busy].contains(error.errno), attempt < 100 else { throw error }
                sleep(milliseconds: 10)
            }
        }
        fatalError("the loop ends in it")
    }

    /// Options that let no error be more than an error: a superblock may ask for a panic.
    private static func context(
        _ driver: String, source: String, _ way: Way
    ) throws(SystemError) -> FilesystemContext {
        let context = try FilesystemContext(type: driver)
        try context.set(source: source)
        try context.set(option: "ro")
        let ignores = way == .ignoringJournal
        let options: [String] =
            switch driver {
            case "ext4": ["errors=continue"] + (ignores ? ["noload"] : [])
            case "xfs": ["nouuid"] + (ignores ? ["norecovery"] : [])
            // The top of all subvolumes, whichever is the default one.
            case "btrfs": ["subvolid=5"] + (ignores ? ["rescue=nologreplay"] : [])
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
