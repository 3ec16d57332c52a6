internal import CLibseccomp
internal import Glibc
internal import LinuxSystem
internal import RuntimeSpec

/// Names and numbers of system calls: libseccomp's tables and, behind them, the calls that the kernel got since.
package enum SystemCallNames {
    /// New calls have one number on all architectures (Linux, scripts/syscall.tbl and its kin). Profiles name them
    /// before the distribution's libseccomp knows them.
    private static let younger: [(name: StaticString, number: Int32)] = [
        ("cachestat", 451), ("fchmodat2", 452), ("map_shadow_stack", 453), ("futex_wake", 454), ("futex_wait", 455),
        ("futex_requeue", 456), ("statmount", 457), ("listmount", 458), ("lsm_get_self_attr", 459),
        ("lsm_set_self_attr", 460), ("lsm_list_modules", 461), ("mseal", 462), ("setxattrat", 463),
        ("getxattrat", 464), ("listxattrat", 465), ("removexattrat", 466), ("open_tree_attr", 467),
        ("file_getattr", 468), ("file_setattr", 469),
    ]

    /// - Parameter token: libseccomp's SCMP_ARCH_*
    static func name(of number: UInt32, on token: UInt32) -> String? {
        // Negative numbers are libseccomp's own, for calls that an architecture lacks.
        guard let signed = Int32(exactly: number) else { return nil }
        if let text = seccomp_syscall_resolve_num_arch(token, signed) {
            defer { free(text) }
            return String(cString: text)
        }
        for call in younger where UInt32(call.number) | offset(on: token) == number { return call.name.description }
        return nil
    }

    /// The number of a call of an architecture; nil when it has none of that name.
    static func number(of name: String, on token: UInt32) -> UInt32? {
        let known = seccomp_syscall_resolve_name_arch(token, name)
        return known < 0 ? youngerNumber(of: name, on: token) : UInt32(known)
    }

    /// The number of a call that libseccomp does not know; nil when it has no such number either.
    static func youngerNumber(of name: String, on token: UInt32) -> UInt32? {
        for call in younger where call.name.description == name { return UInt32(call.number) | offset(on: token) }
        return nil
    }

    /// The name of a call of this machine's own architecture.
    package static func name(ofNative number: UInt32) -> String? { name(of: number, on: SystemCallArchitecture.native) }

    /// Whether this machine has a call of that name.
    package static func isNative(_ name: String) -> Bool { nativeCall(name) != nil }

    /// A call of this machine's own architecture, with arguments of 0.
    static func nativeCall(_ name: String) -> SystemCall? {
        let native = SystemCallArchitecture.native
        guard let number = number(of: name, on: native) else { return nil }
        return SystemCall(number: number, architecture: native)
    }

    private static func offset(on token: UInt32) -> UInt32 {
        token == SystemCallArchitecture.x32Token ? SystemCallArchitecture.x32Bit : 0
    }
}

/// One set of system call numbers, by the name that profiles give it.
enum SystemCallArchitecture {
    /// libseccomp's SCMP_ARCH_X32. The kernel tells these calls from those of x86-64 by a bit in their number.
    static let x32Token: UInt32 = 0x4000_003e
    static let x32Bit: UInt32 = 0x4000_0000  // __X32_SYSCALL_BIT
    static let x86_64Token: UInt32 = 0xc000_003e  // AUDIT_ARCH_X86_64

    static var native: UInt32 { seccomp_arch_native() }

    /// libseccomp's SCMP_ARCH_*, which but for x32 is what the kernel says in `seccomp_data.arch`.
    static func token(of call: SystemCall) -> UInt32 {
        call.architecture == x86_64Token && call.number & x32Bit != 0 ? x32Token : call.architecture
    }

    /// The profile's word for it, or the number.
    static func name(of token: UInt32) -> String {
        word(for: token)?.rawValue ?? "architecture 0x\(String(token, radix: 16))"
    }

    static func word(for token: UInt32) -> SeccompArchitecture? {
        SeccompArchitecture.allCases.first { seccomp_arch_resolve_name($0.libseccompName) == token }
    }
}
