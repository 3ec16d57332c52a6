import LinuxSystem
import RuntimeSpec
import Testing

@testable import ContainerRuntime

#if arch(x86_64)
    @Suite struct FilterLayoutTests {
        /// Many calls of a machine, in the order of their numbers, with gaps.
        private static let names = """
            read write open close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask ioctl
            pread64 pwrite64 readv writev access pipe select sched_yield mremap msync mincore madvise shmget shmat shmctl
            dup dup2 pause nanosleep getitimer alarm setitimer getpid sendfile socket connect accept sendto recvfrom
            sendmsg recvmsg shutdown bind listen getsockname getpeername socketpair setsockopt getsockopt clone fork vfork
            execve exit wait4 kill uname semget semop semctl shmdt msgget msgsnd msgrcv msgctl fcntl flock fsync truncate
            getdents getcwd chdir fchdir rename mkdir rmdir creat link unlink symlink readlink chmod chown umask
            gettimeofday getrlimit getrusage sysinfo times getuid syslog getgid setuid setgid geteuid setpgid getppid
            prctl arch_prctl setrlimit chroot sync gettid futex sched_setaffinity epoll_create getdents64 exit_group
            epoll_wait epoll_ctl tgkill openat mkdirat newfstatat unlinkat ppoll set_robust_list splice utimensat eventfd2
            epoll_create1 dup3 pipe2 inotify_init1 preadv pwritev prlimit64 syncfs sendmmsg setns getcpu renameat2
            getrandom memfd_create execveat copy_file_range statx rseq pidfd_open clone3 close_range openat2 faccessat2
            """.split(whereSeparator: \.isWhitespace).map(String.init)

        private static let profiles: [Seccomp] = {
            let plain = Seccomp(
                defaultAction: .errno, architectures: [.x86_64, .x86, .x32],
                syscalls: [SeccompSyscall(names: names, action: .allow)])
            // More argument checks than a conditional jump reaches over.
            let checked = Seccomp(
                defaultAction: .log, architectures: [.x86, .aarch64, .x32],
                syscalls: names.prefix(60).enumerated().map { index, name in
                    SeccompSyscall(
                        names: [name], action: index % 3 == 0 ? .allow : .errno, errnoRet: index % 3 == 0 ? nil : 22,
                        args: (0...UInt32(index % 4)).map {
                            SeccompArgument(
                                index: $0, value: UInt64(index) << UInt64(16 * ($0 % 3)), valueTwo: 4,
                                op: SeccompOperator.allCases[(index + Int($0)) % SeccompOperator.allCases.count])
                        })
                })
            // No two neighbours alike: the largest search tree.
            let striped = Seccomp(
                defaultAction: .allow, architectures: [.x86],
                syscalls: names.enumerated().map { index, name in
                    SeccompSyscall(names: [name], action: .errno, errnoRet: UInt32(index + 1))
                })
            return [plain, checked, striped]
        }()

        /// The answer is libseccomp's for every number, architecture and a choice of arguments, but for ENOSYS.
        @Test(arguments: profiles.indices)
        func theArrangedProgramDecidesAsTheOriginal(index: Int) throws {
            let seccomp = Self.profiles[index]
            let tokens = try SeccompCompiler.architectures(of: seccomp).map(\.token)
            let defaultAnswer = seccomp.defaultAction == .errno ? Answer.eperm : seccomp.defaultAction.number
            let original = FilterMachine(program: try SeccompCompiler.export(seccomp, tokens, defaultAnswer))
            let arranged = FilterMachine(program: try SeccompCompiler.compile(seccomp))
            let plain: [UInt32] = (0...470) + [0x3fff_ffff, 0x8000_0000, .max]
            let numbers = plain + plain.map { $0 | 0x4000_0000 }
            let arguments: [[UInt64]] = [
                [], [1, 2, 3, 4], [40, 41 << 16, 42 << 32, 43], [4, 4, 4, 4], [.max, .max],
            ]
            var compared = 0
            for architecture in [
                Architecture.x86_64, Architecture.i386, Architecture.aarch64,
                Architecture.arm,
            ] {
                for number in numbers {
                    for values in arguments {
                        let expected = original.answer(number, values, on: architecture)
                        let found = arranged.answer(number, values, on: architecture)
                        if found == Answer.enosys && expected == Answer.eperm { continue }
                        try #require(found == expected, "\(architecture) \(number) \(values)")
                        compared += 1
                    }
                }
            }
            #expect(compared > 5000)
        }

        @Test func theSearchIsShort() throws {
            let program = try SeccompCompiler.compile(Self.profiles[0])
            let machine = FilterMachine(program: program)
            let steps = (0...460).compactMap {
                machine.run(SystemCall(number: UInt32($0), architecture: Architecture.x86_64))?.steps
            }
            #expect(steps.count == 461)
            #expect(steps.max()! <= 12)
        }

        @Test func decisionsCoverEveryNumberOnce() throws {
            let seccomp = Self.profiles[1]
            let tokens = try SeccompCompiler.architectures(of: seccomp).map(\.token)
            let original = try SeccompCompiler.export(seccomp, tokens, SeccompAction.log.number)
            for architecture in [
                Architecture.x86_64, Architecture.i386, Architecture.aarch64,
            ] {
                let runs = try FilterDecisions(of: original, architecture: architecture).runs
                #expect(runs.first?.numbers.lowerBound == 0)
                #expect(runs.last?.numbers.upperBound == .max)
                for (run, next) in zip(runs, runs.dropFirst()) {
                    #expect(run.numbers.upperBound + 1 == next.numbers.lowerBound)
                    #expect(run.decision != next.decision)
                }
            }
        }

        @Test func aProgramWithAnUnknownInstructionIsRefused() {
            let answer = FilterInstruction(FilterInstruction.answer, 0)
            let storeX = FilterInstruction(0x03, 0)
            let jumpOut = FilterInstruction(FilterInstruction.jumpIfEqual, 0, true: 1)
            for program in [[storeX, answer], [answer, storeX, answer], [jumpOut, answer]] {
                #expect(throws: UnreadableFilter.self) { _ = try FilterDecisions(of: program, architecture: 1) }
            }
        }

        @Test func tooManyInstructionsAreAnError() {
            let seccomp = Seccomp(
                defaultAction: .errno, architectures: [.x86, .x32, .aarch64, .arm],
                syscalls: Self.names.prefix(45).enumerated().map { index, name in
                    SeccompSyscall(
                        names: [name], action: .allow,
                        args: (0..<6).map {
                            SeccompArgument(index: $0, value: UInt64(index) << 32 | UInt64(index), op: .less)
                        })
                })
            let error = #expect(throws: RuntimeError.self) { _ = try SeccompFilter.compile(seccomp) }
            #expect(error?.message.hasPrefix("linux.seccomp.syscalls: the filter needs ") == true)
        }

        @Test func instructionsAreLaidOutAsTheKernelReadsThem() {
            let instruction = FilterInstruction(0x1234, 0x89ab_cdef, true: 5, false: 6)
            let bytes = withUnsafeBytes(of: instruction) { Array($0) }
            #expect(bytes == [0x34, 0x12, 5, 6, 0xef, 0xcd, 0xab, 0x89])
            #expect(MemoryLayout<FilterInstruction>.stride == 8)
        }
    }
#endif
