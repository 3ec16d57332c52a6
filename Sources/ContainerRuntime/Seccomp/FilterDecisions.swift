internal import LinuxSystem

/// A filter program holds something that the analysis does not know. libseccomp writes only a handful of instructions;
/// the unit tests run what is linked here.
struct UnreadableFilter: Error {}

/// What a filter program decides on one architecture, as a function of the system call's number alone: over all 2^32
/// numbers, either the same answer whatever the arguments are, or the place where the program starts to look at them.
struct FilterDecisions: Equatable {
    enum Decision: Equatable {
        /// SECCOMP_RET_*
        case answer(UInt32)
        /// The index of an instruction that loads an argument.
        case arguments(Int)
    }

    struct Run: Equatable {
        var numbers: ClosedRange<UInt32>
        var decision: Decision
    }

    /// The value of `seccomp_data.arch`.
    let architecture: UInt32
    /// Ascending, without gaps; neighbours differ.
    private(set) var runs: [Run] = []

    /// Follows all numbers through the program at once. Jumps only lead forward, so one pass over the instructions
    /// suffices: each has collected all the numbers that reach it by the time it is looked at.
    init(of program: [FilterInstruction], architecture: UInt32) throws(UnreadableFilter) {
        self.architecture = architecture
        guard program.indices.allSatisfy({ Self.isReadable(program, at: $0) }) else { throw UnreadableFilter() }
        var reached = Reached(count: program.count)
        reached.add([0...UInt32.max], at: 0, holding: .nothing)
        for (index, instruction) in program.enumerated() {
            for loaded in Loaded.allCases {
                let numbers = reached.take(at: index, holding: loaded)
                if numbers.isEmpty { continue }
                try follow(instruction, index, numbers, loaded, &reached)
            }
        }
        tidy()
    }

    /// Whether the instruction is one of those libseccomp writes, and goes on within the program.
    private static func isReadable(_ program: [FilterInstruction], at index: Int) -> Bool {
        let instruction = program[index]
        let skipped: Int
        switch instruction.code {
        case FilterInstruction.answer: return true
        case FilterInstruction.load, FilterInstruction.and: skipped = 0
        case FilterInstruction.jump: skipped = Int(instruction.operand)
        case FilterInstruction.jumpIfEqual, FilterInstruction.jumpIfGreater, FilterInstruction.jumpIfGreaterOrEqual,
            FilterInstruction.jumpIfBitSet:
            skipped = Int(max(instruction.jumpTrue, instruction.jumpFalse))
        default: return false
        }
        return index + 1 + skipped < program.count
    }

    private mutating func follow(
        _ instruction: FilterInstruction, _ index: Int, _ numbers: [ClosedRange<UInt32>], _ loaded: Loaded,
        _ reached: inout Reached
    ) throws(UnreadableFilter) {
        switch instruction.code {
        case FilterInstruction.answer:
            runs += numbers.map { Run(numbers: $0, decision: .answer(instruction.operand)) }
        case FilterInstruction.load where instruction.operand == 0:
            reached.add(numbers, at: index + 1, holding: .number)
        case FilterInstruction.load where instruction.operand == 4:
            reached.add(numbers, at: index + 1, holding: .architecture)
        case FilterInstruction.load:
            runs += numbers.map { Run(numbers: $0, decision: .arguments(index)) }
        case FilterInstruction.jump:
            reached.add(numbers, at: index + 1 + Int(instruction.operand), holding: loaded)
        default:
            let (yes, no) = try Self.split(numbers, loaded, instruction, architecture)
            reached.add(yes, at: index + 1 + Int(instruction.jumpTrue), holding: loaded)
            reached.add(no, at: index + 1 + Int(instruction.jumpFalse), holding: loaded)
        }
    }

    /// The numbers for which a comparison holds, and the others.
    private static func split(
        _ numbers: [ClosedRange<UInt32>], _ loaded: Loaded, _ instruction: FilterInstruction, _ architecture: UInt32
    ) throws(UnreadableFilter) -> (yes: [ClosedRange<UInt32>], no: [ClosedRange<UInt32>]) {
        let operand = instruction.operand
        // The values that pass, as one range.
        let passing: ClosedRange<UInt32>?
        switch instruction.code {
        case FilterInstruction.jumpIfEqual: passing = operand...operand
        case FilterInstruction.jumpIfGreaterOrEqual: passing = operand...UInt32.max
        case FilterInstruction.jumpIfGreater: passing = operand == .max ? nil : operand + 1...UInt32.max
        default: throw UnreadableFilter()
        }
        switch loaded {
        case .nothing:
            throw UnreadableFilter()
        case .architecture:
            return passing?.contains(architecture) == true ? (numbers, []) : ([], numbers)
        case .number:
            guard let passing else { return ([], numbers) }
            var yes: [ClosedRange<UInt32>] = []
            var no: [ClosedRange<UInt32>] = []
            for range in numbers {
                let (inside, outside) = range.divided(by: passing)
                if let inside { yes.append(inside) }
                no += outside
            }
            return (yes, no)
        }
    }

    /// Within `numbers`, what was decided as `old` is decided as `new`.
    mutating func replace(_ old: Decision, by new: Decision, in numbers: ClosedRange<UInt32>) {
        var changed = runs.filter { $0.decision != old }
        for run in runs where run.decision == old {
            let (inside, outside) = run.numbers.divided(by: numbers)
            if let inside { changed.append(Run(numbers: inside, decision: new)) }
            changed += outside.map { Run(numbers: $0, decision: old) }
        }
        runs = changed
        tidy()
    }

    /// Sorts the runs and joins neighbours that decide alike.
    private mutating func tidy() {
        runs.sort { $0.numbers.lowerBound < $1.numbers.lowerBound }
        var joined: [Run] = []
        for run in runs {
            if let last = joined.last, last.decision == run.decision {
                joined[joined.count - 1].numbers = last.numbers.lowerBound...run.numbers.upperBound
            } else {
                joined.append(run)
            }
        }
        runs = joined
    }
}

extension ClosedRange<UInt32> {
    /// What of this range lies in `other`, and what below and above it.
    fileprivate func divided(by other: Self) -> (inside: Self?, outside: [Self]) {
        guard overlaps(other) else { return (nil, [self]) }
        var outside: [Self] = []
        if lowerBound < other.lowerBound { outside.append(lowerBound...other.lowerBound - 1) }
        if upperBound > other.upperBound { outside.append(other.upperBound + 1...upperBound) }
        return (clamped(to: other), outside)
    }
}

/// What the program's accumulator holds.
private enum Loaded: Int, CaseIterable { case nothing, architecture, number }

/// The numbers with which each instruction is reached, by what the accumulator then holds.
private struct Reached {
    private var numbers: [[ClosedRange<UInt32>]]

    init(count: Int) { numbers = .init(repeating: [], count: count * Loaded.allCases.count) }

    mutating func add(_ ranges: [ClosedRange<UInt32>], at index: Int, holding loaded: Loaded) {
        if !ranges.isEmpty { numbers[index * Loaded.allCases.count + loaded.rawValue] += ranges }
    }

    mutating func take(at index: Int, holding loaded: Loaded) -> [ClosedRange<UInt32>] {
        let slot = index * Loaded.allCases.count + loaded.rawValue
        defer { numbers[slot] = [] }
        return numbers[slot]
    }
}
