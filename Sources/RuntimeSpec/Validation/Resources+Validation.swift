extension Resources {
    /// Checks what decoding cannot. Paths in errors are relative to the resources.
    package func validate() throws(SpecError) {
        try memory?.validate()
        try cpu?.validate()
        if let limit = pids?.limit, limit < -1 {
            throw SpecError(
                .outOfRange, at: "pids.limit", "out of range:", "\(limit)", expected: "expected at least -1")
        }
        for (index, device) in (blockIO?.weightDevice ?? []).enumerated()
        where device.weight == nil && device.leafWeight == nil {
            throw SpecError(
                .missing, at: "blockIO.weightDevice[\(index)]", "neither weight nor leafWeight",
                expected: "expected at least one of them")
        }
        for limit in rdma where limit.hcaHandles == nil && limit.hcaObjects == nil {
            throw SpecError(
                .missing, at: "rdma[\(quoted(limit.device))]", "neither hcaHandles nor hcaObjects",
                expected: "expected at least one of them")
        }
        for entry in unified {
            if entry.key.isEmpty || entry.key == "." || entry.key == ".." || entry.key.utf8.contains(UInt8(ascii: "/"))
            {
                throw SpecError(
                    .invalid, at: "unified[\(quoted(entry.key))]", "not a file of a cgroup",
                    expected: "expected a name such as \"memory.max\"")
            }
        }
        for (index, rule) in devices.enumerated() where min(rule.major ?? 0, rule.minor ?? 0) < -1 {
            throw SpecError(
                .outOfRange, at: "devices[\(index)]", "out of range:", "\(rule.major ?? -1):\(rule.minor ?? -1)",
                expected: "expected device numbers, or -1 for all")
        }
    }
}

extension Memory {
    func validate() throws(SpecError) {
        let limits = [
            ("limit", limit), ("reservation", reservation), ("swap", swap), ("kernel", kernel),
            ("kernelTCP", kernelTCP),
        ]
        for (name, value) in limits {
            guard let value, value < -1 else { continue }
            throw SpecError(
                .outOfRange, at: "memory." + name, "out of range:", "\(value)",
                expected: "expected a number of bytes, or -1 for no limit")
        }
        if let swappiness, swappiness > 100 {
            throw SpecError(
                .outOfRange, at: "memory.swappiness", "out of range:", "\(swappiness)", expected: "expected 0 to 100")
        }
        if let limit, let swap, limit > 0, swap > 0, swap < limit {
            throw SpecError(
                .outOfRange, at: "memory.swap", "below memory.limit:", "\(swap)",
                expected: "it counts memory and swap together, expected at least \(limit)")
        }
    }
}

extension CPU {
    func validate() throws(SpecError) {
        if let quota, let burst, quota > 0, burst > UInt64(quota) {
            throw SpecError(
                .outOfRange, at: "cpu.burst", "above cpu.quota:", "\(burst)", expected: "expected at most \(quota)")
        }
        if let idle, !(0...1 ~= idle) {
            throw SpecError(.outOfRange, at: "cpu.idle", "out of range:", "\(idle)", expected: "expected 0 or 1")
        }
    }
}

extension Seccomp {
    func validate() throws(SpecError) {
        try Self.validate(errno: defaultErrnoRet, for: defaultAction, at: "defaultErrnoRet")
        if listenerMetadata != nil, listenerPath == nil {
            throw SpecError(.invalid, at: "listenerMetadata", "set without listenerPath")
        }
        for (index, rule) in syscalls.enumerated() {
            let place = "syscalls[\(index)]"
            if rule.names.isEmpty {
                throw SpecError(.invalid, at: place + ".names", "empty", expected: "expected at least one name")
            }
            try Self.validate(errno: rule.errnoRet, for: rule.action, at: place + ".errnoRet")
            for (position, argument) in rule.args.enumerated() where argument.index > 5 {
                throw SpecError(
                    .outOfRange, at: "\(place).args[\(position)].index", "out of range:", "\(argument.index)",
                    expected: "expected 0 to 5")
            }
        }
    }

    private static func validate(errno: UInt32?, for action: SeccompAction, at place: String) throws(SpecError) {
        guard let errno else { return }
        guard action.takesErrno else {
            throw SpecError(
                .invalid, at: place, "set with \(action.rawValue):", "\(errno)",
                expected: "it goes with SCMP_ACT_ERRNO and SCMP_ACT_TRACE only")
        }
        // SECCOMP_RET_DATA has 16 bits.
        guard errno <= 0xffff else {
            throw SpecError(.outOfRange, at: place, "out of range:", "\(errno)", expected: "expected 0 to 65535")
        }
    }
}

extension IntelRdt {
    package func validate() throws(SpecError) {
        if let closID, closID != "/",
            closID == "." || closID == ".." || closID.utf8.contains(UInt8(ascii: "/"))
        {
            throw SpecError(
                .invalid, at: "closID", "not a directory of resctrl:", quoted(closID), expected: "expected a name, or /"
            )
        }
        let lines =
            [("l3CacheSchema", l3CacheSchema), ("memBwSchema", memBwSchema)]
            + schemata.enumerated().map { ("schemata[\($0)]", $1) }
        for (name, line) in lines {
            guard let line, line.utf8.contains(UInt8(ascii: "\n")) else { continue }
            throw SpecError(.invalid, at: name, "more than one line:", quoted(line), expected: "expected one")
        }
    }
}

extension MemoryPolicy {
    /// The combinations set_mempolicy(2) refuses.
    func validate() throws(SpecError) {
        try NumberList.require(nodes, at: "nodes")
        let hasNodes = nodes.flatMap(NumberList.init(parsing:)).map { !$0.isEmpty } ?? false
        switch mode {
        case .default, .local:
            if hasNodes {
                throw SpecError(.invalid, at: "nodes", "set with \(mode.rawValue)", expected: "it takes none")
            }
        case .bind, .interleave, .weightedInterleave, .preferredMany:
            if !hasNodes {
                throw SpecError(.missing, at: "nodes", "missing", expected: "\(mode.rawValue) needs at least one")
            }
        case .preferred: break
        }
        if flags.contains(.staticNodes), flags.contains(.relativeNodes) {
            throw SpecError(
                .invalid, at: "flags", "both MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES",
                expected: "expected one of them")
        }
        if flags.contains(.numaBalancing), mode != .bind, mode != .preferredMany {
            throw SpecError(
                .invalid, at: "flags", "MPOL_F_NUMA_BALANCING with \(mode.rawValue)",
                expected: "it goes with MPOL_BIND and MPOL_PREFERRED_MANY only")
        }
        if !hasNodes, flags.contains(where: { $0 != .numaBalancing }) {
            throw SpecError(.invalid, at: "flags", "flags about nodes without nodes", expected: "expected nodes")
        }
    }
}
