internal import LinuxSystem
internal import RuntimeSpec

/// The device policy as a program for v2, which has no device lists: the kernel runs it on every open(2) and mknod(2)
/// of a device (BPF_PROG_TYPE_CGROUP_DEVICE) and denies what it answers with 0.
///
/// The rules are asked from the last to the first, once for all kinds of access that a call wants: an allowing rule
/// takes its kinds off the list, a denying rule that finds one of its kinds on it ends the matter. So read and write
/// may be allowed by different rules, which a program that compares the whole list would get wrong.
struct DeviceProgram: Equatable, Sendable {
    let instructions: [BPFInstruction]

    /// r2: the type of the device, r3: what is wanted and not yet allowed, r4: major, r5: minor.
    init(_ policy: DevicePolicy) {
        var code: [BPFInstruction] = [
            // struct bpf_cgroup_dev_ctx { u32 access_type; u32 major; u32 minor; }, in r1
            .load32(.r2, from: .r1, offset: 0),
            .move32(.r3, .r2),
            .and32(.r2, 0xffff),
            .shiftRight32(.r3, 16),
            .load32(.r4, from: .r1, offset: 4),
            .load32(.r5, from: .r1, offset: 8),
        ]
        for rule in policy.rules.reversed() { code += Self.code(for: rule) }
        code += [.move32(.r0, immediate: policy.allowsByDefault ? 1 : 0), .exit]
        instructions = code
    }

    private static func code(for rule: DevicePolicy.Rule) -> [BPFInstruction] {
        var verdict: [BPFInstruction] = []
        if rule.allow {
            verdict = [.and32(.r3, ~rule.access.kernelBits), .jumpUnlessEqual32(.r3, 0, over: 2)]
        } else {
            verdict = [
                .move32(.r1, .r3), .and32(.r1, rule.access.kernelBits), .jumpIfEqual32(.r1, 0, over: 2),
            ]
        }
        verdict += [.move32(.r0, immediate: rule.allow ? 1 : 0), .exit]

        var conditions: [(BPFInstruction.Register, UInt32)] = [(.r2, rule.isBlock ? 1 : 2)]
        if let major = rule.major { conditions.append((.r4, major)) }
        if let minor = rule.minor { conditions.append((.r5, minor)) }
        var code: [BPFInstruction] = []
        for (index, (register, value)) in conditions.enumerated() {
            let rest = conditions.count - index - 1 + verdict.count
            code.append(.jumpUnlessEqual32(register, value, over: Int16(rest)))
        }
        return code + verdict
    }
}

extension DeviceAccess {
    /// BPF_DEVCG_ACC_MKNOD, BPF_DEVCG_ACC_READ, BPF_DEVCG_ACC_WRITE (linux/bpf.h).
    var kernelBits: UInt32 {
        (contains(.mknod) ? 1 : 0) | (contains(.read) ? 2 : 0) | (contains(.write) ? 4 : 0)
    }
}
