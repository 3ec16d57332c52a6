import LinuxSystem
import RuntimeSpec
import Testing

@testable import ContainerRuntime

/// The numbers below are those of x86-64 and x86; elsewhere the calls mean other names.
#if arch(x86_64)
    @Suite struct SystemCallRecordingTests {
        private func recording(_ numbers: [UInt32], on architecture: UInt32 = Architecture.x86_64)
            -> SystemCallRecording
        {
            var recording = SystemCallRecording()
            for number in numbers { recording.add(SystemCall(number: number, architecture: architecture)) }
            return recording
        }

        @Test func aProfileAllowsEachCallOnceInOrder() {
            let recorded = recording([124, 59, 124, 0, 59])
            #expect(recorded.total == 5)
            #expect(
                recorded.profile()
                    == Seccomp(
                        defaultAction: .errno, defaultErrnoRet: 1, architectures: [.x86_64],
                        syscalls: [
                            SeccompSyscall(names: ["execve", "exit_group", "getsid", "read"], action: .allow)
                        ]))
        }

        @Test func whatDependsOnSignalsPausesAndThreadsIsAllowedToo() {
            #expect(recording([59, 231]).companions == [])
            #expect(recording([13, 231]).companions == ["rt_sigreturn"])
            #expect(recording([7, 231]).companions == ["restart_syscall"])
            // fork(2) by clone, and threads by clone and clone3
            var forking = recording([231])
            forking.add(SystemCall(number: 56, architecture: Architecture.x86_64, arguments: [0x120_0011]))
            #expect(forking.companions == [])
            forking.add(SystemCall(number: 56, architecture: Architecture.x86_64, arguments: [0x3d_0f00]))
            let threads = [
                "exit", "futex", "madvise", "mmap", "mprotect", "munmap", "restart_syscall", "rt_sigprocmask",
                "sched_yield",
            ]
            #expect(forking.companions == threads)
            #expect(recording([435, 231, 202, 9]).companions == threads.filter { $0 != "futex" && $0 != "mmap" })
        }

        @Test func companionsAreThoseOfTheArchitecture() {
            var recorded = recording([231])
            recorded.add(SystemCall(number: 67, architecture: Architecture.i386))  // sigaction
            #expect(recorded.companions == ["sigreturn"])
            #expect(recorded.byArchitecture.map(\.names) == [["exit_group"], ["sigaction"]])
        }

        @Test func nothingRecordedAllowsNothing() {
            #expect(SystemCallRecording().profile().syscalls.isEmpty)
        }

        @Test func architecturesHaveNumbersOfTheirOwn() {
            var recorded = recording([124])
            for number: UInt32 in [20, 102] {
                recorded.add(SystemCall(number: number, architecture: Architecture.i386))
            }
            recorded.add(SystemCall(number: Architecture.x32Bit | 39, architecture: Architecture.x86_64))
            #expect(recorded.profile().architectures == [.x86_64, .x86, .x32])
            #expect(recorded.profile().syscalls[0].names == ["exit_group", "getpid", "getsid", "socketcall"])
            #expect(recorded.byArchitecture.map(\.names) == [["getsid"], ["getpid", "socketcall"], ["getpid"]])
        }

        @Test func numbersWithoutANameAreTold() {
            let recorded = recording([999, 124, 1_000_000, 1_000_000])
            #expect(recorded.byArchitecture.map(\.names) == [["getsid"]])
            #expect(recorded.byArchitecture.map { $0.nameless.sorted() } == [[999, 1_000_000]])
            // A program that tries all numbers does not fill the memory.
            #expect(recording(Array(5000...9000)).byArchitecture[0].nameless.count == 16)
        }

        @Test func callsThatLibseccompDoesNotKnowHaveNames() throws {
            let recorded = recording([459, 469])
            #expect(recorded.byArchitecture[0].names == ["file_setattr", "lsm_get_self_attr"])
            let filter = FilterMachine(program: try SeccompFilter.compile(recorded.profile()).program)
            #expect(filter.answer(459) == Answer.allow)
            #expect(filter.answer(460) == Answer.eperm)
            #expect(filter.answer(469) == Answer.allow)
            #expect(filter.answer(470) == Answer.enosys)
            #expect(filter.answer(124) == Answer.eperm)
        }

        @Test func mergingKeepsWhatIsThere() {
            let condition = SeccompSyscall(
                names: ["getsid"], action: .errno, errnoRet: 5,
                args: [SeccompArgument(index: 0, value: 1, op: .equal)])
            let before = Seccomp(
                defaultAction: .killProcess, architectures: [.x86], flags: [.log],
                syscalls: [
                    condition, SeccompSyscall(names: ["read", "write"], action: .allow),
                    SeccompSyscall(names: ["sync"], action: .errno), SeccompSyscall(names: ["getpid"], action: .log),
                ])
            let after = recording([0, 124, 162]).profile(addedTo: before)
            #expect(
                after
                    == Seccomp(
                        defaultAction: .killProcess, architectures: [.x86, .x86_64], flags: [.log],
                        syscalls: [
                            condition,
                            SeccompSyscall(names: ["read", "write", "exit_group", "getsid", "sync"], action: .allow),
                            SeccompSyscall(names: ["getpid"], action: .log),
                        ]))
        }

        @Test func aProfileOfTheNativeArchitectureStaysOne() {
            let before = Seccomp(defaultAction: .errno)
            #expect(recording([0]).profile(addedTo: before).architectures == [.x86_64])
        }

        @Test func aFilterThatIsExplainedAsksExactlyWhereItDenies() throws {
            let profile = Seccomp(
                defaultAction: .allow,
                syscalls: [
                    SeccompSyscall(names: ["getsid"], action: .errno, errnoRet: 7),
                    SeccompSyscall(names: ["sync"], action: .killProcess),
                    SeccompSyscall(names: ["getpid"], action: .log),
                    SeccompSyscall(
                        names: ["getpgid"], action: .trap, args: [SeccompArgument(index: 0, value: 1, op: .equal)]),
                ])
            let filter = try SeccompFilter.compile(profile)
            let asking = FilterMachine(program: filter.askingBeforeDenial().program)
            let original = FilterMachine(program: filter.program)
            for number in UInt32(0)...500 {
                for architecture in [Architecture.x86_64, Architecture.i386] {
                    for argument: UInt64 in [0, 1] {
                        let answer = try #require(original.answer(number, [argument], on: architecture))
                        let isExecve = number == 59 && architecture == Architecture.x86_64
                        let expected = SeccompAnswer(answer).isDenial || isExecve ? Answer.notify : answer
                        #expect(asking.answer(number, [argument], on: architecture) == expected)
                    }
                }
            }
            #expect(filter.firstDenied(of: ["read", "getsid", "sync"]) == "getsid")
            #expect(filter.askingBeforeDenial().firstDenied(of: ["read", "sync"]) == "sync")
            #expect(SeccompFilter.askingAlways.firstDenied(of: ["read", "sync"]) == nil)
        }

        @Test func answersReadAsWhatTheCallerSees() {
            #expect(SeccompAnswer(Answer.errno(13)).text == "EACCES")
            #expect(SeccompAnswer(Answer.trace(5)).text == "ENOSYS")
            #expect(SeccompAnswer(Answer.killThread).text == "SCMP_ACT_KILL_THREAD")
            #expect(!SeccompAnswer(Answer.log).isDenial)
        }
    }
#endif

@Suite struct CallFormTests {
    @Test func everyFormHasAName() {
        for name in ["openat", "mount", "socket", "getpid"] { #expect(CallForm.of(name) != nil, "\(name)") }
        #expect(CallForm.of("mount")?.count == 5)
        #expect(CallForm.of("no_such_call") == nil)
    }

    @Test func everyFormIsOfACall() {
        for name in CallForm.names where SystemCallNames.nativeCall(name) == nil {
            // Calls of other architectures; a misspelt name would be none anywhere.
            #expect(["fstatat64", "umount", "socketcall", "open", "creat", "stat", "lstat"].contains(name), "\(name)")
        }
        #expect(Set(CallForm.names).count == CallForm.names.count)
    }
}
