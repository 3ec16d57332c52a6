import LinuxSystem

/// Runs a filter program as the kernel does (linux/filter.h, linux/seccomp.h), on a system call that nobody makes.
struct FilterMachine {
    let program: [FilterInstruction]

    struct Call {
        var number: UInt32
        var architecture = Architecture.x86_64
        var arguments: [UInt64] = []

        /// `struct seccomp_data`
        func word(at offset: UInt32) -> UInt32 {
            switch offset {
            case 0: return number
            case 4: return architecture
            case 8, 12: return 0  // the instruction pointer
            default:
                let index = Int(offset - 16) / 8
                let value = index < arguments.count ? arguments[index] : 0
                return UInt32(truncatingIfNeeded: offset % 8 == 0 ? value : value >> 32)
            }
        }
    }

    /// AUDIT_ARCH_* (linux/audit.h)
    enum Architecture {
        static let x86_64: UInt32 = 0xc000_003e
        static let i386: UInt32 = 0x4000_0003
        static let aarch64: UInt32 = 0xc000_00b7
        static let arm: UInt32 = 0x4000_0028
        static let x32Bit: UInt32 = 0x4000_0000
    }

    /// The answer, and how many instructions it took; nil when the program runs off its end or is no program.
    func run(_ call: Call) -> (answer: UInt32, steps: Int)? {
        var accumulator: UInt32 = 0
        var index = 0
        var steps = 0
        while program.indices.contains(index) {
            let instruction = program[index]
            steps += 1
            let condition: Bool
            switch instruction.code {
            case 0x20:
                accumulator = call.word(at: instruction.operand)
                index += 1
                continue
            case 0x54:
                accumulator &= instruction.operand
                index += 1
                continue
            case 0x05:
                index += 1 + Int(instruction.operand)
                continue
            case 0x06: return (instruction.operand, steps)
            case 0x15: condition = accumulator == instruction.operand
            case 0x25: condition = accumulator > instruction.operand
            case 0x35: condition = accumulator >= instruction.operand
            case 0x45: condition = accumulator & instruction.operand != 0
            default: return nil
            }
            index += 1 + Int(condition ? instruction.jumpTrue : instruction.jumpFalse)
        }
        return nil
    }

    func answer(
        _ number: UInt32, _ arguments: [UInt64] = [], on architecture: UInt32 = Architecture.x86_64
    ) -> UInt32? {
        run(Call(number: number, architecture: architecture, arguments: arguments))?.answer
    }
}

/// SECCOMP_RET_*
enum Answer {
    static let allow: UInt32 = 0x7fff_0000
    static let log: UInt32 = 0x7ffc_0000
    static let notify: UInt32 = 0x7fc0_0000
    static let trap: UInt32 = 0x0003_0000
    static let killProcess: UInt32 = 0x8000_0000
    static let killThread: UInt32 = 0
    static func errno(_ number: UInt32) -> UInt32 { 0x0005_0000 | number }
    static func trace(_ number: UInt32) -> UInt32 { 0x7ff0_0000 | number }
    static let eperm = errno(1)
    static let enosys = errno(38)
}
