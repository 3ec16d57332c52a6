/// Names and numbers of libseccomp (seccomp.h) and of seccomp(2).

package enum SeccompAction: String, SpecWord {
    case allow = "SCMP_ACT_ALLOW"
    case errno = "SCMP_ACT_ERRNO"
    /// The older name of `killThread`.
    case kill = "SCMP_ACT_KILL"
    case killProcess = "SCMP_ACT_KILL_PROCESS"
    case killThread = "SCMP_ACT_KILL_THREAD"
    case log = "SCMP_ACT_LOG"
    case notify = "SCMP_ACT_NOTIFY"
    case trace = "SCMP_ACT_TRACE"
    case trap = "SCMP_ACT_TRAP"

    package static let noun: StaticString = "seccomp action"

    /// Whether `errnoRet` means something to the action; elsewhere the spec demands an error.
    package var takesErrno: Bool {
        self == .errno || self == .trace
    }

    /// The SCMP_ACT_* value without errno; `takesErrno` actions have it or-ed into the low 16 bits.
    package var number: UInt32 {
        switch self {
        case .killProcess: 0x8000_0000
        case .kill, .killThread: 0x0000_0000
        case .trap: 0x0003_0000
        case .errno: 0x0005_0000
        case .notify: 0x7fc0_0000
        case .trace: 0x7ff0_0000
        case .log: 0x7ffc_0000
        case .allow: 0x7fff_0000
        }
    }
}

package enum SeccompOperator: String, SpecWord {
    case equal = "SCMP_CMP_EQ"
    case greaterOrEqual = "SCMP_CMP_GE"
    case greater = "SCMP_CMP_GT"
    case lessOrEqual = "SCMP_CMP_LE"
    case less = "SCMP_CMP_LT"
    case maskedEqual = "SCMP_CMP_MASKED_EQ"
    case notEqual = "SCMP_CMP_NE"

    package static let noun: StaticString = "seccomp operator"

    /// The value of `enum scmp_compare`.
    package var number: UInt32 {
        switch self {
        case .notEqual: 1
        case .less: 2
        case .lessOrEqual: 3
        case .equal: 4
        case .greaterOrEqual: 5
        case .greater: 6
        case .maskedEqual: 7
        }
    }
}

package enum SeccompFlag: String, SpecWord {
    case tsync = "SECCOMP_FILTER_FLAG_TSYNC"
    case log = "SECCOMP_FILTER_FLAG_LOG"
    case specAllow = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
    case waitKillableRecv = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"

    package static let noun: StaticString = "seccomp flag"

    /// The bit of seccomp(2) (linux/seccomp.h).
    package var bit: UInt32 {
        switch self {
        case .tsync: 1 << 0
        case .log: 1 << 1
        case .specAllow: 1 << 2
        case .waitKillableRecv: 1 << 5
        }
    }
}

package enum SeccompArchitecture: String, SpecWord {
    case aarch64 = "SCMP_ARCH_AARCH64"
    case arm = "SCMP_ARCH_ARM"
    case loongarch64 = "SCMP_ARCH_LOONGARCH64"
    case m68k = "SCMP_ARCH_M68K"
    case mips = "SCMP_ARCH_MIPS"
    case mips64 = "SCMP_ARCH_MIPS64"
    case mips64n32 = "SCMP_ARCH_MIPS64N32"
    case mipsel = "SCMP_ARCH_MIPSEL"
    case mipsel64 = "SCMP_ARCH_MIPSEL64"
    case mipsel64n32 = "SCMP_ARCH_MIPSEL64N32"
    case parisc = "SCMP_ARCH_PARISC"
    case parisc64 = "SCMP_ARCH_PARISC64"
    case ppc = "SCMP_ARCH_PPC"
    case ppc64 = "SCMP_ARCH_PPC64"
    case ppc64le = "SCMP_ARCH_PPC64LE"
    case riscv64 = "SCMP_ARCH_RISCV64"
    case s390 = "SCMP_ARCH_S390"
    case s390x = "SCMP_ARCH_S390X"
    case sh = "SCMP_ARCH_SH"
    case sheb = "SCMP_ARCH_SHEB"
    case x32 = "SCMP_ARCH_X32"
    case x86 = "SCMP_ARCH_X86"
    case x86_64 = "SCMP_ARCH_X86_64"

    package static let noun: StaticString = "architecture"

    /// What seccomp_arch_resolve_name(3) calls it: `x86_64`, `aarch64`, `mipsel64n32`.
    package var libseccompName: String {
        rawValue.dropFirst("SCMP_ARCH_".count).lowercased()
    }
}
