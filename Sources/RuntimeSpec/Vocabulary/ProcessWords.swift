/// Resource limits of getrlimit(2).
package enum RlimitType: String, SpecWord {
    case `as` = "RLIMIT_AS"
    case core = "RLIMIT_CORE"
    case cpu = "RLIMIT_CPU"
    case data = "RLIMIT_DATA"
    case fsize = "RLIMIT_FSIZE"
    case locks = "RLIMIT_LOCKS"
    case memlock = "RLIMIT_MEMLOCK"
    case msgqueue = "RLIMIT_MSGQUEUE"
    case nice = "RLIMIT_NICE"
    case nofile = "RLIMIT_NOFILE"
    case nproc = "RLIMIT_NPROC"
    case rss = "RLIMIT_RSS"
    case rtprio = "RLIMIT_RTPRIO"
    case rttime = "RLIMIT_RTTIME"
    case sigpending = "RLIMIT_SIGPENDING"
    case stack = "RLIMIT_STACK"

    package static let noun: StaticString = "resource limit"

    /// The RLIMIT_* number of the kernel's generic table (asm-generic/resource.h), which x86-64, arm64 and riscv64 use.
    package var number: Int32 {
        switch self {
        case .cpu: 0
        case .fsize: 1
        case .data: 2
        case .stack: 3
        case .core: 4
        case .rss: 5
        case .nproc: 6
        case .nofile: 7
        case .memlock: 8
        case .as: 9
        case .locks: 10
        case .sigpending: 11
        case .msgqueue: 12
        case .nice: 13
        case .rtprio: 14
        case .rttime: 15
        }
    }
}

/// Scheduling policies of sched_setattr(2).
package enum SchedulerPolicy: String, SpecWord {
    case other = "SCHED_OTHER"
    case fifo = "SCHED_FIFO"
    case rr = "SCHED_RR"
    case batch = "SCHED_BATCH"
    case iso = "SCHED_ISO"
    case idle = "SCHED_IDLE"
    case deadline = "SCHED_DEADLINE"

    package static let noun: StaticString = "scheduling policy"

    /// The SCHED_* number (linux/sched.h). 4 is reserved there for SCHED_ISO, which no kernel implements.
    package var number: UInt32 {
        switch self {
        case .other: 0
        case .fifo: 1
        case .rr: 2
        case .batch: 3
        case .iso: 4
        case .idle: 5
        case .deadline: 6
        }
    }
}

package enum SchedulerFlag: String, SpecWord {
    case resetOnFork = "SCHED_FLAG_RESET_ON_FORK"
    case reclaim = "SCHED_FLAG_RECLAIM"
    case dlOverrun = "SCHED_FLAG_DL_OVERRUN"
    case keepPolicy = "SCHED_FLAG_KEEP_POLICY"
    case keepParams = "SCHED_FLAG_KEEP_PARAMS"
    case utilClampMin = "SCHED_FLAG_UTIL_CLAMP_MIN"
    case utilClampMax = "SCHED_FLAG_UTIL_CLAMP_MAX"

    package static let noun: StaticString = "scheduling flag"

    /// The bit in `sched_attr.sched_flags` (linux/sched.h).
    package var bit: UInt64 {
        switch self {
        case .resetOnFork: 0x01
        case .reclaim: 0x02
        case .dlOverrun: 0x04
        case .keepPolicy: 0x08
        case .keepParams: 0x10
        case .utilClampMin: 0x20
        case .utilClampMax: 0x40
        }
    }
}

/// Classes of ioprio_set(2).
package enum IOPriorityClass: String, SpecWord {
    case realtime = "IOPRIO_CLASS_RT"
    case bestEffort = "IOPRIO_CLASS_BE"
    case idle = "IOPRIO_CLASS_IDLE"

    package static let noun: StaticString = "i/o priority class"

    /// The IOPRIO_CLASS_* number (linux/ioprio.h); the priority is below bit 13.
    package var number: Int32 {
        switch self {
        case .realtime: 1
        case .bestEffort: 2
        case .idle: 3
        }
    }
}

/// Modes of set_mempolicy(2).
package enum MemoryPolicyMode: String, SpecWord {
    case `default` = "MPOL_DEFAULT"
    case bind = "MPOL_BIND"
    case interleave = "MPOL_INTERLEAVE"
    case weightedInterleave = "MPOL_WEIGHTED_INTERLEAVE"
    case preferred = "MPOL_PREFERRED"
    case preferredMany = "MPOL_PREFERRED_MANY"
    case local = "MPOL_LOCAL"

    package static let noun: StaticString = "memory policy"

    /// The MPOL_* number (linux/mempolicy.h).
    package var number: Int32 {
        switch self {
        case .default: 0
        case .preferred: 1
        case .bind: 2
        case .interleave: 3
        case .local: 4
        case .preferredMany: 5
        case .weightedInterleave: 6
        }
    }
}

package enum MemoryPolicyFlag: String, SpecWord {
    case numaBalancing = "MPOL_F_NUMA_BALANCING"
    case relativeNodes = "MPOL_F_RELATIVE_NODES"
    case staticNodes = "MPOL_F_STATIC_NODES"

    package static let noun: StaticString = "memory policy flag"

    /// The MPOL_F_* bit that is or-ed into the mode (linux/mempolicy.h).
    package var bit: Int32 {
        switch self {
        case .numaBalancing: 1 << 13
        case .relativeNodes: 1 << 14
        case .staticNodes: 1 << 15
        }
    }
}
