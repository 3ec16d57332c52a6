internal import CLinux
internal import Glibc

// What a process may set of itself: credentials, limits, scheduling. The calls are raw: there is one thread, and the C
// library's wrappers would signal others.

package func setUserID(_ uid: UInt32) throws(SystemError) { try check(cl_setresuid(uid), "setresuid", "\(uid)") }
package func setGroupID(_ gid: UInt32) throws(SystemError) { try check(cl_setresgid(gid), "setresgid", "\(gid)") }

package func setSupplementaryGroups(_ groups: [UInt32]) throws(SystemError) {
    try check(cl_setgroups(groups.count, groups), "setgroups")
}

/// The file mode creation mask, umask(2); returns the old one.
@discardableResult
package func setFileModeMask(_ mask: UInt32) -> UInt32 { UInt32(umask(mode_t(mask))) }

package func effectiveUserID() -> UInt32 { geteuid() }
package func effectiveGroupID() -> UInt32 { getegid() }
package func currentProcessID() -> Int32 { getpid() }

package func startSession() throws(SystemError) { try check(cl_setsid(), "setsid") }

/// Keeps the permitted capabilities when the user id changes from 0, prctl(2) PR_SET_KEEPCAPS.
package func keepCapabilitiesAcrossUserChange() throws(SystemError) {
    try check(cl_prctl(CL_PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl", "PR_SET_KEEPCAPS")
}

/// prctl(2) PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL
package func clearAmbientCapabilities() throws(SystemError) {
    try check(cl_prctl(CL_PR_CAP_AMBIENT, UInt(CL_PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0), "prctl", "PR_CAP_AMBIENT")
}

/// prctl(2) PR_SET_SECUREBITS; `bits` as in linux/securebits.h.
package func setSecureBits(_ bits: UInt32) throws(SystemError) {
    try check(cl_prctl(CL_PR_SET_SECUREBITS, UInt(bits), 0, 0, 0), "prctl", "PR_SET_SECUREBITS")
}

package func setNoNewPrivileges() throws(SystemError) {
    try check(cl_prctl(CL_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl", "PR_SET_NO_NEW_PRIVS")
}

/// Takes capabilities from the bounding set: a program executed later cannot have them.
package func dropBoundingCapabilities(except kept: [Int32]) throws(SystemError) {
    for number in Int32(0)..<64 where !kept.contains(number) {
        // The kernel says EINVAL behind the last one that it knows.
        let result = Int(cl_prctl(CL_PR_CAPBSET_DROP, UInt(number), 0, 0, 0))
        if result == -Int(EINVAL) { return }
        try check(result, "prctl", "PR_CAPBSET_DROP")
    }
}

/// Whether execve(2) gives this process no privileges, prctl(2) PR_GET_NO_NEW_PRIVS.
package func cannotGainPrivileges() -> Bool { cl_prctl(CL_PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 }

/// Whether others may look at this process through ptrace(2) and /proc.
package func setDumpable(_ dumpable: Bool) {
    _ = cl_prctl(CL_PR_SET_DUMPABLE, dumpable ? 1 : 0, 0, 0, 0)
}

/// Orphaned descendants become children of this process.
package func becomeSubreaper() throws(SystemError) {
    try check(cl_prctl(CL_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl", "PR_SET_CHILD_SUBREAPER")
}

/// The kernel kills this process when its parent dies.
package func dieWithParent(signal: Int32 = 9) throws(SystemError) {
    try check(cl_prctl(CL_PR_SET_PDEATHSIG, UInt(signal), 0, 0, 0), "prctl", "PR_SET_PDEATHSIG")
}

/// `prlimit(2)`; `pid` 0 is this process. `UInt64.max` is RLIM_INFINITY.
package func setResourceLimit(
    _ resource: Int32, soft: UInt64, hard: UInt64, of pid: Int32 = 0
) throws(SystemError) {
    try check(cl_prlimit(pid, resource, soft, hard), "prlimit")
}

/// The hard limit of a process, `prlimit(2)`.
package func hardResourceLimit(_ resource: Int32, of pid: Int32 = 0) throws(SystemError) -> UInt64 {
    var hard: UInt64 = 0
    try check(cl_get_hard_limit(pid, resource, &hard), "prlimit")
    return hard
}

package func setHostName(_ name: String) throws(SystemError) {
    try check(cl_sethostname(name, name.utf8.count), "sethostname", name)
}

package func setDomainName(_ name: String) throws(SystemError) {
    try check(cl_setdomainname(name, name.utf8.count), "setdomainname", name)
}

package func setPersonality(_ persona: UInt) throws(SystemError) {
    try check(cl_personality(persona), "personality")
}

/// `ioprio_set(2)` for this process: class 1 realtime, 2 best effort, 3 idle; priority 0...7.
package func setIOPriority(class ioClass: Int32, priority: Int32) throws(SystemError) {
    try check(cl_ioprio_set(1, 0, ioClass << 13 | priority), "ioprio_set")
}

/// `set_mempolicy(2)`; `nodes` is a bit mask, 64 nodes a word.
package func setMemoryPolicy(mode: Int32, nodes: [UInt]) throws(SystemError) {
    let bits = nodes.isEmpty ? 0 : UInt(nodes.count * 64 + 1)
    try check(cl_set_mempolicy(mode, nodes.isEmpty ? nil : nodes, bits), "set_mempolicy")
}

/// `sched_setattr(2)`; times in nanoseconds.
package func setScheduler(
    policy: UInt32, flags: UInt64, nice: Int32, priority: UInt32, runtime: UInt64, deadline: UInt64, period: UInt64
) throws(SystemError) {
    try check(cl_sched_setattr(policy, flags, nice, priority, runtime, deadline, period), "sched_setattr")
}

/// `setpriority(2)` of this process.
package func setNice(_ nice: Int32) throws(SystemError) { try check(cl_setpriority(nice), "setpriority") }

package func setProcessorAffinity(_ mask: [UInt], of pid: Int32 = 0) throws(SystemError) {
    try check(cl_sched_setaffinity(pid, mask.count * 8, mask), "sched_setaffinity")
}

/// A new session keyring (keyctl(2)) that a process with the container's own user may search. It has no name of its own:
/// a keyring that another container made under that name would be joined instead.
package func joinNewSessionKeyring() throws(SystemError) {
    let key = try check(cl_join_session_keyring(nil), "keyctl", "KEYCTL_JOIN_SESSION_KEYRING")
    // The description reads "type;uid;gid;permissions;name". The owner, who is the container's user only after the
    // credentials change, is given the right to search it; what cannot be read is left as it is.
    var text = [UInt8](repeating: 0, count: 256)
    let length = text.withUnsafeMutableBytes {
        cl_key_describe(key, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
    }
    guard length > 0 else { return }
    let fields = text.prefix(min(Int(length), 256)).split(separator: UInt8(ascii: ";"))
    guard fields.count > 3, let mask = UInt32(String(decoding: fields[3], as: UTF8.self), radix: 16) else { return }
    try check(cl_key_set_permission(key, mask | 0x0008_0000), "keyctl", "KEYCTL_SETPERM")
}

/// Marks every descriptor from `first` on close-on-exec.
package func closeOnExec(from first: Int32) throws(SystemError) {
    try check(cl_close_range(UInt32(first), UInt32.max, CL_CLOSE_RANGE_CLOEXEC), "close_range")
}

/// Closes every descriptor from `first` on but those of `kept`.
package func closeDescriptors(from first: Int32, except kept: [Int32]) {
    var start = UInt32(first)
    for number in kept.sorted() where number >= first {
        if UInt32(number) > start { _ = cl_close_range(start, UInt32(number) - 1, 0) }
        start = UInt32(number) + 1
    }
    _ = cl_close_range(start, UInt32.max, 0)
}

/// Where standard input, output or error is closed, /dev/null takes its place: else the next file that is opened would
/// become the container's standard stream.
package func openStandardStreams() {
    var entries = [
        pollfd(fd: 0, events: 0, revents: 0), pollfd(fd: 1, events: 0, revents: 0),
        pollfd(fd: 2, events: 0, revents: 0),
    ]
    guard cl_poll(&entries, 3, 0) > 0 else { return }
    for entry in entries where entry.revents & Int16(POLLNVAL) != 0 {
        // The lowest free number is the one that is missing.
        _ = cl_openat(CL_AT_FDCWD, "/dev/null", O_RDWR, 0)
    }
}

/// Makes `number` a copy of `file` that stays open across execve(2).
package func place(_ file: Int32, as number: Int32) throws(SystemError) {
    if file == number {
        try check(cl_fcntl(file, F_SETFD, 0), "fcntl")
    } else {
        try check(cl_dup3(file, number, 0), "dup3")
    }
}

package func isDescriptorOpen(_ number: Int32) -> Bool { cl_fcntl(number, F_GETFD, 0) >= 0 }

/// The current directory as the kernel sees it; "(unreachable)..." outside of the root.
package func currentDirectoryPath() throws(SystemError) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = try check(cl_getcwd(&buffer, buffer.count), "getcwd")
    return String(decoding: buffer[..<(length - 1)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The value of an environment variable of this process.
package func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

/// The whole environment of this process, "name=value".
package func environmentVariables() -> [String] {
    var result: [String] = []
    guard var entry = cl_environment() else { return [] }
    while let text = entry.pointee {
        result.append(String(cString: text))
        entry += 1
    }
    return result
}

/// "up" for a network interface of the current network namespace (netdevice(7)).
package func bringInterfaceUp(_ name: String) throws(SystemError) {
    let socket = FileDescriptor(
        owning: try check(cl_socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | CL_O_CLOEXEC, 0), "socket"))
    try check(cl_interface_up(socket.rawValue, name), "ioctl", "SIOCSIFFLAGS \(name)")
}

/// Whether the effective user may access `path` in the ways of access(2): 4 read, 2 write, 1 execute.
package func checkAccess(_ path: String, _ mode: Int32) throws(SystemError) {
    try check(cl_faccessat2(CL_AT_FDCWD, path, mode, CL_AT_EACCESS), "faccessat2", path)
}
