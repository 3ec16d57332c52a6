internal import RuntimeSpec

/// One value for one control file, and where in config.json it comes from.
struct ControlWrite: Equatable, Sendable {
    /// A file of the cgroup and the text for it.
    struct Choice: Equatable, Sendable {
        let file: String
        let text: String
    }

    /// `linux.resources.memory.limit`
    let property: String
    let controller: Controller
    /// The first whose file exists is written.
    let choices: [Choice]
    /// Whether a kernel without the file does what is asked anyway (no limit where none can be set).
    let isDispensable: Bool
}

/// `linux.resources` as lines for control files: one call a property, with its file on v1 and its file on v2 side by
/// side. Nothing is read or written here, except that conversions which need a value that the cgroup has already ask
/// for it.
struct ControlWrites {
    private let version: (Controller) -> CgroupVersion
    /// Reads a v2 file of a cgroup that exists and is being updated (nil: no such file); nil for a new cgroup.
    let current: ((String) -> String?)?
    private(set) var list: [ControlWrite] = []

    /// - Throws: for what the controller's version cannot express, named by its place in config.json.
    static func of(
        _ resources: Resources, version: @escaping (Controller) -> CgroupVersion,
        current: ((String) -> String?)? = nil
    ) throws(RuntimeError) -> [ControlWrite] {
        var writes = ControlWrites(version: version, current: current)
        // Processors first: without them a v1 cgroup takes nobody. `unified` last: it is the user's last word.
        if let cpu = resources.cpu { try writes.add(cpu) }
        if let memory = resources.memory { try writes.add(memory) }
        if let limit = resources.pids?.limit {
            try writes.set(
                "pids.limit", .pids, limit < 0 ? "max" : "\(limit)", v1: "pids.max", v2: "pids.max", neutral: "max")
        }
        if let blockIO = resources.blockIO { try writes.add(blockIO) }
        try writes.add(resources.hugepageLimits)
        if let network = resources.network { try writes.add(network) }
        try writes.add(resources.rdma)
        try writes.add(unified: resources.unified)
        return writes.list
    }

    private init(
        version: @escaping (Controller) -> CgroupVersion, current: ((String) -> String?)?
    ) {
        self.version = version
        self.current = current
    }

    func isUnified(_ controller: Controller) -> Bool { version(controller) == .v2 }

    /// A property that is one text in one file.
    ///
    /// - Parameters:
    ///   - text: nil when the property is not set
    ///   - v2: nil where v2 has nothing like it; `instead` then says what to do
    ///   - neutral: the value that asks for nothing a kernel without the file does not do
    mutating func set(
        _ property: String, _ controller: Controller, _ text: String?, v1: String, v2: String?, neutral: String? = nil,
        instead: String = "drop it"
    ) throws(RuntimeError) {
        guard let text else { return }
        guard let file = isUnified(controller) ? v2 : v1 else {
            if text == neutral { return }
            throw Self.impossible(property, "cgroup v2 has nothing like \(v1)", instead)
        }
        add(property, controller, [ControlWrite.Choice(file: file, text: text)], isDispensable: text == neutral)
    }

    mutating func add(
        _ property: String, _ controller: Controller, _ choices: [ControlWrite.Choice], isDispensable: Bool = false
    ) {
        list.append(
            ControlWrite(
                property: "linux.resources.\(property)", controller: controller, choices: choices,
                isDispensable: isDispensable))
    }

    static func impossible(_ property: String, _ why: String, _ instead: String) -> RuntimeError {
        RuntimeError(at: "linux.resources.\(property)", "cannot be set: \(why)", nil, hint: instead)
    }
}

extension Optional where Wrapped: FixedWidthInteger {
    /// The number as text; nil for 0, which engines write where they mean "not set".
    var unlessZero: String? {
        guard let self, self != 0 else { return nil }
        return "\(self)"
    }

    var text: String? { map { "\($0)" } }
}

// MARK: - cpu and cpuset

extension ControlWrites {
    mutating func add(_ cpu: CPU) throws(RuntimeError) {
        try set("cpu.cpus", .cpuset, cpu.cpus, v1: "cpuset.cpus", v2: "cpuset.cpus")
        try set("cpu.mems", .cpuset, cpu.mems, v1: "cpuset.mems", v2: "cpuset.mems")
        try set("cpu.idle", .cpu, cpu.idle.text, v1: "cpu.idle", v2: "cpu.idle", neutral: "0")
        // An idle cgroup has the least weight there is; the kernel refuses another.
        if let shares = cpu.shares, shares != 0, cpu.idle != 1 {
            let text = isUnified(.cpu) ? "\(cpuWeight(ofShares: shares))" : "\(shares)"
            try set("cpu.shares", .cpu, text, v1: "cpu.shares", v2: "cpu.weight")
        }
        try addBandwidth(cpu)
        try set("cpu.burst", .cpu, cpu.burst.text, v1: "cpu.cfs_burst_us", v2: "cpu.max.burst", neutral: "0")
        let instead = "realtime scheduling is limited by cgroup v1 only"
        try set(
            "cpu.realtimePeriod", .cpu, cpu.realtimePeriod.unlessZero, v1: "cpu.rt_period_us", v2: nil, instead: instead
        )
        try set(
            "cpu.realtimeRuntime", .cpu, cpu.realtimeRuntime.unlessZero, v1: "cpu.rt_runtime_us", v2: nil,
            instead: instead)
    }

    /// v2 has both numbers in one file: "quota period".
    private mutating func addBandwidth(_ cpu: CPU) throws(RuntimeError) {
        guard isUnified(.cpu) else {
            try set("cpu.period", .cpu, cpu.period.unlessZero, v1: "cpu.cfs_period_us", v2: nil)
            try set("cpu.quota", .cpu, cpu.quota.unlessZero, v1: "cpu.cfs_quota_us", v2: nil, neutral: "-1")
            return
        }
        let period = cpu.period.unlessZero
        if let quota = cpu.quota, quota != 0 {
            let text = quota < 0 ? "max" : "\(quota)"
            try set("cpu.quota", .cpu, period.map { "\(text) \($0)" } ?? text, v1: "", v2: "cpu.max", neutral: "max")
        } else if let period {
            let quota = current?("cpu.max")?.split(separator: " ").first.map(String.init) ?? "max"
            try set("cpu.period", .cpu, "\(quota) \(period)", v1: "", v2: "cpu.max")
        }
    }
}

// MARK: - hugetlb, network, rdma, unified

extension ControlWrites {
    /// Reservations are limited where the kernel counts them, page faults in any case.
    mutating func add(_ limits: [HugepageLimit]) throws(RuntimeError) {
        for (index, limit) in limits.enumerated() {
            let place = "hugepageLimits[\(index)]"
            let prefix = "hugetlb.\(limit.pageSize)"
            let suffix = isUnified(.hugetlb) ? "max" : "limit_in_bytes"
            guard !limit.pageSize.utf8.contains(UInt8(ascii: "/")) else {
                throw RuntimeError(at: "linux.resources.\(place).pageSize", "not a page size: \(limit.pageSize)")
            }
            let reserved = ControlWrite.Choice(file: "\(prefix).rsvd.\(suffix)", text: "\(limit.limit)")
            add(place, .hugetlb, [reserved], isDispensable: true)
            add(place, .hugetlb, [ControlWrite.Choice(file: "\(prefix).\(suffix)", text: "\(limit.limit)")])
        }
    }

    mutating func add(_ network: Network) throws(RuntimeError) {
        let instead = "match packets by cgroup with iptables -m cgroup --path, or mount the v1 controller"
        try set(
            "network.classID", .netClass, network.classID.text, v1: "net_cls.classid", v2: nil, instead: instead)
        for (index, interface) in network.priorities.enumerated() {
            try set(
                "network.priorities[\(index)]", .netPriority, "\(interface.name) \(interface.priority)",
                v1: "net_prio.ifpriomap", v2: nil, instead: instead)
        }
    }

    mutating func add(_ limits: [RDMA]) throws(RuntimeError) {
        for limit in limits {
            var text = limit.device
            if let handles = limit.hcaHandles { text += " hca_handle=\(handles)" }
            if let objects = limit.hcaObjects { text += " hca_object=\(objects)" }
            try set("rdma[\"\(limit.device)\"]", .rdma, text, v1: "rdma.max", v2: "rdma.max")
        }
    }

    /// Files of v2, each line of a value by itself: the kernel takes one at a time (`io.max`).
    mutating func add(unified entries: [KeyValue]) throws(RuntimeError) {
        for entry in entries {
            let name = entry.key.utf8.prefix { $0 != UInt8(ascii: ".") }
            let controller = Controller.other(String(decoding: name, as: UTF8.self))
            for line in entry.value.split(separator: "\n", omittingEmptySubsequences: true) {
                add("unified[\"\(entry.key)\"]", controller, [ControlWrite.Choice(file: entry.key, text: String(line))])
            }
        }
    }
}
