import LinuxSystem
import RuntimeSpec
import Testing

@testable import ContainerRuntime

/// The numbers below are those of x86-64; elsewhere the profiles mean other numbers.
#if arch(x86_64)
    @Suite struct SeccompFilterTests {
        private func machine(_ seccomp: Seccomp) throws -> FilterMachine {
            FilterMachine(program: try SeccompFilter.compile(seccomp).program)
        }

        private func allowing(_ names: [String], default action: SeccompAction = .errno) -> Seccomp {
            Seccomp(defaultAction: action, syscalls: [SeccompSyscall(names: names, action: .allow)])
        }

        @Test func aListedCallIsAllowedAndAnotherGetsTheDefault() throws {
            let filter = try machine(allowing(["read", "write", "close_range"]))
            #expect(filter.answer(0) == Answer.allow)
            #expect(filter.answer(1) == Answer.allow)
            #expect(filter.answer(2) == Answer.eperm)
            #expect(filter.answer(435) == Answer.eperm)
        }

        @Test(arguments: [
            (SeccompAction.kill, Answer.killThread), (.killThread, Answer.killThread),
            (.killProcess, Answer.killProcess), (.trap, Answer.trap), (.log, Answer.log), (.trace, Answer.trace(1)),
            (.allow, Answer.allow), (.notify, Answer.notify),
        ])
        func everyActionHasItsAnswer(action: SeccompAction, answer: UInt32) throws {
            let rule = Seccomp(
                defaultAction: .errno, syscalls: [SeccompSyscall(names: ["mount"], action: action)])
            #expect(try machine(rule).answer(165) == answer)
            let byDefault = Seccomp(
                defaultAction: action, syscalls: [SeccompSyscall(names: ["mount"], action: .errno)])
            #expect(try machine(byDefault).answer(0) == answer)
            #expect(try machine(byDefault).answer(165) == Answer.eperm)
        }

        @Test func aFilterWithoutRulesAlwaysGivesTheDefault() throws {
            let filter = try machine(Seccomp(defaultAction: .killProcess))
            #expect(filter.answer(0) == Answer.killProcess)
            #expect(filter.answer(9999) == Answer.killProcess)
        }

        @Test func errnosAreReturnedAsGiven() throws {
            let filter = try machine(
                Seccomp(
                    defaultAction: .errno, defaultErrnoRet: 13,
                    syscalls: [
                        SeccompSyscall(names: ["mount"], action: .errno, errnoRet: 95),
                        SeccompSyscall(names: ["umount2"], action: .trace, errnoRet: 0xbeef),
                        SeccompSyscall(names: ["bpf"], action: .errno, errnoRet: 0),
                    ]))
            #expect(filter.answer(165) == Answer.errno(95))
            #expect(filter.answer(166) == Answer.trace(0xbeef))
            #expect(filter.answer(321) == Answer.errno(0))
            #expect(filter.answer(0) == Answer.errno(13))
        }

        @Test func anErrnoOnAnActionThatReturnsNoneIsAnError() {
            expectError("linux.seccomp.defaultErrnoRet: 1 is set, but SCMP_ACT_ALLOW") {
                Seccomp(defaultAction: .allow, defaultErrnoRet: 1)
            }
            expectError("linux.seccomp.syscalls[1].errnoRet: 5 is set, but SCMP_ACT_KILL") {
                Seccomp(
                    defaultAction: .allow,
                    syscalls: [
                        SeccompSyscall(names: ["read"], action: .errno, errnoRet: 5),
                        SeccompSyscall(names: ["write"], action: .kill, errnoRet: 5),
                    ])
            }
            expectError("linux.seccomp.defaultErrnoRet: 4096 is no errno, at most 4095") {
                Seccomp(defaultAction: .errno, defaultErrnoRet: 4096)
            }
        }

        private func expectError(_ text: String, _ seccomp: () -> Seccomp) {
            let error = #expect(throws: RuntimeError.self) { _ = try SeccompFilter.compile(seccomp()) }
            #expect(error?.message.hasPrefix(text) == true, "\(error?.message ?? "")")
        }

        // MARK: Arguments

        @Test(
            arguments: [
                (SeccompOperator.equal, [7], [6, 8, 7 | 1 << 32]),
                (.notEqual, [6, 8, 7 | 1 << 32], [7]),
                (.less, [0, 6], [7, 1 << 32]),
                (.lessOrEqual, [0, 7], [8, 1 << 40]),
                (.greater, [8, 1 << 32], [7, 0]),
                (.greaterOrEqual, [7, 1 << 63], [6]),
            ] as [(SeccompOperator, [UInt64], [UInt64])])
        func operatorsCompareAll64Bits(op: SeccompOperator, matching: [UInt64], others: [UInt64]) throws {
            let rule = SeccompSyscall(
                names: ["socket"], action: .allow, args: [SeccompArgument(index: 1, value: 7, op: op)])
            let filter = try machine(Seccomp(defaultAction: .errno, syscalls: [rule]))
            for value in matching { #expect(filter.answer(41, [99, value]) == Answer.allow, "\(value)") }
            for value in others { #expect(filter.answer(41, [99, value]) == Answer.eperm, "\(value)") }
        }

        @Test func aMaskComparesTheBitsInIt() throws {
            // CLONE_NEWUSER and friends, as engines write it
            let mask: UInt64 = 0x7e02_0000
            let rule = SeccompSyscall(
                names: ["clone"], action: .allow,
                args: [SeccompArgument(index: 0, value: mask, valueTwo: 0, op: .maskedEqual)])
            let filter = try machine(Seccomp(defaultAction: .errno, syscalls: [rule]))
            #expect(filter.answer(56, [0x11]) == Answer.allow)
            #expect(filter.answer(56, [0x1000_0000 | 0x11]) == Answer.eperm)
            #expect(filter.answer(56, [1 << 40]) == Answer.allow)
        }

        @Test func severalArgumentsMustAllMatch() throws {
            let rule = SeccompSyscall(
                names: ["socket"], action: .errno, errnoRet: 22,
                args: [
                    SeccompArgument(index: 0, value: 16, op: .equal), SeccompArgument(index: 2, value: 9, op: .equal),
                ])
            let filter = try machine(Seccomp(defaultAction: .allow, syscalls: [rule]))
            #expect(filter.answer(41, [16, 3, 9]) == Answer.errno(22))
            #expect(filter.answer(41, [16, 3, 8]) == Answer.allow)
            #expect(filter.answer(41, [15, 3, 9]) == Answer.allow)
        }

        @Test func severalConditionsOnOneArgumentAreAlternatives() throws {
            let values: [UInt64] = [0, 8, 0x20000, 0xffff_ffff]
            let rule = SeccompSyscall(
                names: ["personality"], action: .allow,
                args: values.map { SeccompArgument(index: 0, value: $0, op: .equal) })
            let filter = try machine(Seccomp(defaultAction: .errno, syscalls: [rule]))
            for value in values { #expect(filter.answer(135, [value]) == Answer.allow) }
            #expect(filter.answer(135, [9]) == Answer.eperm)
        }

        @Test func contradictingRulesAreAnError() {
            let argument = SeccompArgument(index: 0, value: 5, op: .equal)
            expectError("linux.seccomp.syscalls[1].names[0]: the rule for dup contradicts") {
                Seccomp(
                    defaultAction: .kill,
                    syscalls: [
                        SeccompSyscall(names: ["dup"], action: .allow, args: [argument]),
                        SeccompSyscall(names: ["dup"], action: .errno, args: [argument]),
                    ])
            }
        }

        // MARK: Names and numbers

        @Test func unknownNamesAreSkipped() throws {
            let filter = try machine(allowing(["no_such_call", "read", "arm_fadvise64_64", "close_range"]))
            #expect(filter.answer(0) == Answer.allow)
            #expect(filter.answer(1) == Answer.eperm)
        }

        @Test(arguments: [SeccompAction.errno, .kill, .killProcess, .trap])
        func callsYoungerThanTheProfileAnswerENOSYS(action: SeccompAction) throws {
            // statx is 332
            let filter = try machine(allowing(["read", "statx"], default: action))
            #expect(filter.answer(333) == Answer.enosys)
            #expect(filter.answer(0x3fff_ffff) == Answer.enosys)
            #expect(filter.answer(331) != Answer.enosys)
            #expect(filter.answer(332) == Answer.allow)
        }

        @Test(arguments: [SeccompAction.log, .trace, .notify])
        func aDefaultThatAsksSomebodyIsAskedAboutYoungCallsToo(action: SeccompAction) throws {
            let filter = try machine(
                Seccomp(
                    defaultAction: action, syscalls: [SeccompSyscall(names: ["read"], action: .errno)]))
            #expect(filter.answer(333) != Answer.enosys)
            #expect(filter.answer(333) == filter.answer(1))
        }

        @Test func forbiddenCallsCountAsKnownToo() throws {
            let filter = try machine(
                Seccomp(
                    defaultAction: .errno,
                    syscalls: [
                        SeccompSyscall(names: ["read"], action: .allow),
                        SeccompSyscall(names: ["statx"], action: .errno),
                    ]))
            #expect(filter.answer(331) == Answer.eperm)
            #expect(filter.answer(332) == Answer.eperm)
            #expect(filter.answer(333) == Answer.enosys)
        }

        // MARK: Architectures

        @Test func callsOfAnArchitectureThatIsNotListedKill() throws {
            let filter = try machine(allowing(["read"]))
            #expect(filter.answer(3, on: Architecture.i386) == Answer.killThread)
            #expect(filter.answer(0, on: Architecture.aarch64) == Answer.killThread)
            #expect(filter.answer(Architecture.x32Bit) == Answer.killThread)
        }

        @Test func eachArchitectureHasItsOwnNumbers() throws {
            var seccomp = allowing(["read", "socket", "statx"])
            seccomp.architectures = [.x86_64, .x86, .x32]
            let filter = try machine(seccomp)
            let i386 = Architecture.i386
            #expect(filter.answer(0) == Answer.allow)
            #expect(filter.answer(3, on: i386) == Answer.allow)
            #expect(filter.answer(0, on: i386) == Answer.eperm)
            #expect(filter.answer(Architecture.x32Bit) == Answer.allow)
            #expect(filter.answer(Architecture.x32Bit | 3) == Answer.eperm)
            // socket is 359 there, and call 1 of socketcall (102)
            #expect(filter.answer(359, on: i386) == Answer.allow)
            #expect(filter.answer(102, [1], on: i386) == Answer.allow)
            #expect(filter.answer(102, [2], on: i386) == Answer.eperm)
            // statx, the largest of each, is 332 and 383
            #expect(filter.answer(333) == Answer.enosys)
            #expect(filter.answer(Architecture.x32Bit | 333) == Answer.enosys)
            #expect(filter.answer(382, on: i386) == Answer.eperm)
            #expect(filter.answer(384, on: i386) == Answer.enosys)
            #expect(filter.answer(0, on: Architecture.arm) == Answer.killThread)
        }

        @Test func theNativeArchitectureIsAlwaysThere() throws {
            var seccomp = allowing(["read"])
            seccomp.architectures = [.x86]
            #expect(try machine(seccomp).answer(0) == Answer.allow)
        }

        @Test func architecturesThatCannotBeAreNamed() {
            expectError("linux.seccomp.architectures: one of them has another byte order") {
                Seccomp(defaultAction: .allow, architectures: [.s390x])
            }
            expectError("linux.seccomp.architectures[1]: libseccomp ") {
                Seccomp(defaultAction: .allow, architectures: [.x86_64, .m68k])
            }
        }

        // MARK: Flags

        @Test func flagsAreThoseAskedForAndSpeculationIsAllowedByDefault() throws {
            func flags(_ flags: [SeccompFlag]?, _ action: SeccompAction = .errno) throws -> UInt32 {
                let rule = SeccompSyscall(names: ["mount"], action: action)
                return try SeccompFilter.compile(
                    Seccomp(defaultAction: .allow, flags: flags, syscalls: [rule])
                ).flags
            }
            #expect(try flags(nil) == 4)
            #expect(try flags([]) == 0)
            #expect(try flags([.log, .tsync]) == 3)
            // With a listener: NEW_LISTENER, and TSYNC_ESRCH next to TSYNC; WAIT_KILLABLE_RECV only there.
            #expect(try flags([.waitKillableRecv]) == 0)
            #expect(try flags([.waitKillableRecv], .notify) == 32 | 8)
            #expect(try flags([.tsync], .notify) == 1 | 8 | 16)
        }
    }
#endif

@Suite struct Base64Tests {
    /// The test vectors of RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg==", "foob"), ("Zm9vYmE=", "fooba"),
        ("Zm9v\nYmFy\r\n", "foobar"),
    ])
    func textIsDecoded(text: String, meant: String) {
        #expect(decodeBase64(text) == Array(meant.utf8))
    }

    @Test func everyLetterHasItsValue() {
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        var bits: [UInt8] = []
        for byte in decodeBase64(alphabet) ?? [] {
            for bit in (0..<8).reversed() { bits.append(byte >> UInt8(bit) & 1) }
        }
        let values = stride(from: 0, to: bits.count, by: 6).map { bits[$0..<$0 + 6].reduce(0) { $0 << 1 | Int($1) } }
        #expect(values == Array(0..<64))
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "Zm8", "Z===", "====", "Zg==Zg==", "Zm-v", "Zm 9v", "Zm9v=", "\u{e4}AAA",
    ])
    func anythingElseIsNone(text: String) {
        #expect(decodeBase64(text) == nil)
    }
}
