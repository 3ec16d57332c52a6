internal import CLinux
internal import Glibc

/// One instruction of the kernel's virtual machine (struct bpf_insn, linux/bpf.h), of the few kinds that are used here.
/// They work on the lower 32 bits of registers.
package struct BPFInstruction: Equatable, Sendable {
    package enum Register: UInt8, Sendable { case r0, r1, r2, r3, r4, r5 }

    package let code: UInt8
    package let destination: UInt8
    package let source: UInt8
    package let offset: Int16
    package let immediate: UInt32

    private init(
        _ code: UInt8, _ destination: Register, _ source: Register = .r0, offset: Int16 = 0, immediate: UInt32 = 0
    ) {
        self.code = code
        self.destination = destination.rawValue
        self.source = source.rawValue
        self.offset = offset
        self.immediate = immediate
    }

    package static func load32(_ to: Register, from: Register, offset: Int16) -> Self {
        Self(0x61, to, from, offset: offset)  // BPF_LDX | BPF_MEM | BPF_W
    }
    package static func move32(_ to: Register, _ from: Register) -> Self { Self(0xbc, to, from) }
    package static func move32(_ to: Register, immediate: UInt32) -> Self { Self(0xb4, to, immediate: immediate) }
    package static func and32(_ register: Register, _ immediate: UInt32) -> Self {
        Self(0x54, register, immediate: immediate)
    }
    package static func shiftRight32(_ register: Register, _ bits: UInt32) -> Self {
        Self(0x74, register, immediate: bits)
    }
    /// Skips the next `over` instructions.
    package static func jumpIfEqual32(_ register: Register, _ immediate: UInt32, over: Int16) -> Self {
        Self(0x16, register, offset: over, immediate: immediate)
    }
    package static func jumpUnlessEqual32(_ register: Register, _ immediate: UInt32, over: Int16) -> Self {
        Self(0x56, register, offset: over, immediate: immediate)
    }
    /// Ends the program; r0 is its answer.
    package static let exit = Self(0x95, .r0)

    /// struct bpf_insn: code, two registers in four bits each, offset, immediate.
    var encoded: UInt64 {
        UInt64(code) | UInt64(destination) << 8 | UInt64(source) << 12 | UInt64(UInt16(bitPattern: offset)) << 16
            | UInt64(immediate) << 32
    }
}

/// A program that decides about the devices of a cgroup, bpf(2).
package struct DeviceFilter: ~Copyable {
    private let program: FileDescriptor

    /// The name by which a program of this runtime is known among those of a cgroup.
    private static let name = "swrun_devices"

    /// Has the kernel check and take the program.
    package init(_ instructions: [BPFInstruction]) throws(SystemError) {
        let encoded = instructions.map(\.encoded)
        let fd = try check(cl_bpf_load_device_program(encoded, UInt32(encoded.count), Self.name), "bpf (load)")
        program = FileDescriptor(owning: fd)
    }

    /// Lets the program decide for the cgroup v2 directory, in place of the one attached before where there is one: at
    /// no time does none decide. Programs of others (systemd's) are asked as well.
    package borrowing func attach(to cgroup: borrowing FileDescriptor) throws(SystemError) {
        let before = try Self.attached(to: cgroup)
        try check(
            cl_bpf_attach_device_program(cgroup.rawValue, program.rawValue, before.number ?? -1), "bpf (attach)")
    }

    /// Takes this runtime's program away from the cgroup, if it has one.
    package static func detach(from cgroup: borrowing FileDescriptor) throws(SystemError) {
        guard let before = try attached(to: cgroup) else { return }
        try check(cl_bpf_detach_device_program(cgroup.rawValue, before.rawValue), "bpf (detach)")
    }

    private static func attached(to cgroup: borrowing FileDescriptor) throws(SystemError) -> FileDescriptor? {
        var ids = [UInt32](repeating: 0, count: 64)
        let count = try check(cl_bpf_device_programs(cgroup.rawValue, &ids, UInt32(ids.count)), "bpf (query)")
        for id in ids.prefix(count) {
            let fd = cl_bpf_open_program(id)
            if fd < 0 { continue }
            let program = FileDescriptor(owning: fd)
            // BPF_OBJ_NAME_LEN; the kernel ends the name with a zero.
            var name = [CChar](repeating: 0, count: 16)
            if cl_bpf_program_name(program.rawValue, &name) == 0, strcmp(name, Self.name) == 0 { return program }
        }
        return nil
    }
}
