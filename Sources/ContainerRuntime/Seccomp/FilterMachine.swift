internal import LinuxSystem

/// Runs a filter program as the kernel does (linux/filter.h, linux/seccomp.h): what it would answer to a call.
struct FilterMachine {
    let program: [FilterInstruction]

    /// The answer (SECCOMP_RET_*), and how many instructions it took; nil when the program runs off its end or has an
    /// instruction that neither libseccomp nor `FilterLayout` writes.
    func run(_ call: SystemCall) -> (answer: UInt32, steps: Int)? {
        var accumulator: UInt32 = 0
        var index = 0
        var steps = 0
        while program.indices.contains(index) {
            let instruction = program[index]
            steps += 1
            let condition: Bool
            switch instruction.code {
            case FilterInstruction.load:
                accumulator = call.word(at: instruction.operand)
                index += 1
                continue
            case FilterInstruction.and:
                accumulator &= instruction.operand
                index += 1
                continue
            case FilterInstruction.jump:
                index += 1 + Int(instruction.operand)
                continue
            case FilterInstruction.answer: return (instruction.operand, steps)
            case FilterInstruction.jumpIfEqual: condition = accumulator == instruction.operand
            case FilterInstruction.jumpIfGreater: condition = accumulator > instruction.operand
            case FilterInstruction.jumpIfGreaterOrEqual: condition = accumulator >= instruction.operand
            case FilterInstruction.jumpIfBitSet: condition = accumulator & instruction.operand != 0
            default: return nil
            }
            index += 1 + Int(condition ? instruction.jumpTrue : instruction.jumpFalse)
        }
        return nil
    }
}

extension SystemCall {
    /// A word of `struct seccomp_data`, in the byte order of the machines that swrun runs on.
    fileprivate func word(at offset: UInt32) -> UInt32 {
        switch offset {
        case 0: return number
        case 4: return architecture
        case 8: return UInt32(truncatingIfNeeded: instructionPointer)
        case 12: return UInt32(truncatingIfNeeded: instructionPointer >> 32)
        default:
            let index = Int(offset - 16) / 8
            let value = index < arguments.count ? arguments[index] : 0
            return UInt32(truncatingIfNeeded: offset % 8 == 0 ? value : value >> 32)
        }
    }
}
