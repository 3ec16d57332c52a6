/// The container process (config.md, Process), and the document `exec --process` takes.
package struct Process: Equatable, Sendable {
    package var terminal: Bool
    /// Characters; ignored without `terminal`.
    package var consoleSize: ConsoleSize?
    package var user: User
    /// At least one entry (checked by `validate()`); the first is looked up as execvp(3) does.
    package var args: [String]
    package var env: [String]
    /// Absolute (checked by `validate()`).
    package var cwd: String
    /// nil when absent: then, as with empty sets, none are granted.
    package var capabilities: Capabilities?
    package var rlimits: [Rlimit]
    package var noNewPrivileges: Bool
    /// nil: `oom_score_adj` must not be touched.
    package var oomScoreAdj: Int?
    package var apparmorProfile: String?
    package var selinuxLabel: String?
    package var scheduler: Scheduler?
    package var ioPriority: IOPriority?
    package var execCPUAffinity: ExecCPUAffinity?

    package init(
        terminal: Bool = false, consoleSize: ConsoleSize? = nil, user: User = User(), args: [String] = [],
        env: [String] = [], cwd: String, capabilities: Capabilities? = nil, rlimits: [Rlimit] = [],
        noNewPrivileges: Bool = false, oomScoreAdj: Int? = nil, apparmorProfile: String? = nil,
        selinuxLabel: String? = nil, scheduler: Scheduler? = nil, ioPriority: IOPriority? = nil,
        execCPUAffinity: ExecCPUAffinity? = nil
    ) {
        self.terminal = terminal
        self.consoleSize = consoleSize
        self.user = user
        self.args = args
        self.env = env
        self.cwd = cwd
        self.capabilities = capabilities
        self.rlimits = rlimits
        self.noNewPrivileges = noNewPrivileges
        self.oomScoreAdj = oomScoreAdj
        self.apparmorProfile = apparmorProfile
        self.selinuxLabel = selinuxLabel
        self.scheduler = scheduler
        self.ioPriority = ioPriority
        self.execCPUAffinity = execCPUAffinity
    }
}

package struct ConsoleSize: Equatable, Sendable {
    package var height: UInt64
    package var width: UInt64

    package init(height: UInt64, width: UInt64) {
        self.height = height
        self.width = width
    }
}

/// Ids inside the container (config.md, POSIX-platform User).
package struct User: Equatable, Sendable {
    package var uid: UInt32
    package var gid: UInt32
    /// nil: the umask of the calling process stays.
    package var umask: UInt32?
    package var additionalGids: [UInt32]

    package init(uid: UInt32 = 0, gid: UInt32 = 0, umask: UInt32? = nil, additionalGids: [UInt32] = []) {
        self.uid = uid
        self.gid = gid
        self.umask = umask
        self.additionalGids = additionalGids
    }
}

/// Capability names as written (`CAP_CHOWN`). Unknown names are kept: the spec wants a warning for them, not an error.
package struct Capabilities: Equatable, Sendable {
    package var bounding: [String]?
    package var effective: [String]?
    package var inheritable: [String]?
    package var permitted: [String]?
    package var ambient: [String]?

    package init(
        bounding: [String]? = nil, effective: [String]? = nil, inheritable: [String]? = nil,
        permitted: [String]? = nil, ambient: [String]? = nil
    ) {
        self.bounding = bounding
        self.effective = effective
        self.inheritable = inheritable
        self.permitted = permitted
        self.ambient = ambient
    }
}

package struct Rlimit: Equatable, Sendable {
    package var type: RlimitType
    /// 18446744073709551615 is RLIM_INFINITY.
    package var soft: UInt64
    package var hard: UInt64

    package init(type: RlimitType, soft: UInt64, hard: UInt64) {
        self.type = type
        self.soft = soft
        self.hard = hard
    }
}

/// What sched_setattr(2) is given; the spec makes 0 the value of every absent number.
package struct Scheduler: Equatable, Sendable {
    package var policy: SchedulerPolicy
    package var nice: Int32
    package var priority: Int32
    package var flags: [SchedulerFlag]
    /// Nanoseconds, as `deadline` and `period`.
    package var runtime: UInt64
    package var deadline: UInt64
    package var period: UInt64

    package init(
        policy: SchedulerPolicy, nice: Int32 = 0, priority: Int32 = 0, flags: [SchedulerFlag] = [],
        runtime: UInt64 = 0, deadline: UInt64 = 0, period: UInt64 = 0
    ) {
        self.policy = policy
        self.nice = nice
        self.priority = priority
        self.flags = flags
        self.runtime = runtime
        self.deadline = deadline
        self.period = period
    }
}

package struct IOPriority: Equatable, Sendable {
    package var `class`: IOPriorityClass
    /// 0 (highest) to 7 (checked by `validate()`).
    package var priority: Int32

    package init(class: IOPriorityClass, priority: Int32 = 0) {
        self.class = `class`
        self.priority = priority
    }
}

/// CPU lists such as `0-3,7`, for processes of `exec` only.
package struct ExecCPUAffinity: Equatable, Sendable {
    package var initial: String?
    package var final: String?

    package init(initial: String? = nil, final: String? = nil) {
        self.initial = initial
        self.final = final
    }
}
