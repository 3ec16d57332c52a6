internal import CLinux
internal import Glibc

/// The kinds of namespaces, namespaces(7).
package struct NamespaceFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let none: NamespaceFlags = []
    /// What a process enters last (`ContainerEntering`).
    package static let userAndCgroup: NamespaceFlags = [.user, .cgroup]
    package static let user = NamespaceFlags(rawValue: CL_CLONE_NEWUSER)
    package static let pid = NamespaceFlags(rawValue: CL_CLONE_NEWPID)
    package static let network = NamespaceFlags(rawValue: CL_CLONE_NEWNET)
    package static let ipc = NamespaceFlags(rawValue: CL_CLONE_NEWIPC)
    package static let uts = NamespaceFlags(rawValue: CL_CLONE_NEWUTS)
    package static let mount = NamespaceFlags(rawValue: CL_CLONE_NEWNS)
    package static let cgroup = NamespaceFlags(rawValue: CL_CLONE_NEWCGROUP)
    package static let time = NamespaceFlags(rawValue: CL_CLONE_NEWTIME)
}

extension FileDescriptor {
    /// The kind of the namespace that this descriptor of a `/proc/PID/ns` file stands for (ioctl_ns(2), NS_GET_NSTYPE);
    /// nil when the file is no namespace.
    package borrowing func namespaceKind() -> NamespaceFlags? {
        let result = cl_namespace_kind(rawValue)
        return result < 0 ? nil : NamespaceFlags(rawValue: UInt64(result))
    }
}

/// `setns(2)`
package func enterNamespace(_ descriptor: Int32, _ kinds: NamespaceFlags) throws(SystemError) {
    try check(cl_setns(descriptor, Int32(truncatingIfNeeded: kinds.rawValue)), "setns")
}

/// `unshare(2)` of one or more kinds.
package func unshare(_ kinds: NamespaceFlags) throws(SystemError) {
    try check(cl_unshare(Int32(truncatingIfNeeded: kinds.rawValue)), "unshare")
}

/// Whether this process is in another user namespace than the one the kernel began with, which has a fixed number
/// (linux/proc_ns.h, PROC_USER_INIT_INO).
package func isInUserNamespace() -> Bool {
    guard let status = try? fileStatus("/proc/self/ns/user") else { return false }
    return status.inode != 0xefff_fffd
}
