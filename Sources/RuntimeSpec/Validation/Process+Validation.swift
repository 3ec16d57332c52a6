extension Process {
    /// Checks what decoding cannot. Paths in errors are relative to the process.
    package func validate() throws(SpecError) {
        try requireAbsolute(cwd, at: "cwd")
        guard let program = args.first else {
            throw SpecError(.missing, at: "args", "empty", expected: "expected the program to run")
        }
        if program.isEmpty {
            throw SpecError(.invalid, at: "args[0]", "empty", expected: "expected the program to run")
        }
        try validateUser()
        try validateRlimits()
        if let score = oomScoreAdj, !(-1000...1000 ~= score) {
            throw SpecError(
                .outOfRange, at: "oomScoreAdj", "out of range:", "\(score)", expected: "expected -1000 to 1000")
        }
        if terminal, let size = consoleSize, max(size.height, size.width) > UInt64(UInt16.max) {
            throw SpecError(
                .outOfRange, at: "consoleSize", "out of range:", "\(size.height)x\(size.width)",
                expected: "expected at most 65535 rows and columns")
        }
        try scheduler?.validate()
        if let ioPriority, !(0...7 ~= ioPriority.priority) {
            throw SpecError(
                .outOfRange, at: "ioPriority.priority", "out of range:", "\(ioPriority.priority)",
                expected: "expected 0 to 7")
        }
        if let affinity = execCPUAffinity {
            try NumberList.require(affinity.initial, at: "execCPUAffinity.initial")
            try NumberList.require(affinity.final, at: "execCPUAffinity.final")
        }
    }

    /// The last id means "leave as it is" to the kernel, so nobody can be it.
    private func validateUser() throws(SpecError) {
        let ids =
            [("user.uid", user.uid), ("user.gid", user.gid)]
            + user.additionalGids.enumerated().map { ("user.additionalGids[\($0)]", $1) }
        for (place, id) in ids where id == UInt32.max {
            throw SpecError(.outOfRange, at: place, "out of range:", "\(id)", expected: "expected 0 to 4294967294")
        }
    }

    private func validateRlimits() throws(SpecError) {
        for (index, limit) in rlimits.enumerated() {
            if rlimits[..<index].contains(where: { $0.type == limit.type }) {
                throw SpecError(
                    .invalid, at: "rlimits[\(index)].type", "repeated:", quoted(limit.type.rawValue),
                    expected: "expected each type once")
            }
            if limit.soft > limit.hard {
                throw SpecError(
                    .outOfRange, at: "rlimits[\(index)].soft", "above the hard limit of \(limit.type.rawValue):",
                    "\(limit.soft)",
                    expected: "expected at most \(limit.hard)")
            }
        }
    }
}

extension Scheduler {
    /// The combinations sched_setattr(2) would refuse, or silently ignore.
    func validate() throws(SpecError) {
        guard -20...19 ~= nice else {
            throw SpecError(
                .outOfRange, at: "scheduler.nice", "out of range:", "\(nice)", expected: "expected -20 to 19")
        }
        // The kernel then takes the numbers from the process as it is.
        if flags.contains(.keepParams) { return }
        switch policy {
        case .fifo, .rr:
            guard 1...99 ~= priority else {
                throw SpecError(
                    .outOfRange, at: "scheduler.priority", "out of range:", "\(priority)",
                    expected: "expected 1 to 99 with \(policy.rawValue)")
            }
        default:
            try require(priority == 0, "priority", "\(priority)", "SCHED_FIFO and SCHED_RR")
        }
        guard policy == .deadline else {
            try require(runtime == 0, "runtime", "\(runtime)", "SCHED_DEADLINE")
            try require(deadline == 0, "deadline", "\(deadline)", "SCHED_DEADLINE")
            try require(period == 0, "period", "\(period)", "SCHED_DEADLINE")
            return
        }
        guard 0 < runtime, runtime <= deadline, period == 0 || deadline <= period else {
            throw SpecError(
                .outOfRange, at: "scheduler", "times that do not fit into each other:",
                "runtime \(runtime), deadline \(deadline), period \(period)",
                expected: "expected 0 < runtime <= deadline <= period")
        }
    }

    private func require(
        _ condition: Bool, _ member: String, _ value: @autoclosure () -> String, _ policies: String
    ) throws(SpecError) {
        if condition { return }
        throw SpecError(
            .invalid, at: "scheduler." + member, "set with \(policy.rawValue):", value(),
            expected: "it goes with \(policies) only")
    }
}

extension NumberList {
    static func require(_ text: String?, at place: String) throws(SpecError) {
        guard let text, NumberList(parsing: text) == nil else { return }
        throw SpecError(
            .invalid, at: place, "not a list of numbers:", quoted(text), expected: "expected one such as \"0-3,7\"")
    }
}
