internal import LinuxSystem

/// Writes a filter program anew so that the kernel decides in few steps: one look at the architecture, then a binary
/// search over runs of system call numbers that are decided alike. Profiles list hundreds of calls, most of them
/// neighbours, so the search tree is both flatter and several times smaller than one comparison for each call. Since the
/// kernel translates a program at every load and tries it on every number (to skip it where the answer is always
/// "allow"), its size and depth are most of what a filter costs at container start.
///
/// The program is built from its end, because jumps only lead forward.
struct FilterLayout {
    private struct Section {
        let architecture: UInt32
        var runs: [FilterDecisions.Run]
    }

    /// The programs whose decisions were added, one after another; jumps are relative, so each is still what it was.
    private var originals: [FilterInstruction] = []
    private var sections: [Section] = []
    private var answerElsewhere: UInt32 = 0

    /// Adds what `program` decides on one architecture, for a part of the numbers. Architectures are asked for in the
    /// order in which they are added; any other gets the answer that the first program has for it.
    mutating func add(
        _ program: [FilterInstruction], _ decisions: FilterDecisions, within numbers: ClosedRange<UInt32>
    ) throws(UnreadableFilter) {
        if sections.isEmpty { answerElsewhere = try Self.answerElsewhere(in: program, decisions.architecture) }
        var section = Section(architecture: decisions.architecture, runs: [])
        for run in decisions.runs where run.numbers.overlaps(numbers) {
            var decision = run.decision
            if case .arguments(let index) = decision { decision = .arguments(index + originals.count) }
            section.runs.append(FilterDecisions.Run(numbers: run.numbers.clamped(to: numbers), decision: decision))
        }
        originals += program
        if let known = sections.firstIndex(where: { $0.architecture == section.architecture }) {
            sections[known].runs += section.runs
            sections[known].runs.sort { $0.numbers.lowerBound < $1.numbers.lowerBound }
        } else {
            sections.append(section)
        }
    }

    private static func answerElsewhere(
        in program: [FilterInstruction], _ architecture: UInt32
    ) throws(UnreadableFilter) -> UInt32 {
        let runs = try FilterDecisions(of: program, architecture: ~architecture).runs
        guard runs.count == 1, case .answer(let answer) = runs[0].decision else { throw UnreadableFilter() }
        return answer
    }

    func program() -> [FilterInstruction] {
        var output = ReversedProgram()
        var starts: [(architecture: UInt32, label: Int)] = []
        for section in sections.reversed() {
            writeArgumentChecks(of: section, to: &output)
            let root = writeSearch(section.runs[...], to: &output)
            if root != output.end { _ = output.pushJump(to: root) }
            starts.append((section.architecture, output.push(FilterInstruction(FilterInstruction.load, 0))))
        }
        _ = output.push(FilterInstruction(FilterInstruction.answer, answerElsewhere))
        for start in starts {
            _ = output.pushCondition(
                FilterInstruction.jumpIfEqual, start.architecture, true: start.label, false: output.end)
        }
        _ = output.push(FilterInstruction(FilterInstruction.load, 4))
        return output.instructions.reversed()
    }

    // MARK: The search over numbers

    private func writeSearch(_ runs: ArraySlice<FilterDecisions.Run>, to output: inout ReversedProgram) -> Int {
        if runs.count == 1, let run = runs.first {
            switch run.decision {
            case .answer(let answer): return output.label(answering: answer)
            case .arguments(let index): return output.label(of: index)
            }
        }
        let middle = runs.startIndex + runs.count / 2
        let above = writeSearch(runs[middle...], to: &output)
        let below = writeSearch(runs[..<middle], to: &output)
        return output.pushCondition(
            FilterInstruction.jumpIfGreaterOrEqual, runs[middle].numbers.lowerBound, true: above, false: below)
    }

    // MARK: The checks of arguments, taken over as they are

    private func writeArgumentChecks(of section: Section, to output: inout ReversedProgram) {
        output.forgetLabels()
        var needed = Set<Int>()
        for run in section.runs {
            if case .arguments(let index) = run.decision { needed.insert(index) }
        }
        guard let first = needed.min() else { return }
        for index in first..<originals.count where needed.contains(index) {
            needed.formUnion(successors(of: index))
        }
        // Leaving instructions out only makes jumps shorter, and their order stays.
        for index in needed.sorted(by: >) {
            let instruction = originals[index]
            let label: Int
            switch instruction.code {
            case FilterInstruction.answer, FilterInstruction.load, FilterInstruction.and:
                // These go on with the next instruction, which was written just before.
                label = output.push(instruction)
            case FilterInstruction.jump:
                label = output.pushJump(to: output.label(of: index + 1 + Int(instruction.operand)))
            default:
                label = output.pushCondition(
                    instruction.code, instruction.operand,
                    true: output.label(of: index + 1 + Int(instruction.jumpTrue)),
                    false: output.label(of: index + 1 + Int(instruction.jumpFalse)))
            }
            output.remember(label, for: index)
        }
    }

    private func successors(of index: Int) -> [Int] {
        let instruction = originals[index]
        switch instruction.code {
        case FilterInstruction.answer: return []
        case FilterInstruction.load, FilterInstruction.and: return [index + 1]
        case FilterInstruction.jump: return [index + 1 + Int(instruction.operand)]
        default: return [index + 1 + Int(instruction.jumpTrue), index + 1 + Int(instruction.jumpFalse)]
        }
    }
}

/// Instructions from the last to the first. A label is a position in this order, so it stays true as the program grows.
private struct ReversedProgram {
    private(set) var instructions: [FilterInstruction] = []
    /// Instructions of the original, by index.
    private var copies: [Int: Int] = [:]
    /// The nearest instruction with an answer.
    private var answers: [UInt32: Int] = [:]

    /// The instruction that execution would come to next.
    var end: Int { instructions.count - 1 }

    mutating func push(_ instruction: FilterInstruction) -> Int {
        instructions.append(instruction)
        return end
    }

    /// How many instructions one pushed now would have to skip to arrive at `label`.
    private func distance(to label: Int) -> Int { instructions.count - 1 - label }

    mutating func pushJump(to label: Int) -> Int {
        push(FilterInstruction(FilterInstruction.jump, UInt32(distance(to: label))))
    }

    mutating func pushCondition(_ code: UInt16, _ operand: UInt32, true yes: Int, false no: Int) -> Int {
        let (yes, no) = (near(yes), near(no))
        return push(FilterInstruction(code, operand, true: UInt8(distance(to: yes)), false: UInt8(distance(to: no))))
    }

    /// `label`, or where a conditional jump (8 bits) may not reach it, a copy of an answer or a long jump to it. One
    /// instruction is kept in reserve for the other side of the condition.
    private mutating func near(_ label: Int) -> Int {
        guard distance(to: label) >= 255 else { return label }
        let target = instructions[label]
        return target.code == FilterInstruction.answer ? push(target) : pushJump(to: label)
    }

    mutating func label(answering answer: UInt32) -> Int {
        if let label = answers[answer], distance(to: label) < 250 { return label }
        let label = push(FilterInstruction(FilterInstruction.answer, answer))
        answers[answer] = label
        return label
    }

    func label(of index: Int) -> Int { copies[index]! }
    mutating func remember(_ label: Int, for index: Int) { copies[index] = label }

    mutating func forgetLabels() {
        copies = [:]
        answers = [:]
    }
}
