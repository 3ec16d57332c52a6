internal import CLinux
internal import Glibc

/// Attributes of a mount, mount_setattr(2). The access-time modes are one field of which at most one value is set;
/// none of them means relatime.
package struct MountAttributes: OptionSet, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let none: MountAttributes = []
    package static let readOnly = MountAttributes(rawValue: CL_MOUNT_ATTR_RDONLY)
    package static let noSetUserID = MountAttributes(rawValue: CL_MOUNT_ATTR_NOSUID)
    package static let noDevices = MountAttributes(rawValue: CL_MOUNT_ATTR_NODEV)
    package static let noExecution = MountAttributes(rawValue: CL_MOUNT_ATTR_NOEXEC)
    package static let noAccessTime = MountAttributes(rawValue: CL_MOUNT_ATTR_NOATIME)
    package static let strictAccessTime = MountAttributes(rawValue: CL_MOUNT_ATTR_STRICTATIME)
    package static let accessTimeField = MountAttributes(rawValue: CL_MOUNT_ATTR_ATIME)
    package static let noDirectoryAccessTime = MountAttributes(rawValue: CL_MOUNT_ATTR_NODIRATIME)
    package static let noSymbolicLinks = MountAttributes(rawValue: CL_MOUNT_ATTR_NOSYMFOLLOW)
    /// Of a mount that only hides something.
    package static let inert: MountAttributes = [.readOnly, .noSetUserID, .noDevices, .noExecution]
}

/// How mounts and unmounts travel between copies of a mount, mount_namespaces(7).
package enum MountPropagation: Sendable {
    case `private`, slave, shared, unbindable

    var flag: UInt64 {
        switch self {
        case .private: CL_MS_PRIVATE
        case .slave: CL_MS_SLAVE
        case .shared: CL_MS_SHARED
        case .unbindable: CL_MS_UNBINDABLE
        }
    }
}

/// A mount that a descriptor stands for and that is (still) attached nowhere: nobody can reach it by a path, so nothing
/// can be swapped under it before it is complete.
package struct DetachedMount: ~Copyable {
    package let descriptor: FileDescriptor

    package init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// A bind mount of what `path` of the host names, `open_tree(2)`.
    package static func clone(
        ofPath path: String, recursive: Bool, followLinks: Bool = true
    ) throws(SystemError) -> DetachedMount {
        let flags =
            CL_OPEN_TREE_CLONE | CL_OPEN_TREE_CLOEXEC | (recursive ? CL_AT_RECURSIVE : 0)
            | (followLinks ? 0 : UInt32(CL_AT_SYMLINK_NOFOLLOW))
        let fd = try check(cl_open_tree(CL_AT_FDCWD, path, flags), "open_tree", path)
        return DetachedMount(FileDescriptor(owning: fd))
    }

    /// A bind mount of what an open descriptor stands for.
    package static func clone(
        of file: borrowing FileDescriptor, recursive: Bool = false, subject: String = ""
    ) throws(SystemError) -> DetachedMount {
        try clone(ofDescriptor: file.rawValue, recursive: recursive, subject: subject)
    }

    package static func clone(
        ofDescriptor file: Int32, recursive: Bool = false, subject: String = ""
    ) throws(SystemError) -> DetachedMount {
        let flags =
            CL_OPEN_TREE_CLONE | CL_OPEN_TREE_CLOEXEC | UInt32(CL_AT_EMPTY_PATH) | (recursive ? CL_AT_RECURSIVE : 0)
        return DetachedMount(FileDescriptor(owning: try check(cl_open_tree(file, "", flags), "open_tree", subject)))
    }

    package consuming func intoDescriptor() -> FileDescriptor { descriptor }

    /// Gives up ownership; the mount lives until the number is closed.
    package consuming func release() -> Int32 { descriptor.release() }

    /// `move_mount(2)` onto the place that `target` stands for.
    package borrowing func attach(to target: borrowing FileDescriptor, subject: String = "") throws(SystemError) {
        let flags = CL_MOVE_MOUNT_F_EMPTY_PATH | CL_MOVE_MOUNT_T_EMPTY_PATH
        try check(cl_move_mount(descriptor.rawValue, "", target.rawValue, "", flags), "move_mount", subject)
    }
}

extension DetachedMount {
    /// As `attach(to:)`, onto the entry `name` of a directory that nobody else can reach.
    package borrowing func attach(to directory: borrowing FileDescriptor, _ name: String) throws(SystemError) {
        let flags = CL_MOVE_MOUNT_F_EMPTY_PATH
        try check(cl_move_mount(descriptor.rawValue, "", directory.rawValue, name, flags), "move_mount", name)
    }
}

extension FileDescriptor {
    /// `mount_setattr(2)` on the mount whose root this descriptor stands for.
    ///
    /// - Parameter idMap: a user namespace whose mappings the mount gets, or nil.
    package borrowing func setMountAttributes(
        set: MountAttributes = [], clear: MountAttributes = [], propagation: MountPropagation? = nil,
        recursive: Bool = false, idMap: Int32? = nil, subject: String = ""
    ) throws(SystemError) {
        let flags = UInt32(CL_AT_EMPTY_PATH) | (recursive ? CL_AT_RECURSIVE : 0)
        let added = set.rawValue | (idMap == nil ? 0 : CL_MOUNT_ATTR_IDMAP)
        let result = cl_mount_setattr(
            rawValue, "", flags, added, clear.rawValue, propagation?.flag ?? 0, idMap ?? -1)
        try check(result, "mount_setattr", subject)
    }
}

extension FileDescriptor {
    /// The id of the mount that the file lies on, as /proc/self/mountinfo counts.
    package borrowing func mountID() throws(SystemError) -> UInt64 {
        UInt64(try check(Int(cl_descriptor_mount_id(rawValue)), "statx"))
    }
}

/// `mount_setattr(2)` of the propagation of every mount at and below `path`.
package func setPropagation(_ propagation: MountPropagation, ofEverythingBelow path: String) throws(SystemError) {
    try check(
        cl_mount_setattr(CL_AT_FDCWD, path, CL_AT_RECURSIVE, 0, 0, propagation.flag, -1), "mount_setattr", path)
}

/// A filesystem being configured, fsopen(2). When the kernel refuses something it leaves a text saying why; the errors
/// carry it.
package struct FilesystemContext: ~Copyable {
    private let descriptor: FileDescriptor
    private let type: String

    package init(type: String) throws(SystemError) {
        self.type = type
        descriptor = FileDescriptor(owning: try check(cl_fsopen(type, CL_FSOPEN_CLOEXEC), "fsopen", type))
    }

    /// A context that changes the filesystem mounted at `place` (fspick(2)).
    package init(reconfiguring place: borrowing FileDescriptor) throws(SystemError) {
        type = "remount"
        descriptor = FileDescriptor(
            owning: try check(
                cl_fspick(place.rawValue, "", CL_FSPICK_CLOEXEC | CL_FSPICK_EMPTY_PATH), "fspick"))
    }

    /// A "key=value" or "flag" option.
    package borrowing func set(option: String) throws(SystemError) {
        if let equals = option.utf8.firstIndex(of: UInt8(ascii: "=")) {
            let key = String(option[..<equals])
            let value = String(option[option.utf8.index(after: equals)...])
            try configure(CL_FSCONFIG_SET_STRING, key, value)
        } else {
            try configure(CL_FSCONFIG_SET_FLAG, option, nil)
        }
    }

    package borrowing func set(source: String) throws(SystemError) {
        try configure(CL_FSCONFIG_SET_STRING, "source", source)
    }

    /// Creates the filesystem and a mount of it with `attributes`.
    package borrowing func mount(_ attributes: MountAttributes) throws(SystemError) -> DetachedMount {
        try configure(CL_FSCONFIG_CMD_CREATE, nil, nil)
        let result = cl_fsmount(descriptor.rawValue, CL_FSMOUNT_CLOEXEC, UInt32(attributes.rawValue))
        return DetachedMount(FileDescriptor(owning: try check(Int(result), "fsmount", explained(type))))
    }

    package borrowing func reconfigure() throws(SystemError) {
        try configure(CL_FSCONFIG_CMD_RECONFIGURE, nil, nil)
    }

    private borrowing func configure(_ command: UInt32, _ key: String?, _ value: String?) throws(SystemError) {
        let result: Int
        if let key {
            if let value {
                result = cl_fsconfig(descriptor.rawValue, command, key, value, 0)
            } else {
                result = cl_fsconfig(descriptor.rawValue, command, key, nil, 0)
            }
        } else {
            result = cl_fsconfig(descriptor.rawValue, command, nil, nil, 0)
        }
        guard result < 0 else { return }
        let option = key.map { value == nil ? " \($0)" : " \($0)=\(value ?? "")" } ?? ""
        throw SystemError("fsconfig", explained(type + option), Errno(Int32(-result)))
    }

    /// `text` followed by the kernel's own words, where it left any.
    private borrowing func explained(_ text: String) -> String {
        guard let bytes = try? descriptor.read(upTo: 512), bytes.count > 2 else { return text }
        // "e tmpfs: Bad value for 'size'": a letter for the severity, a space, the message
        let message = String(decoding: bytes.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return "\(text) (\(message))"
    }
}

/// `mount(2)` on the directory `target`, for what fsopen(2) cannot say: option texts of more than 255 bytes, and the
/// flags that it does not know. The directory is entered, so that the kernel resolves no path.
package func mountLegacy(
    type: String, source: String, on target: borrowing FileDescriptor, flags: UInt, data: String
) throws(SystemError) {
    try check(cl_fchdir(target.rawValue), "fchdir")
    defer { _ = cl_chdir("/") }
    try check(cl_mount(source, ".", type, flags, data), "mount", type)
}

/// `umount2(2)`, lazily: what uses the mount keeps it.
package func detachMount(_ path: String, followLinks: Bool = true) throws(SystemError) {
    let flags = Int32(MNT_DETACH) | (followLinks ? 0 : CL_UMOUNT_NOFOLLOW)
    try check(cl_umount2(path, flags), "umount2", path)
}

/// Makes the directory `root` this mount namespace's root and forgets the old one. With "." for both names the old root
/// ends up on top of the new one, so no directory inside the new root is needed (pivot_root(2), NOTES).
package func pivotRoot(to root: borrowing FileDescriptor) throws(SystemError) {
    let old = try FileDescriptor.open("/", [.path, .directory])
    try check(cl_fchdir(root.rawValue), "fchdir")
    try check(cl_pivot_root(".", "."), "pivot_root")
    try check(cl_fchdir(old.rawValue), "fchdir")
    // The unmount must not travel to the host.
    try check(cl_mount_setattr(CL_AT_FDCWD, ".", CL_AT_RECURSIVE, 0, 0, CL_MS_SLAVE, -1), "mount_setattr")
    try check(cl_umount2(".", Int32(MNT_DETACH)), "umount2")
    try check(cl_chdir("/"), "chdir")
}

/// Detaches every mount of some filesystem types that is not below `root`, as far as the kernel lets them go.
package func detachMounts(ofTypes types: [String], outside root: String) throws(SystemError) {
    let table = try readFile("/proc/self/mountinfo", limit: 1 << 24)
    // "36 35 98:0 /root /mount/point options ... - type source options" (proc_pid_mountinfo(5))
    for line in table.split(separator: UInt8(ascii: "\n")).reversed() {
        let fields = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count, types.contains(fields[dash + 1]) else {
            continue
        }
        let point = unescapedMountPath(fields[4])
        if point != root, !point.hasPrefix(root + "/") { try? detachMount(point) }
    }
}

/// The mount table writes space, tab, newline and backslash as three octal digits.
private func unescapedMountPath(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "\\"), let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
            bytes.append(code)
            rest = rest.dropFirst(3)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// As `pivotRoot` where the root cannot be pivoted (an initramfs): the new root is moved over the old one, chroot(2).
package func moveRoot(to root: borrowing FileDescriptor) throws(SystemError) {
    try check(cl_fchdir(root.rawValue), "fchdir")
    try check(cl_mount(".", "/", nil, UInt(MS_MOVE), nil), "mount (move)")
    try changeRoot()
}

/// `chroot(2)` to the current directory.
package func changeRoot() throws(SystemError) {
    try check(cl_chroot("."), "chroot")
    try check(cl_chdir("/"), "chdir")
}

package func enterDirectory(_ directory: borrowing FileDescriptor) throws(SystemError) {
    try check(cl_fchdir(directory.rawValue), "fchdir")
}

/// linux/magic.h
package let procfsMagic: Int64 = CL_PROC_SUPER_MAGIC
package let devptsMagic: Int64 = CL_DEVPTS_SUPER_MAGIC
package let cgroup2Magic: Int64 = CL_CGROUP2_SUPER_MAGIC
