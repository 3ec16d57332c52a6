internal import CLinux
internal import Glibc

/// One instruction of a classic BPF program, laid out as `struct sock_filter` (linux/filter.h).
package struct FilterInstruction: Equatable, Sendable {
    package var code: UInt16
    /// How many instructions a conditional jump skips when its condition is true, and when it is false.
    package var jumpTrue: UInt8
    package var jumpFalse: UInt8
    package var operand: UInt32

    package init(_ code: UInt16, _ operand: UInt32, true jumpTrue: UInt8 = 0, false jumpFalse: UInt8 = 0) {
        self.code = code
        self.jumpTrue = jumpTrue
        self.jumpFalse = jumpFalse
        self.operand = operand
    }

    /// BPF_LD | BPF_W | BPF_ABS: a word of `struct seccomp_data` (0: number, 4: architecture, from 16: arguments).
    package static let load: UInt16 = 0x20
    /// BPF_RET | BPF_K
    package static let answer: UInt16 = 0x06
    /// BPF_JMP | BPF_JA, and the comparisons of the loaded word with the operand.
    package static let jump: UInt16 = 0x05
    package static let jumpIfEqual: UInt16 = 0x15
    package static let jumpIfGreater: UInt16 = 0x25
    package static let jumpIfGreaterOrEqual: UInt16 = 0x35
    package static let jumpIfBitSet: UInt16 = 0x45
    /// BPF_ALU | BPF_AND | BPF_K
    package static let and: UInt16 = 0x54

    /// BPF_MAXINSNS: the kernel takes no longer program.
    package static let limit = 4096
}

/// Bits of seccomp(2) that are the runtime's own business; those a configuration may ask for come from its vocabulary.
package enum SystemCallFilterFlag {
    package static let synchronizeThreads = CL_SECCOMP_FLAG_TSYNC
    package static let newListener = CL_SECCOMP_FLAG_NEW_LISTENER
    package static let synchronizeThreadsOrNoSuchProcess = CL_SECCOMP_FLAG_TSYNC_ESRCH
    package static let waitKillable = CL_SECCOMP_FLAG_WAIT_KILLABLE_RECV
}

/// `seccomp(2)` with SECCOMP_SET_MODE_FILTER: from here on this process obeys `program`. Returns the listener when
/// `flags` asks for one.
package func loadSystemCallFilter(
    _ program: [FilterInstruction], flags: UInt32
) throws(SystemError) -> FileDescriptor? {
    guard let count = UInt16(exactly: program.count) else { throw SystemError("seccomp", "", .invalid) }
    let result = program.withUnsafeBytes { cl_seccomp_set_filter(flags, $0.baseAddress, count) }
    let value = try check(result, "seccomp")
    return flags & CL_SECCOMP_FLAG_NEW_LISTENER != 0 ? FileDescriptor(owning: value) : nil
}

/// Whether the kernel knows all of `flags` of seccomp(2).
package func kernelKnowsFilterFlags(_ flags: UInt32) -> Bool { cl_seccomp_probe_flags(flags) == -Int(EFAULT) }

extension FileDescriptor {
    /// `pidfd_getfd(2)`: a copy of descriptor `number` of the process that this pidfd stands for.
    package borrowing func copyDescriptor(_ number: Int32) throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try check(cl_pidfd_getfd(rawValue, number), "pidfd_getfd", "\(number)"))
    }

    /// Whether this is the listener of a system call filter.
    package borrowing func isFilterListener() -> Bool { cl_seccomp_probe_listener(rawValue) == -Int(ENOENT) }

    /// Anonymous memory that is used as a file, `memfd_create(2)`.
    package static func memory(_ name: String) throws(SystemError) -> FileDescriptor {
        // MFD_CLOEXEC
        FileDescriptor(owning: try check(cl_memfd_create(name, 1), "memfd_create"))
    }

    /// The number that the next descriptor of this process will get.
    package static func nextNumber() throws(SystemError) -> Int32 {
        try FileDescriptor.open("/", .path).rawValue
    }

    /// A file that holds nothing but filter instructions; EINVAL when its length is no multiple of one.
    package borrowing func readFilterInstructions() throws(SystemError) -> [FilterInstruction] {
        let size = MemoryLayout<FilterInstruction>.stride
        // One more than the kernel takes, so that a program that is too long is seen to be.
        let capacity = FilterInstruction.limit * 16
        let fd = rawValue
        var result = 0
        let program = [FilterInstruction](unsafeUninitializedCapacity: capacity) { buffer, filled in
            result = cl_pread(fd, buffer.baseAddress, capacity * size, 0)
            filled = max(result, 0) / size
        }
        try check(result, "pread")
        if result % size != 0 { throw SystemError("pread", "", .invalid) }
        return program
    }
}
