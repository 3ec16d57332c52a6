import LinuxSystem

@testable import ContainerRuntime

/// AUDIT_ARCH_* (linux/audit.h)
enum Architecture {
    static let x86_64: UInt32 = 0xc000_003e
    static let i386: UInt32 = 0x4000_0003
    static let aarch64: UInt32 = 0xc000_00b7
    static let arm: UInt32 = 0x4000_0028
    static let x32Bit: UInt32 = 0x4000_0000
}

extension FilterMachine {
    func answer(
        _ number: UInt32, _ arguments: [UInt64] = [], on architecture: UInt32 = Architecture.x86_64
    ) -> UInt32? {
        run(SystemCall(number: number, architecture: architecture, arguments: arguments))?.answer
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
