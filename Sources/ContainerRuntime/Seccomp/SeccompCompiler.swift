internal import CLibseccomp
internal import Glibc
internal import LinuxSystem
internal import RuntimeSpec

/// Turns the seccomp section into a BPF program: libseccomp gives the rules their meaning on every architecture (numbers,
/// 32 and 64 bit arguments, calls that are multiplexed through others), then `FilterLayout` arranges its decisions so
/// that the kernel finds them in few steps.
enum SeccompCompiler {
    static func compile(_ seccomp: Seccomp) throws(RuntimeError) -> [FilterInstruction] {
        let defaultAction = try actionValue(
            seccomp.defaultAction, seccomp.defaultErrnoRet, "linux.seccomp.defaultErrnoRet")
        let architectures = try architectures(of: seccomp)
        var layout = FilterLayout()
        for architecture in architectures {
            // libseccomp's time grows with the square of a program's length: one for each architecture is faster.
            let exported = try export(seccomp, [architecture.token], defaultAction)
            do {
                var decisions = try FilterDecisions(of: exported, architecture: architecture.auditToken)
                for (number, action) in youngerCalls(seccomp, architecture) {
                    decisions.replace(.answer(defaultAction), by: .answer(action), in: number...number)
                }
                if let numbers = unknownNumbers(seccomp, architecture) {
                    decisions.replace(.answer(defaultAction), by: .answer(enosys), in: numbers)
                }
                try layout.add(exported, decisions, within: architecture.numbers)
            } catch {
                throw RuntimeError(at: "linux.seccomp", "libseccomp \(version) made a program that swrun cannot read")
            }
        }
        let program = layout.program()
        guard program.count <= FilterInstruction.limit else {
            throw RuntimeError(
                at: "linux.seccomp.syscalls",
                "the filter needs \(program.count) instructions and the kernel takes \(FilterInstruction.limit)",
                hint: "use fewer rules with arguments, or fewer architectures")
        }
        return program
    }

    /// The program for some architectures as libseccomp writes it.
    static func export(
        _ seccomp: Seccomp, _ tokens: [UInt32], _ defaultAction: UInt32
    ) throws(RuntimeError) -> [FilterInstruction] {
        let rules = try RuleSet.make(defaultAction: defaultAction)
        try rules.setArchitectures(tokens)
        for (index, syscall) in seccomp.syscalls.enumerated() {
            try add(syscall, to: rules, "linux.seccomp.syscalls[\(index)]", defaultAction)
        }
        return try rules.export()
    }

    // MARK: Actions

    private static let enosys = SeccompAction.errno.number | UInt32(ENOSYS)

    /// The action with its errno, EPERM unless given.
    private static func actionValue(
        _ action: SeccompAction, _ errno: UInt32?, _ path: @autoclosure () -> String
    ) throws(RuntimeError) -> UInt32 {
        guard action.takesErrno else {
            guard let errno else { return action.number }
            throw RuntimeError(
                at: path(), "\(errno) is set, but \(action.rawValue) returns no errno",
                hint: "remove it, or use SCMP_ACT_ERRNO")
        }
        let value = errno ?? UInt32(EPERM)
        // The kernel would silently turn a larger one into 4095 (MAX_ERRNO); a tracer is given 16 bits.
        let limit: UInt32 = action == .errno ? 4095 : 65535
        guard value <= limit else {
            throw RuntimeError(at: path(), "\(value) is no errno, at most \(limit) is possible")
        }
        return action.number | value
    }

    // MARK: Architectures

    /// One set of system call numbers.
    struct Architecture: Equatable {
        /// libseccomp's SCMP_ARCH_*.
        let token: UInt32
        /// AUDIT_ARCH_*, what the kernel says in `seccomp_data.arch`.
        let auditToken: UInt32
        /// x32 shares the kernel's token with x86-64 and has its numbers marked with a bit instead.
        let numbers: ClosedRange<UInt32>
    }

    private static let x86_64 = SystemCallArchitecture.x86_64Token
    private static let x32 = SystemCallArchitecture.x32Token
    private static let x32Bit = SystemCallArchitecture.x32Bit

    /// The machine's own architecture, and those the profile lists.
    static func architectures(of seccomp: Seccomp) throws(RuntimeError) -> [Architecture] {
        var tokens = [seccomp_arch_native()]
        for (index, architecture) in seccomp.architectures.enumerated() {
            let token = seccomp_arch_resolve_name(architecture.libseccompName)
            guard token != 0 else {
                throw RuntimeError(
                    at: "linux.seccomp.architectures[\(index)]",
                    "libseccomp \(version) does not know \(architecture.rawValue)")
            }
            if !tokens.contains(token) { tokens.append(token) }
        }
        return tokens.map { token in
            switch token {
            case x86_64 where tokens.contains(x32):
                Architecture(token: token, auditToken: token, numbers: 0...x32Bit - 1)
            case x32:
                Architecture(token: token, auditToken: x86_64, numbers: x32Bit...UInt32.max)
            default:
                Architecture(token: token, auditToken: token, numbers: 0...UInt32.max)
            }
        }
    }

    // MARK: System calls that the profile cannot know

    /// The numbers beyond the largest that the profile names: system calls younger than the profile. Programs try new
    /// calls and fall back to old ones on ENOSYS, but take EPERM (or die of a signal) for an answer, so a filter written
    /// before a call existed would break them on the day their C library learns it. Such calls answer ENOSYS, which
    /// forbids them as well. Where the default action lets a call through or asks somebody, that is obeyed.
    private static func unknownNumbers(_ seccomp: Seccomp, _ architecture: Architecture) -> ClosedRange<UInt32>? {
        switch seccomp.defaultAction {
        case .allow, .log, .trace, .notify: return nil
        case .errno, .kill, .killProcess, .killThread, .trap: break
        }
        var largest: Int32 = 0
        for syscall in seccomp.syscalls {
            for name in syscall.names {
                largest = max(largest, seccomp_syscall_resolve_name_arch(architecture.token, name))
            }
        }
        for (number, _) in youngerCalls(seccomp, architecture) { largest = max(largest, Int32(bitPattern: number)) }
        // Numbers with the mark of x32 are another architecture's also where it is not listed.
        let end = architecture.token == x86_64 ? x32Bit - 1 : UInt32.max
        return largest > 0 ? UInt32(largest) + 1...end : nil
    }

    /// The rules for calls that the kernel has and libseccomp has no name for yet. Those with arguments are passed over,
    /// as libseccomp does with all that it does not know.
    private static func youngerCalls(
        _ seccomp: Seccomp, _ architecture: Architecture
    ) -> [(number: UInt32, action: UInt32)] {
        var calls: [(number: UInt32, action: UInt32)] = []
        for (index, syscall) in seccomp.syscalls.enumerated() where syscall.args.isEmpty {
            for name in syscall.names {
                guard seccomp_syscall_resolve_name_arch(architecture.token, name) == unknownName,
                    let number = SystemCallNames.youngerNumber(of: name, on: architecture.token),
                    let action = try? actionValue(
                        syscall.action, syscall.errnoRet, "linux.seccomp.syscalls[\(index)].errnoRet")
                else { continue }
                calls.append((number, action))
            }
        }
        return calls
    }

    // MARK: Rules

    private static func add(
        _ syscall: SeccompSyscall, to rules: borrowing RuleSet, _ path: String, _ defaultAction: UInt32
    ) throws(RuntimeError) {
        let action = try actionValue(syscall.action, syscall.errnoRet, "\(path).errnoRet")
        // libseccomp refuses rules that say what the default says.
        if action == defaultAction { return }
        let arguments = syscall.args.map {
            scmp_arg_cmp(
                arg: $0.index, op: scmp_compare(rawValue: $0.op.number), datum_a: $0.value, datum_b: $0.valueTwo)
        }
        // One rule holds one comparison of each argument. Engines know that several on the same argument become rules of
        // their own, of which any may match, and write their profiles so.
        let indices = Set(syscall.args.map(\.index))
        let alternatives = indices.count == arguments.count ? [arguments] : arguments.map { [$0] }
        for (index, name) in syscall.names.enumerated() {
            let number = seccomp_syscall_resolve_name(name)
            // Profiles name the calls of all kernels and architectures; what does not exist here cannot be made.
            if number == unknownName { continue }
            for arguments in alternatives {
                try rules.add(action, number, arguments, "\(path).names[\(index)]", name)
            }
        }
    }

    private static let unknownName: Int32 = -1  // __NR_SCMP_ERROR

    // MARK: Identity

    private static var version: String {
        guard let version = seccomp_version()?.pointee else { return "" }
        return "\(version.major).\(version.minor).\(version.micro)"
    }

    /// Everything that the program depends on, as bytes: two equal keys mean equal programs.
    static func key(of seccomp: Seccomp) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(16 * 1024)
        func add(_ number: some FixedWidthInteger) { withUnsafeBytes(of: number.littleEndian) { key += $0 } }
        func add(_ text: String) {
            key += text.utf8
            key.append(0)
        }
        add("layout 2, libseccomp \(version)")
        add(seccomp_arch_native())
        add(seccomp.defaultAction.number)
        add(UInt64(seccomp.defaultErrnoRet ?? .max) + (seccomp.defaultErrnoRet == nil ? 1 : 0))
        add(seccomp.architectures.count)
        for architecture in seccomp.architectures { add(architecture.rawValue) }
        for syscall in seccomp.syscalls {
            add(syscall.action.number)
            add(UInt64(syscall.errnoRet ?? .max) + (syscall.errnoRet == nil ? 1 : 0))
            add(syscall.args.count)
            for argument in syscall.args {
                add(argument.index)
                add(argument.op.number)
                add(argument.value)
                add(argument.valueTwo)
            }
            add(syscall.names.count)
            for name in syscall.names { add(name) }
        }
        return key
    }
}

/// A libseccomp filter under construction.
private struct RuleSet: ~Copyable {
    private let context: scmp_filter_ctx

    init(_ context: scmp_filter_ctx) { self.context = context }

    static func make(defaultAction: UInt32) throws(RuntimeError) -> RuleSet {
        guard let context = seccomp_init(defaultAction) else {
            throw RuntimeError(
                at: "linux.seccomp.defaultAction", "libseccomp or the kernel does not support this action")
        }
        return RuleSet(context)
    }

    /// Before the first rule: rules go to the architectures that are there when they are added.
    borrowing func setArchitectures(_ tokens: [UInt32]) throws(RuntimeError) {
        let native = seccomp_arch_native()
        for token in tokens where token != native {
            let result = seccomp_arch_add(context, token)
            guard result < 0 else { continue }
            throw RuntimeError(
                at: "linux.seccomp.architectures",
                result == -EDOM
                    ? "one of them has another byte order than this machine and cannot run here"
                    : "libseccomp refused architecture 0x\(String(token, radix: 16))",
                SystemError("seccomp_arch_add", "", Errno(-result)))
        }
        if !tokens.contains(native) { seccomp_arch_remove(context, native) }
    }

    deinit { seccomp_release(context) }

    borrowing func add(
        _ action: UInt32, _ number: Int32, _ arguments: [scmp_arg_cmp], _ path: @autoclosure () -> String,
        _ name: String
    ) throws(RuntimeError) {
        let result = seccomp_rule_add_array(context, action, number, UInt32(arguments.count), arguments)
        guard result < 0 else { return }
        let reason =
            result == -EEXIST
            ? "the rule for \(name) contradicts an earlier one with the same arguments"
            : "libseccomp or the kernel does not support this rule for \(name)"
        throw RuntimeError(at: path(), reason, SystemError("seccomp_rule_add", name, Errno(-result)))
    }

    borrowing func export() throws(RuntimeError) -> [FilterInstruction] {
        do throws(SystemError) {
            let file = try FileDescriptor.memory("seccomp")
            let result = seccomp_export_bpf(context, file.rawValue)
            if result < 0 { throw SystemError("seccomp_export_bpf", "", Errno(-result)) }
            return try file.readFilterInstructions()
        } catch {
            throw RuntimeError(at: "linux.seccomp", "cannot compile the system call filter", error)
        }
    }
}
