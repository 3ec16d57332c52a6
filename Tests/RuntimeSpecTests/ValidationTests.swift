import RuntimeSpec
import Testing

/// Each rule of `validate()`: a config that keeps it passes, one that breaks it is refused at the right path.
struct ValidationTests {
    @Test func aPlainConfigPasses() {
        #expect(complaint() == "")
        #expect(complaint { $0.process = nil } == "")
        #expect(complaint { $0.linux = nil } == "")
        #expect(complaint { $0 = DefaultConfig.make(rootless: false, uid: 0, gid: 0) } == "")
        #expect(complaint { $0 = DefaultConfig.make(rootless: true, uid: 1000, gid: 1000) } == "")
    }

    @Test func root() {
        #expect(complaint { $0.root = nil } == "root: missing, it is required on linux")
        #expect(complaint { $0.root?.path = "" } == "root.path: empty")
    }

    @Test func namesNeedANamespace() {
        let fix = "expected add {\"type\":\"uts\"} to linux.namespaces".dropFirst("expected ".count)
        #expect(complaint { $0.hostname = "h" } == "hostname: set without a uts namespace, \(fix)")
        #expect(complaint { $0.domainname = "d" } == "domainname: set without a uts namespace, \(fix)")
        let own: (inout Config) -> Void = { $0.linux?.namespaces = [Namespace(.uts)] }
        #expect(
            complaint {
                own(&$0); $0.hostname = "h"; $0.domainname = "d"
            } == "")
        #expect(
            complaint {
                $0.linux?.namespaces = [Namespace(.uts, path: "/n")]; $0.hostname = "h"
            } == "")
        #expect(
            complaint {
                own(&$0); $0.hostname = String(repeating: "x", count: 64)
            } == "")
        #expect(
            complaint {
                own(&$0); $0.hostname = String(repeating: "x", count: 65)
            }.hasPrefix("hostname: too long"))
    }

    @Test func mounts() {
        func refusal(_ mount: Mount, user: Bool = false) -> String {
            complaint {
                $0.mounts = [Mount(destination: "/ok"), mount]
                guard user else { return }
                $0.linux?.namespaces = [Namespace(.user)]
                $0.linux?.uidMappings = [IDMapping(containerID: 0, hostID: 1, size: 1)]
                $0.linux?.gidMappings = [IDMapping(containerID: 0, hostID: 1, size: 1)]
            }
        }
        let map = [IDMapping(containerID: 0, hostID: 1, size: 1)]
        #expect(refusal(Mount(destination: "relative")) == "")
        #expect(refusal(Mount(destination: "")) == "mounts[1].destination: empty")
        #expect(
            refusal(Mount(destination: "/a", options: ["rbind"])) == "mounts[1].source: missing, a bind mount needs one"
        )
        #expect(refusal(Mount(destination: "/a", options: ["bind", "remount", "ro"])) == "")
        #expect(refusal(Mount(destination: "/a", source: "/s", options: ["bind"])) == "")
        let together = "missing, uidMappings and gidMappings go together"
        #expect(refusal(Mount(destination: "/a", uidMappings: map)) == "mounts[1].gidMappings: " + together)
        #expect(refusal(Mount(destination: "/a", gidMappings: map)) == "mounts[1].uidMappings: " + together)
        #expect(refusal(Mount(destination: "/a", uidMappings: map, gidMappings: map)) == "")
        for option in ["idmap", "ridmap"] {
            let mount = Mount(destination: "/a", source: "/s", options: ["bind", option])
            #expect(refusal(mount).hasPrefix("mounts[1].options: an idmapped mount without a mapping"))
            #expect(refusal(mount, user: true) == "")
            var mapped = mount
            (mapped.uidMappings, mapped.gidMappings) = (map, map)
            #expect(refusal(mapped) == "")
        }
        #expect(
            refusal(Mount(destination: "/a", source: "/s", options: ["bind", "idmap=uids=0-1-1;gids=0-1-1"])) == "")
        #expect(
            refusal(Mount(destination: "/a", options: ["ro", "idmap=x"])).hasPrefix(
                "mounts[1].options[1]: not an id mapping"))
    }

    @Test func hooks() {
        for name in HookName.allCases {
            let text = complaint { config in
                let hooks = [Hook(path: "/ok"), Hook(path: "bin/x")]
                switch name {
                case .prestart: config.hooks.prestart = hooks
                case .createRuntime: config.hooks.createRuntime = hooks
                case .createContainer: config.hooks.createContainer = hooks
                case .startContainer: config.hooks.startContainer = hooks
                case .poststart: config.hooks.poststart = hooks
                case .poststop: config.hooks.poststop = hooks
                }
            }
            #expect(
                text == "hooks.\(name.rawValue)[1].path: not an absolute path: \"bin/x\", expected it to begin with /")
        }
        #expect(
            complaint { $0.hooks.poststop = [Hook(path: "/x", timeout: 0)] }.hasPrefix(
                "hooks.poststop[0].timeout: out of range"))
    }

    @Test func annotations() {
        #expect(complaint { $0.annotations = [KeyValue("a", "")] } == "")
        #expect(complaint { $0.annotations = [KeyValue("", "a")] } == "annotations: an empty key, expected a name")
    }

    @Test func namespaces() {
        #expect(
            complaint(linux: { $0.namespaces = NamespaceType.allCases.filter { $0 != .user }.map { Namespace($0) } })
                == "")
        #expect(
            complaint(linux: { $0.namespaces = [Namespace(.pid), Namespace(.ipc), Namespace(.pid, path: "/x")] })
                == "linux.namespaces[2].type: repeated: \"pid\", expected each type once")
        #expect(
            complaint(linux: { $0.namespaces = [Namespace(.pid, path: "x")] })
                == "linux.namespaces[0].path: not an absolute path: \"x\", expected it to begin with /")
    }

    @Test func mappings() {
        let map = [IDMapping(containerID: 0, hostID: 1000, size: 1)]
        #expect(complaint(linux: { $0.uidMappings = map }).hasPrefix("linux.uidMappings: set without a user namespace"))
        #expect(complaint(linux: { $0.gidMappings = map }).hasPrefix("linux.gidMappings: set without a user namespace"))
        func own(_ uids: [IDMapping], _ gids: [IDMapping], path: String? = nil) -> String {
            complaint {
                $0.linux?.namespaces = [Namespace(.user, path: path)]
                $0.linux?.uidMappings = uids
                $0.linux?.gidMappings = gids
            }
        }
        #expect(own(map, map) == "")
        #expect(own([], [], path: "/n") == "")
        #expect(own(map, map, path: "/n") == "")
        #expect(own([], map) == "linux.uidMappings: missing, a new user namespace needs it")
        #expect(own(map, []) == "linux.gidMappings: missing, a new user namespace needs it")
        #expect(
            own(map, [IDMapping(containerID: 0, hostID: 0, size: 0)]).hasPrefix(
                "linux.gidMappings[0].size: out of range: 0"))
        #expect(own([IDMapping(containerID: 0, hostID: 0, size: .max)], map) == "")
        #expect(
            own([IDMapping(containerID: 0, hostID: 1, size: .max)], map).hasPrefix(
                "linux.uidMappings[0].size: out of range"))
    }

    @Test func timeOffsets() {
        func refusal(_ offset: TimeOffset, _ namespaces: [Namespace]) -> String {
            complaint {
                $0.linux?.timeOffsets = [offset]
                $0.linux?.namespaces = namespaces
            }
        }
        let offset = TimeOffset(clock: .boottime, secs: 1, nanosecs: 999_999_999)
        #expect(refusal(offset, [Namespace(.time)]) == "")
        #expect(refusal(offset, []).hasPrefix("linux.timeOffsets.boottime: set without a new time namespace"))
        #expect(
            refusal(offset, [Namespace(.time, path: "/n")]).hasPrefix("linux.timeOffsets.boottime: set without a new"))
        let late = TimeOffset(clock: .monotonic, nanosecs: 1_000_000_000)
        #expect(refusal(late, [Namespace(.time)]).hasPrefix("linux.timeOffsets.monotonic.nanosecs: out of range"))
    }

    @Test(arguments: [
        ("net.ipv4.ip_forward", NamespaceType.network), ("net/ipv4/ip_forward", .network), ("kernel.shmmax", .ipc),
        ("fs/mqueue/msg_max", .ipc), ("kernel.domainname", .uts), ("user.max_net_namespaces", .user),
    ])
    func sysctlsNeedTheirNamespace(name: String, type: NamespaceType) {
        func refusal(_ namespaces: [Namespace]) -> String {
            complaint {
                $0.linux?.sysctl = [KeyValue(name, "1")]
                $0.linux?.namespaces = namespaces
            }
        }
        #expect(refusal([Namespace(type, path: "/n")]) == "")
        #expect(
            refusal([Namespace(type == .ipc ? .network : .ipc)]).hasPrefix(
                "linux.sysctl[\"\(name)\"]: set without a namespace of type \(type.rawValue), it would change the host")
        )
    }

    @Test(arguments: [
        ("vm.swappiness", "not a parameter of a namespace"), ("kernel/core_pattern", "not a parameter of a namespace"),
        ("kernel.hostname", "in conflict with hostname"), ("kernel/hostname", "in conflict with hostname"),
        ("net/../kernel/core_pattern", "not the name of a kernel parameter"),
        ("net.ipv4.//.//.kernel", "not the name of a kernel parameter"),
    ])
    func sysctlsOfTheHost(name: String, problem: String) {
        let text = complaint {
            $0.linux?.sysctl = [KeyValue(name, "1")]
            $0.linux?.namespaces = [NamespaceType.network, .ipc, .uts, .pid, .mount].map { Namespace($0) }
        }
        #expect(text.hasPrefix("linux.sysctl[\"\(name)\"]: \(problem)"))
    }

    @Test func paths() {
        #expect(
            complaint(linux: { $0.maskedPaths = ["/a", "b"] }).hasPrefix("linux.maskedPaths[1]: not an absolute path"))
        #expect(
            complaint(linux: { $0.readonlyPaths = ["a"] }).hasPrefix("linux.readonlyPaths[0]: not an absolute path"))
        #expect(complaint(linux: { $0.cgroupsPath = "/a/../../b" }).hasPrefix("linux.cgroupsPath: leads upwards"))
        for fine in ["/a/b", "a..b/c", "system.slice:swrun:id"] {
            #expect(complaint(linux: { $0.cgroupsPath = fine }) == "")
        }
    }

    @Test func devices() {
        func refusal(_ device: Device) -> String { complaint(linux: { $0.devices = [device] }) }
        #expect(refusal(Device(type: .character, path: "/dev/x", major: 10, minor: 229, fileMode: 0o20666)) == "")
        #expect(refusal(Device(type: .pipe, path: "/x")) == "")
        #expect(
            refusal(Device(type: .character, path: "dev/x", major: 1, minor: 1)).hasPrefix("linux.devices[0].path: not")
        )
        #expect(
            refusal(Device(type: .block, path: "/x", minor: 1))
                == "linux.devices[0].major: missing, a device node needs it")
        #expect(refusal(Device(type: .unbuffered, path: "/x", major: 1)).hasPrefix("linux.devices[0].minor: missing"))
        #expect(
            refusal(Device(type: .block, path: "/x", major: 4096, minor: 1)).hasPrefix(
                "linux.devices[0].major: out of range"))
        #expect(
            refusal(Device(type: .block, path: "/x", major: 1, minor: -1)).hasPrefix(
                "linux.devices[0].minor: out of range"))
        #expect(
            refusal(Device(type: .pipe, path: "/x", fileMode: 0o1000000)).hasPrefix(
                "linux.devices[0].fileMode: out of range"))
    }

    @Test func netDevices() {
        func refusal(_ devices: [NetDevice], _ namespaces: [Namespace] = [Namespace(.network)]) -> String {
            complaint {
                $0.linux?.netDevices = devices
                $0.linux?.namespaces = namespaces
            }
        }
        #expect(refusal([NetDevice(hostName: "eth0"), NetDevice(hostName: "eth1", name: "lan0")]) == "")
        #expect(refusal([NetDevice(hostName: "a", name: "e%d"), NetDevice(hostName: "b", name: "e%d")]) == "")
        #expect(
            refusal([NetDevice(hostName: "eth0")], []).hasPrefix(
                "linux.netDevices[\"eth0\"]: set without a network namespace"))
        for name in ["", ".", "..", "a/b", "a b", "a:b", "a\tb", "sixteencharacter", "e%d%d", "e%s", "%"] {
            #expect(
                refusal([NetDevice(hostName: "eth0", name: name)]).hasPrefix("linux.netDevices[\"eth0\"].name: not"),
                "\(name)")
        }
        #expect(refusal([NetDevice(hostName: "a/b")]).hasPrefix("linux.netDevices[\"a/b\"]: not the name"))
        #expect(refusal([NetDevice(hostName: "e%d")]).hasPrefix("linux.netDevices[\"e%d\"]: not the name"))
        let twice = [NetDevice(hostName: "a", name: "x"), NetDevice(hostName: "b", name: "x")]
        #expect(refusal(twice) == "linux.netDevices[\"b\"].name: repeated: \"x\", expected each name once")
        #expect(refusal([NetDevice(hostName: "x"), NetDevice(hostName: "b", name: "x")]).contains("repeated"))
        #expect(refusal([NetDevice(hostName: "b", name: "x"), NetDevice(hostName: "x")]).contains("repeated"))
    }

    @Test func intelRdt() {
        func refusal(_ rdt: IntelRdt) -> String { complaint(linux: { $0.intelRdt = rdt }) }
        #expect(
            refusal(IntelRdt(closID: "/", schemata: ["L3:0=f"], l3CacheSchema: "L3:0=f", memBwSchema: "MB:0=1")) == "")
        for id in [".", "..", "a/b", "/a"] {
            #expect(refusal(IntelRdt(closID: id)).hasPrefix("linux.intelRdt.closID: not"))
        }
        #expect(refusal(IntelRdt(schemata: ["a", "b\nc"])).hasPrefix("linux.intelRdt.schemata[1]: more than one line"))
        #expect(refusal(IntelRdt(l3CacheSchema: "L3:\n")).hasPrefix("linux.intelRdt.l3CacheSchema: more than one line"))
    }

    @Test func memoryPolicy() {
        func refusal(_ policy: MemoryPolicy) -> String { complaint(linux: { $0.memoryPolicy = policy }) }
        for mode in [MemoryPolicyMode.bind, .interleave, .weightedInterleave, .preferredMany] {
            #expect(refusal(MemoryPolicy(mode: mode, nodes: "0-1")) == "")
            #expect(refusal(MemoryPolicy(mode: mode)).hasPrefix("linux.memoryPolicy.nodes: missing"))
            #expect(refusal(MemoryPolicy(mode: mode, nodes: ",")).hasPrefix("linux.memoryPolicy.nodes: missing"))
        }
        for mode in [MemoryPolicyMode.default, .local] {
            #expect(refusal(MemoryPolicy(mode: mode)) == "")
            #expect(refusal(MemoryPolicy(mode: mode, nodes: "0")).hasPrefix("linux.memoryPolicy.nodes: set with"))
        }
        #expect(refusal(MemoryPolicy(mode: .preferred)) == "")
        #expect(refusal(MemoryPolicy(mode: .preferred, nodes: "0", flags: [.staticNodes])) == "")
        #expect(
            refusal(MemoryPolicy(mode: .preferred, flags: [.staticNodes])).hasPrefix(
                "linux.memoryPolicy.flags: flags about"))
        #expect(refusal(MemoryPolicy(mode: .bind, nodes: "x")).hasPrefix("linux.memoryPolicy.nodes: not a list"))
        #expect(refusal(MemoryPolicy(mode: .bind, nodes: "0", flags: [.numaBalancing])) == "")
        #expect(
            refusal(MemoryPolicy(mode: .interleave, nodes: "0", flags: [.numaBalancing])).contains(
                "MPOL_F_NUMA_BALANCING with"))
        #expect(refusal(MemoryPolicy(mode: .bind, nodes: "0", flags: [.staticNodes, .relativeNodes])).contains("both"))
    }

    @Test func personality() {
        #expect(complaint(linux: { $0.personality = Personality(domain: .linux32) }) == "")
        #expect(
            complaint(linux: { $0.personality = Personality(domain: .linux, flags: ["ADDR_NO_RANDOMIZE"]) })
                == "linux.personality.flags[0]: unknown flag \"ADDR_NO_RANDOMIZE\", the specification supports none")
    }
}

struct SeccompValidationTests {
    private func refusal(_ seccomp: Seccomp) -> String { complaint(linux: { $0.seccomp = seccomp }) }

    private func refusal(rule: SeccompSyscall) -> String {
        refusal(Seccomp(defaultAction: .allow, syscalls: [SeccompSyscall(names: ["a"], action: .allow), rule]))
    }

    @Test(arguments: SeccompAction.allCases)
    func errnoGoesWithTwoActions(action: SeccompAction) {
        let rule = refusal(rule: SeccompSyscall(names: ["x"], action: action, errnoRet: 1))
        let byDefault = refusal(Seccomp(defaultAction: action, defaultErrnoRet: 1))
        if action == .errno || action == .trace {
            #expect(rule == "" && byDefault == "")
        } else {
            let problem = "set with \(action.rawValue): 1, it goes with SCMP_ACT_ERRNO and SCMP_ACT_TRACE only"
            #expect(rule == "linux.seccomp.syscalls[1].errnoRet: " + problem)
            #expect(byDefault == "linux.seccomp.defaultErrnoRet: " + problem)
        }
    }

    @Test func others() {
        #expect(
            refusal(rule: SeccompSyscall(names: ["x"], action: .errno, errnoRet: 65536)).contains("out of range: 65536")
        )
        #expect(
            refusal(rule: SeccompSyscall(names: [], action: .errno)).hasPrefix("linux.seccomp.syscalls[1].names: empty")
        )
        #expect(refusal(Seccomp(defaultAction: .notify)) == "")
        #expect(refusal(rule: SeccompSyscall(names: ["open", "write"], action: .notify)) == "")
        let metadata = Seccomp(defaultAction: .allow, listenerMetadata: "m")
        #expect(refusal(metadata) == "linux.seccomp.listenerMetadata: set without listenerPath")
        #expect(refusal(Seccomp(defaultAction: .allow, listenerPath: "/l", listenerMetadata: "m")) == "")
        let sixth = SeccompArgument(index: 6, value: 0, op: .equal)
        #expect(
            refusal(rule: SeccompSyscall(names: ["x"], action: .log, args: [sixth]))
                == "linux.seccomp.syscalls[1].args[0].index: out of range: 6, expected 0 to 5")
    }
}

struct ProcessValidationTests {
    private func refusal(_ change: (inout RuntimeSpec.Process) -> Void) -> String {
        complaint { change(&$0.process!) }
    }

    @Test func basics() {
        #expect(refusal { $0.cwd = "tmp" }.hasPrefix("process.cwd: not an absolute path: \"tmp\""))
        #expect(refusal { $0.cwd = "" }.hasPrefix("process.cwd: not an absolute path"))
        #expect(refusal { $0.args = [] } == "process.args: empty, expected the program to run")
        #expect(refusal { $0.args = ["", "x"] }.hasPrefix("process.args[0]: empty"))
        #expect(refusal { $0.oomScoreAdj = -1000 } == "")
        #expect(refusal { $0.oomScoreAdj = 1001 }.hasPrefix("process.oomScoreAdj: out of range: 1001"))
        #expect(refusal { $0.user.uid = .max }.hasPrefix("process.user.uid: out of range"))
        #expect(
            refusal { $0.user.additionalGids = [1, .max] }.hasPrefix("process.user.additionalGids[1]: out of range"))
    }

    @Test func theDocumentOfExec() throws {
        let error = failure { () throws(SpecError) in
            let process = try process("\"rlimits\":[]")
            var broken = process
            broken.cwd = "x"
            try broken.validate()
        }
        #expect(error?.path == "cwd")
    }

    @Test func consoleSizeCountsWithATerminalOnly() {
        #expect(refusal { $0.consoleSize = ConsoleSize(height: 70000, width: 1) } == "")
        #expect(
            refusal {
                $0.terminal = true
                $0.consoleSize = ConsoleSize(height: 70000, width: 1)
            }.hasPrefix("process.consoleSize: out of range: 70000x1"))
    }

    @Test func rlimits() {
        #expect(
            refusal { $0.rlimits = [Rlimit(type: .core, soft: 1, hard: 1), Rlimit(type: .cpu, soft: 1, hard: 1)] } == ""
        )
        #expect(
            refusal { $0.rlimits = [Rlimit(type: .core, soft: 1, hard: 1), Rlimit(type: .core, soft: 2, hard: 2)] }
                == "process.rlimits[1].type: repeated: \"RLIMIT_CORE\", expected each type once")
        #expect(
            refusal { $0.rlimits = [Rlimit(type: .core, soft: 2, hard: 1)] }
                == "process.rlimits[0].soft: above the hard limit of RLIMIT_CORE: 2, expected at most 1")
    }

    @Test(arguments: [
        (Scheduler(policy: .other, nice: 19), ""), (Scheduler(policy: .other, nice: 20), "nice"),
        (Scheduler(policy: .batch, nice: -21), "nice"), (Scheduler(policy: .other, priority: 1), "priority"),
        (Scheduler(policy: .fifo, priority: 99), ""), (Scheduler(policy: .fifo), "priority"),
        (Scheduler(policy: .rr, priority: 100), "priority"), (Scheduler(policy: .rr, flags: [.keepParams]), ""),
        (Scheduler(policy: .idle, runtime: 1), "runtime"),
        (Scheduler(policy: .fifo, priority: 1, deadline: 1), "deadline"),
        (Scheduler(policy: .other, period: 1), "period"),
        (Scheduler(policy: .deadline, runtime: 1, deadline: 2, period: 3), ""),
        (Scheduler(policy: .deadline, runtime: 1, deadline: 2), ""),
        (Scheduler(policy: .deadline, priority: 1, runtime: 1, deadline: 2), "priority"),
    ])
    func scheduler(scheduler: Scheduler, member: String) {
        let text = refusal { $0.scheduler = scheduler }
        if member.isEmpty { #expect(text == "") } else { #expect(text.hasPrefix("process.scheduler.\(member): ")) }
    }

    @Test(arguments: [
        Scheduler(policy: .deadline), Scheduler(policy: .deadline, runtime: 2, deadline: 1),
        Scheduler(policy: .deadline, runtime: 1, deadline: 3, period: 2),
    ])
    func deadlines(scheduler: Scheduler) {
        #expect(refusal { $0.scheduler = scheduler }.hasPrefix("process.scheduler: times that do not fit"))
    }

    @Test func priorities() {
        #expect(refusal { $0.ioPriority = IOPriority(class: .bestEffort, priority: 7) } == "")
        for priority in [-1, 8] as [Int32] {
            #expect(
                refusal { $0.ioPriority = IOPriority(class: .idle, priority: priority) }
                    == "process.ioPriority.priority: out of range: \(priority), expected 0 to 7")
        }
    }

    @Test func affinity() {
        #expect(refusal { $0.execCPUAffinity = ExecCPUAffinity(initial: "0-3, 7", final: "") } == "")
        #expect(
            refusal { $0.execCPUAffinity = ExecCPUAffinity(initial: "3-0") }.hasPrefix(
                "process.execCPUAffinity.initial: not"))
        #expect(
            refusal { $0.execCPUAffinity = ExecCPUAffinity(final: "-") }.hasPrefix("process.execCPUAffinity.final: not")
        )
    }
}

struct ResourcesValidationTests {
    private func refusal(_ resources: Resources) -> String { complaint(linux: { $0.resources = resources }) }

    @Test func memory() {
        #expect(refusal(Resources(memory: Memory(limit: -1, reservation: 0, swap: -1, swappiness: 100))) == "")
        #expect(
            refusal(Resources(memory: Memory(limit: -2))).hasPrefix("linux.resources.memory.limit: out of range: -2"))
        #expect(
            refusal(Resources(memory: Memory(kernelTCP: -2))).hasPrefix(
                "linux.resources.memory.kernelTCP: out of range"))
        #expect(
            refusal(Resources(memory: Memory(swappiness: 101))).hasPrefix("linux.resources.memory.swappiness: out of"))
        #expect(
            refusal(Resources(memory: Memory(limit: 2, swap: 1))).hasPrefix(
                "linux.resources.memory.swap: below memory.limit: 1"))
        #expect(refusal(Resources(memory: Memory(limit: 2, swap: 2))) == "")
        #expect(refusal(Resources(memory: Memory(limit: 2, swap: 0))) == "")
    }

    @Test func cpuAndPids() {
        #expect(refusal(Resources(cpu: CPU(quota: 10, burst: 10, idle: 1))) == "")
        #expect(refusal(Resources(cpu: CPU(quota: -1, burst: 10))) == "")
        #expect(
            refusal(Resources(cpu: CPU(quota: 9, burst: 10))).hasPrefix(
                "linux.resources.cpu.burst: above cpu.quota: 10"))
        #expect(refusal(Resources(cpu: CPU(idle: 2))).hasPrefix("linux.resources.cpu.idle: out of range"))
        #expect(refusal(Resources(pids: Pids(limit: 0))) == "")
        #expect(refusal(Resources(pids: Pids(limit: -2))).hasPrefix("linux.resources.pids.limit: out of range"))
    }

    @Test func entriesThatSayNothing() {
        #expect(
            refusal(Resources(blockIO: BlockIO(weightDevice: [WeightDevice(major: 8, minor: 0)])))
                .hasPrefix("linux.resources.blockIO.weightDevice[0]: neither"))
        #expect(refusal(Resources(rdma: [RDMA(device: "mlx")])).hasPrefix("linux.resources.rdma[\"mlx\"]: neither"))
    }

    @Test func unifiedNamesAreFiles() {
        #expect(refusal(Resources(unified: [KeyValue("memory.max", "1")])) == "")
        for name in ["", ".", "..", "../x", "a/b"] {
            #expect(refusal(Resources(unified: [KeyValue(name, "1")])).contains("not a file of a cgroup"))
        }
    }

    @Test func deviceRules() {
        #expect(refusal(Resources(devices: [DeviceRule(allow: true, major: -1, minor: -1)])) == "")
        #expect(
            refusal(Resources(devices: [DeviceRule(allow: true, major: 1, minor: -2)])).hasPrefix(
                "linux.resources.devices[0]"))
    }

    @Test func theDocumentOfUpdate() {
        let error = failure { () throws(SpecError) in try Resources(pids: Pids(limit: -5)).validate() }
        #expect(error?.path == "pids.limit")
    }
}
