internal import RuntimeSpec

extension ControlWrites {
    mutating func add(_ memory: Memory) throws(RuntimeError) {
        if isUnified(.memory) {
            // Room in swap first: a lower limit may have to push something there.
            try addUnifiedSwap(memory)
            try set("memory.limit", .memory, unlimited(memory.limit), v1: "", v2: "memory.max", neutral: "max")
            try set("memory.reservation", .memory, unlimited(memory.reservation), v1: "", v2: "memory.low")
        } else {
            try set(
                "memory.limit", .memory, memory.limit.unlessZero, v1: "memory.limit_in_bytes", v2: nil, neutral: "-1")
            // v1 keeps memory and swap together above the memory alone, unlimited memory included.
            let swap = memory.swap.unlessZero ?? (memory.limit == -1 ? "-1" : nil)
            try set("memory.swap", .memory, swap, v1: "memory.memsw.limit_in_bytes", v2: nil, neutral: "-1")
            try set(
                "memory.reservation", .memory, memory.reservation.unlessZero, v1: "memory.soft_limit_in_bytes", v2: nil,
                neutral: "-1")
        }
        let counted = "drop it: memory.limit counts kernel memory as well"
        try set(
            "memory.kernel", .memory, memory.kernel.unlessZero, v1: "memory.kmem.limit_in_bytes", v2: nil,
            neutral: "-1", instead: counted)
        try set(
            "memory.kernelTCP", .memory, memory.kernelTCP.unlessZero, v1: "memory.kmem.tcp.limit_in_bytes", v2: nil,
            neutral: "-1", instead: counted)
        try set(
            "memory.swappiness", .memory, memory.swappiness.text, v1: "memory.swappiness", v2: nil,
            instead: "drop it, or set memory.swap to limit what is swapped out")
        try set(
            "memory.disableOOMKiller", .memory, digit(memory.disableOOMKiller), v1: "memory.oom_control", v2: nil,
            neutral: "0")
        try set(
            "memory.useHierarchy", .memory, digit(memory.useHierarchy), v1: "memory.use_hierarchy", v2: nil,
            neutral: "1", instead: "drop it: the memory of a cgroup is always counted to those above it")
    }

    private func digit(_ flag: Bool?) -> String? { flag.map { $0 ? "1" : "0" } }

    private func unlimited(_ limit: Int64?) -> String? { limit == -1 ? "max" : limit.unlessZero }

    /// v2 limits swap alone, the specification memory and swap together, as v1 does: the difference is written.
    private mutating func addUnifiedSwap(_ memory: Memory) throws(RuntimeError) {
        guard let swap = try unifiedSwap(memory) else { return }
        // A kernel without swap swaps nothing out.
        let isDispensable = swap == "max" || swap == "0"
        add(
            "memory.swap", .memory, [ControlWrite.Choice(file: "memory.swap.max", text: swap)],
            isDispensable: isDispensable)
    }

    /// The text for `memory.swap.max`; nil to leave it.
    private func unifiedSwap(_ memory: Memory) throws(RuntimeError) -> String? {
        let limit = memory.limit == 0 ? nil : memory.limit
        guard let total = memory.swap, total != 0 else {
            guard let limit else { return nil }
            return limit == -1 ? "max" : try swapKeepingTotal(limit)
        }
        if total == -1 { return "max" }
        guard let limit = limit ?? bytes(in: "memory.max"), limit != -1 else {
            throw Self.impossible(
                "memory.swap", "it limits memory and swap together, and memory has no limit", "set memory.limit as well"
            )
        }
        guard total >= limit else {
            throw Self.impossible(
                "memory.swap", "\(total) is below the memory limit of \(limit)", "it limits memory and swap together")
        }
        return "\(total - limit)"
    }

    /// An update of the memory limit alone leaves the limit of both together, as it does on v1.
    private func swapKeepingTotal(_ limit: Int64) throws(RuntimeError) -> String? {
        guard let before = bytes(in: "memory.max"), let swap = bytes(in: "memory.swap.max") else { return nil }
        let (total, overflow) = before.addingReportingOverflow(swap)
        if overflow { return nil }
        guard total >= limit else {
            throw Self.impossible(
                "memory.limit", "\(limit) is above the limit of memory and swap together, \(total)",
                "raise memory.swap as well")
        }
        return "\(total - limit)"
    }

    /// What an existing cgroup has as a limit; nil when it has none, or the cgroup is new.
    private func bytes(in file: String) -> Int64? {
        current?(file).flatMap { Int64($0) }
    }
}
