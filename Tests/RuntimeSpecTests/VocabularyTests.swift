import RuntimeSpec
import Testing

/// The words of the specification, written down once more: a vocabulary that loses one, or a number that slips, fails here.
struct VocabularyTests {
    private func words<Word: SpecWord>(_ type: Word.Type) -> [String] {
        Word.allCases.map(\.rawValue).sorted()
    }

    @Test func namespaces() {
        #expect(words(NamespaceType.self) == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"])
    }

    @Test func hooksAreInCallingOrder() {
        let names = HookName.allCases.map(\.rawValue)
        #expect(names == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"])
    }

    @Test func smallVocabularies() {
        #expect(words(DeviceType.self) == ["b", "c", "p", "u"])
        #expect(words(DeviceRuleType.self) == ["a", "b", "c"])
        let propagations = ["private", "rprivate", "rshared", "rslave", "runbindable", "shared", "slave", "unbindable"]
        #expect(words(RootfsPropagation.self) == propagations)
        #expect(words(PersonalityDomain.self) == ["LINUX", "LINUX32"])
        #expect(words(TimeClock.self) == ["boottime", "monotonic"])
        #expect(words(ContainerStatus.self) == ["created", "creating", "paused", "running", "stopped"])
    }

    @Test func deviceAccess() {
        #expect(DeviceAccess(letters: "rwm") == .all)
        #expect(DeviceAccess(letters: "mw") == [.write, .mknod])
        #expect(DeviceAccess(letters: "") == [])
        #expect(DeviceAccess(letters: "rwx") == nil)
        #expect(DeviceAccess.all.letters == "rwm")
        #expect(DeviceAccess([.mknod, .read]).letters == "rm")
    }

    /// Numbers of asm-generic/resource.h.
    @Test func rlimits() {
        let names =
            ["CPU", "FSIZE", "DATA", "STACK", "CORE", "RSS", "NPROC", "NOFILE", "MEMLOCK", "AS", "LOCKS"]
            + ["SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "RTTIME"]
        #expect(RlimitType.allCases.count == names.count)
        for (number, name) in names.enumerated() {
            #expect(RlimitType(rawValue: "RLIMIT_" + name)?.number == Int32(number))
        }
    }

    /// Numbers of linux/sched.h and linux/ioprio.h.
    @Test func scheduling() {
        let policies = ["OTHER", "FIFO", "RR", "BATCH", "ISO", "IDLE", "DEADLINE"]
        #expect(SchedulerPolicy.allCases.count == policies.count)
        for (number, name) in policies.enumerated() {
            #expect(SchedulerPolicy(rawValue: "SCHED_" + name)?.number == UInt32(number))
        }
        let flags = [
            "RESET_ON_FORK", "RECLAIM", "DL_OVERRUN", "KEEP_POLICY", "KEEP_PARAMS", "UTIL_CLAMP_MIN", "UTIL_CLAMP_MAX",
        ]
        #expect(SchedulerFlag.allCases.count == flags.count)
        for (bit, name) in flags.enumerated() {
            #expect(SchedulerFlag(rawValue: "SCHED_FLAG_" + name)?.bit == 1 << UInt64(bit))
        }
        for (number, name) in ["RT", "BE", "IDLE"].enumerated() {
            #expect(IOPriorityClass(rawValue: "IOPRIO_CLASS_" + name)?.number == Int32(number + 1))
        }
        #expect(IOPriorityClass.allCases.count == 3)
    }

    /// Numbers of linux/mempolicy.h.
    @Test func memoryPolicies() {
        let modes = ["DEFAULT", "PREFERRED", "BIND", "INTERLEAVE", "LOCAL", "PREFERRED_MANY", "WEIGHTED_INTERLEAVE"]
        #expect(MemoryPolicyMode.allCases.count == modes.count)
        for (number, name) in modes.enumerated() {
            #expect(MemoryPolicyMode(rawValue: "MPOL_" + name)?.number == Int32(number))
        }
        let flags = ["STATIC_NODES": 15, "RELATIVE_NODES": 14, "NUMA_BALANCING": 13]
        #expect(MemoryPolicyFlag.allCases.count == flags.count)
        for (name, bit) in flags { #expect(MemoryPolicyFlag(rawValue: "MPOL_F_" + name)?.bit == 1 << Int32(bit)) }
    }

    /// Numbers of libseccomp's seccomp.h and of linux/seccomp.h.
    @Test func seccomp() {
        let actions: [String: UInt32] = [
            "KILL": 0, "KILL_THREAD": 0, "KILL_PROCESS": 0x8000_0000, "TRAP": 0x0003_0000, "ERRNO": 0x0005_0000,
            "NOTIFY": 0x7fc0_0000, "TRACE": 0x7ff0_0000, "LOG": 0x7ffc_0000, "ALLOW": 0x7fff_0000,
        ]
        #expect(SeccompAction.allCases.count == actions.count)
        for (name, number) in actions { #expect(SeccompAction(rawValue: "SCMP_ACT_" + name)?.number == number) }
        #expect(SeccompAction.allCases.filter(\.takesErrno) == [.errno, .trace])
        for (index, name) in ["NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"].enumerated() {
            #expect(SeccompOperator(rawValue: "SCMP_CMP_" + name)?.number == UInt32(index + 1))
        }
        #expect(SeccompOperator.allCases.count == 7)
        let flags = ["TSYNC": 0, "LOG": 1, "SPEC_ALLOW": 2, "WAIT_KILLABLE_RECV": 5]
        #expect(SeccompFlag.allCases.count == flags.count)
        for (name, bit) in flags {
            #expect(SeccompFlag(rawValue: "SECCOMP_FILTER_FLAG_" + name)?.bit == 1 << UInt32(bit))
        }
    }

    @Test func architectures() {
        let names =
            "X86 X86_64 X32 ARM AARCH64 LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PPC PPC64"
            + " PPC64LE S390 S390X SH SHEB PARISC PARISC64 RISCV64"
        #expect(words(SeccompArchitecture.self) == names.split(separator: " ").map { "SCMP_ARCH_" + $0 }.sorted())
        #expect(SeccompArchitecture.x86_64.libseccompName == "x86_64")
        #expect(SeccompArchitecture.mipsel64n32.libseccompName == "mipsel64n32")
    }

    @Test(arguments: [
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward", NamespaceType.network),
        ("net/ipv4/ip_forward", "net/ipv4/ip_forward", .network),
        ("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding", .network),
        ("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding", .network),
        ("kernel.shmmax", "kernel/shmmax", .ipc), ("kernel/sem", "kernel/sem", .ipc),
        ("fs.mqueue.msg_max", "fs/mqueue/msg_max", .ipc), ("kernel.domainname", "kernel/domainname", .uts),
        ("user.max_user_namespaces", "user/max_user_namespaces", .user), ("vm.swappiness", "vm/swappiness", nil),
        ("kernel.shmmaxx", "kernel/shmmaxx", nil), ("fs.mqueue", "fs/mqueue", nil), ("net", "net", nil),
        ("network.x", "network/x", nil), ("kernel.pid_max", "kernel/pid_max", nil),
    ])
    func sysctl(name: String, path: String, namespace: NamespaceType?) {
        let parsed = SysctlName(name)
        #expect(parsed?.path == path)
        #expect(parsed?.namespace == namespace)
    }

    @Test(arguments: [
        "", ".", "net..x", "net/../kernel/x", "net/./x", "/net/x", "net.x.", "net.ipv4.//.//x", "net/", "../x",
    ])
    func sysctlsOutsideOfTheTree(name: String) {
        #expect(SysctlName(name) == nil)
    }

    @Test func numberLists() {
        #expect(NumberList(parsing: "0-3,7")?.ranges == [0...3, 7...7])
        #expect(NumberList(parsing: " 1 , 5 - 6 ,")?.ranges == [1...1, 5...6])
        #expect(NumberList(parsing: "")?.isEmpty == true)
        #expect(NumberList(parsing: "0-3,7")?.mask == [0x8f])
        #expect(NumberList(parsing: "63-64,130")?.mask == [1 << 63, 1, 4])
        #expect(NumberList(parsing: "")?.mask == [0])
        for wrong in ["3-1", "a", "1-", "-1", "1-2-3", "1 2", "65536", "99999999999999999999", "+1", "1;2"] {
            #expect(NumberList(parsing: wrong) == nil, "\(wrong)")
        }
    }
}
