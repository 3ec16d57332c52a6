/// The name of a kernel parameter, in either spelling of sysctl(8): `net.ipv4.conf.eth0/1.forwarding` and
/// `net/ipv4/conf/eth0.1/forwarding` are the same one.
package struct SysctlName: Equatable, Sendable {
    /// Below /proc/sys: `net/ipv4/conf/eth0.1/forwarding`. Without empty, `.` and `..` components.
    package let path: String

    /// nil when the name would not stay below /proc/sys.
    package init?(_ name: String) {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        // Whichever of the two comes first is the separator; the other one then stands for itself.
        let separator = name.utf8.first { $0 == dot || $0 == slash }
        let bytes = name.utf8.map { byte in
            if separator == dot, byte == dot { return slash }
            if separator == dot, byte == slash { return dot }
            return byte
        }
        let components = bytes.split(separator: slash, omittingEmptySubsequences: false)
        guard components.allSatisfy({ !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) })
        else {
            return nil
        }
        path = String(decoding: bytes, as: UTF8.self)
    }

    /// The namespace this parameter belongs to, or nil when it is the whole machine's.
    package var namespace: NamespaceType? {
        if path.utf8.starts(with: "net/".utf8) { return .network }
        if path.utf8.starts(with: "fs/mqueue/".utf8) { return .ipc }
        if path.utf8.starts(with: "user/".utf8) { return .user }
        return switch path {
        case "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem", "kernel/shmall", "kernel/shmmax",
            "kernel/shmmni", "kernel/shm_rmid_forced", "kernel/msg_next_id", "kernel/sem_next_id",
            "kernel/shm_next_id":
            .ipc
        case "kernel/hostname", "kernel/domainname": .uts
        default: nil
        }
    }
}
