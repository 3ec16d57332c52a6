internal import LinuxSystem
internal import RuntimeSpec

/// What a process is given besides its credentials: resource limits, scheduling, memory policy, personality (config.md,
/// Process; config-linux.md, Memory policy and Personality). A value; nothing has happened yet.
struct ProcessSettings: Equatable {
    let rlimits: [Rlimit]
    let scheduler: Scheduler?
    let ioPriority: IOPriority?
    let personality: Personality?
    let memoryPolicy: MemoryPolicy?

    init(_ process: Process, personality: Personality?, memoryPolicy: MemoryPolicy?) {
        rlimits = process.rlimits
        scheduler = process.scheduler
        ioPriority = process.ioPriority
        self.personality = personality
        self.memoryPolicy = memoryPolicy
    }

    /// On the process itself: after it has entered its cgroup, whose share of realtime decides what scheduling is
    /// possible and whose memory nodes those of the policy are; before the credentials, which take away the right; and
    /// late, for the limits are not meant for the runtime's own work.
    func apply() throws(RuntimeError) {
        if let scheduler { try apply(scheduler) }
        if let ioPriority { try apply(ioPriority) }
        if let memoryPolicy { try apply(memoryPolicy) }
        if let personality { try apply(personality) }
        for (index, limit) in rlimits.enumerated() {
            try set(limit, soft: limit.soft, of: 0, "process.rlimits[\(index)]")
        }
    }

    /// On the host side, for a process in a user namespace of its own: only the host's CAP_SYS_RESOURCE raises a hard
    /// limit, and that the process does not have. What is in force until then is not lowered.
    func raiseHardLimits(of pid: Int32) throws(RuntimeError) {
        for (index, limit) in rlimits.enumerated() {
            let path = "process.rlimits[\(index)]"
            let hard = try explain("cannot read \(limit.type.rawValue)", at: path) { () throws(SystemError) in
                try hardResourceLimit(limit.type.number, of: pid)
            }
            if limit.hard > hard { try set(limit, soft: min(limit.soft, hard), of: pid, path) }
        }
    }

    private func set(_ limit: Rlimit, soft: UInt64, of pid: Int32, _ path: String) throws(RuntimeError) {
        do throws(SystemError) {
            try setResourceLimit(limit.type.number, soft: soft, hard: limit.hard, of: pid)
        } catch {
            let isRaise = error.errno == .notPermitted
            throw RuntimeError(
                at: path, "cannot set \(limit.type.rawValue) to \(limit.soft):\(limit.hard)", error,
                hint: isRaise
                    ? limit.type == .nofile
                        ? "raising the hard limit needs CAP_SYS_RESOURCE, and fs.nr_open (sysctl) is the highest possible"
                        : "raising the hard limit needs CAP_SYS_RESOURCE, which the runtime does not have" : nil)
        }
    }

    private func apply(_ scheduler: Scheduler) throws(RuntimeError) {
        do throws(SystemError) {
            try setScheduler(
                policy: scheduler.policy.number, flags: scheduler.flags.reduce(0) { $0 | $1.bit }, nice: scheduler.nice,
                priority: UInt32(clamping: scheduler.priority), runtime: scheduler.runtime,
                deadline: scheduler.deadline, period: scheduler.period)
            // The kernel takes the nice value together with the policy, but not for this one.
            if scheduler.policy == .idle { try setNice(scheduler.nice) }
        } catch {
            throw RuntimeError(
                at: "process.scheduler", "cannot schedule the process by \(scheduler.policy.rawValue)", error,
                hint: hint(scheduler.policy, error.errno))
        }
    }

    private func hint(_ policy: SchedulerPolicy, _ errno: Errno) -> String? {
        switch (policy, errno) {
        case (.fifo, .notPermitted), (.rr, .notPermitted):
            "it needs CAP_SYS_NICE outside of user namespaces, and on cgroup v1 realtime for the container's cgroup "
                + "(linux.resources.cpu.realtimeRuntime)"
        case (.deadline, .busy): "the processors have no time left for another deadline"
        case (.iso, _): "no kernel implements SCHED_ISO"
        case (_, .notPermitted): "it needs CAP_SYS_NICE, and not in a user namespace"
        default: nil
        }
    }

    private func apply(_ priority: IOPriority) throws(RuntimeError) {
        do throws(SystemError) {
            try setIOPriority(class: priority.class.number, priority: priority.priority)
        } catch {
            throw RuntimeError(
                at: "process.ioPriority", "cannot set \(priority.class.rawValue) \(priority.priority)", error,
                hint: error.errno == .notPermitted
                    ? "IOPRIO_CLASS_RT needs CAP_SYS_NICE, and not in a user namespace" : nil)
        }
    }

    private func apply(_ policy: MemoryPolicy) throws(RuntimeError) {
        guard let nodes = NumberList(parsing: policy.nodes ?? "") else {
            throw RuntimeError(at: "linux.memoryPolicy.nodes", "\"\(policy.nodes ?? "")\" is no list of memory nodes")
        }
        do throws(SystemError) {
            try setMemoryPolicy(
                mode: policy.flags.reduce(policy.mode.number) { $0 | $1.bit },
                nodes: nodes.isEmpty ? [] : nodes.mask.map { UInt($0) })
        } catch {
            let list = nodes.isEmpty ? "no nodes" : "nodes \(policy.nodes ?? "")"
            throw RuntimeError(
                at: "linux.memoryPolicy", "the kernel refuses \(policy.mode.rawValue) with \(list)", error,
                hint: error.errno == .notImplemented
                    ? "the kernel lacks CONFIG_NUMA"
                    : "the nodes must exist (/sys/devices/system/node/online), and the mode must go with them and the flags"
            )
        }
    }

    private func apply(_ personality: Personality) throws(RuntimeError) {
        try explain("cannot become \(personality.domain.rawValue)", at: "linux.personality") { () throws(SystemError) in
            // PER_LINUX, PER_LINUX32 (linux/personality.h)
            try setPersonality(personality.domain == .linux32 ? 8 : 0)
        }
    }
}
