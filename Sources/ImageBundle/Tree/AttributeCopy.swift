internal import CLinux
internal import Glibc
internal import LinuxSystem

/// Owners and extended attributes of copies.
final class AttributeCopy {
    private let work: Work
    private let isPrivileged = effectiveUserID() == 0
    private let setsOwners: Bool
    private let names: UnsafeMutableBufferPointer<CChar>
    private let value: UnsafeMutableRawBufferPointer
    /// How many attributes could not be kept: the filesystem of the copy does not know them, or the caller may not set
    /// them.
    private(set) var left = 0

    init(_ work: Work) {
        self.work = work
        setsOwners = isPrivileged && (!work.isRootless || work.ownIDs.hasOthers)
        // The limits of the kernel, xattr(7).
        names = .allocate(capacity: 64 << 10)
        value = .allocate(byteCount: 64 << 10, alignment: 8)
    }

    deinit {
        names.deallocate()
        value.deallocate()
    }

    /// The permissions of the copy.
    func mode(_ status: stat) -> UInt32 {
        let all = status.st_mode & 0o7777
        return work.request.noSetUserID && status.st_mode & S_IFMT != S_IFDIR ? all & ~0o6000 : all
    }

    /// The permissions that a file is made with. Those that a change of owner or content takes away come at the end, and an
    /// ordinary user sets attributes only of what he may write.
    func initialMode(_ status: stat) -> UInt32 { isPrivileged ? mode(status) & 0o777 : 0o600 }

    /// An ordinary user's copies belong to him, unless he has other ids: then those do that he has.
    func changeOwner(
        at directory: Int32, _ name: ByteName, _ status: stat, _ caller: (uid: UInt32, gid: UInt32),
        _ failure: (SystemError) -> BundleError
    ) throws(BundleError) {
        guard setsOwners, status.st_uid != caller.uid || status.st_gid != caller.gid else { return }
        let flags = name.count == 0 ? CL_AT_EMPTY_PATH : CL_AT_SYMLINK_NOFOLLOW
        let result = Int(cl_fchownat(directory, name.terminated, status.st_uid, status.st_gid, flags))
        // What is not mapped in a user namespace is no id there.
        if result == -Int(EINVAL), work.isRootless { return }
        if result < 0 { throw failure(SystemError("fchownat", "", Errno(Int32(-result)))) }
    }

    /// Copies the attributes of an open file or directory.
    ///
    /// - Returns: whether there are any; access lists change the permissions
    func copy(from input: Int32, to output: Int32) throws(SystemError) -> Bool {
        // The kernel takes as much memory as it is offered, for each file anew.
        var length = Int(cl_flistxattr(input, names.baseAddress, 1024))
        if length == -Int(ERANGE) { length = Int(cl_flistxattr(input, names.baseAddress, names.count)) }
        try each(length) { name in
            let size = Int(cl_fgetxattr(input, name, value.baseAddress, value.count))
            return size < 0 ? size : Int(cl_fsetxattr(output, name, value.baseAddress, size))
        }
        return length > 0
    }

    /// Copies the attributes of a link, a device, a fifo or a socket, which cannot be opened: through /proc, which leads to
    /// the very file that a descriptor stands for.
    func copyOfSpecial(
        _ name: ByteName, _ from: Int32, _ into: Int32, _ failure: (SystemError) -> BundleError
    ) throws(BundleError) {
        let flags = CL_O_PATH | CL_O_NOFOLLOW | CL_O_CLOEXEC
        do throws(SystemError) {
            let input = FileDescriptor(owning: try check(Int(cl_openat(from, name.terminated, flags, 0)), "open"))
            let source = "/proc/self/fd/\(input.rawValue)"
            let length = Int(cl_listxattr(source, names.baseAddress, names.count))
            guard length > 0 else { return }
            let output = FileDescriptor(owning: try check(Int(cl_openat(into, name.terminated, flags, 0)), "open"))
            let target = "/proc/self/fd/\(output.rawValue)"
            try each(length) { name in
                let size = Int(cl_getxattr(source, name, value.baseAddress, value.count))
                return size < 0 ? size : Int(cl_setxattr(target, name, value.baseAddress, size))
            }
        } catch {
            throw failure(error)
        }
    }

    /// Hands every name of a list of `length` bytes to `set`.
    private func each(
        _ length: Int, _ set: (UnsafePointer<CChar>) -> Int
    ) throws(SystemError) {
        if length == -Int(EOPNOTSUPP) || length == 0 { return }
        try check(length, "listxattr")
        var start = 0
        while start < length, let base = names.baseAddress {
            let name = UnsafePointer(base + start)
            start += strlen(name) + 1
            guard isKept(name) else { continue }
            let result = set(name)
            if result == -Int(EOPNOTSUPP) || result == -Int(EPERM) || result == -Int(ENODATA) {
                left += 1
            } else {
                try check(result, "setxattr")
            }
        }
    }

    private func isKept(_ name: UnsafePointer<CChar>) -> Bool {
        // Settings of btrfs for its own files.
        if strncmp(name, "btrfs.", 6) == 0 { return false }
        if !isPrivileged, strncmp(name, "trusted.", 8) == 0 { return false }
        return !(work.request.noSetUserID && strcmp(name, "security.capability") == 0)
    }
}
