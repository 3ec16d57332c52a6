import RuntimeSpec
import Testing

/// Every property of a config.json ends up where it belongs.
struct ConfigDecodingTests {
    @Test func smallest() throws {
        #expect(try config("") == Config(ociVersion: "1.3.0"))
    }

    @Test func topLevel() throws {
        let decoded = try config(
            """
            "root":{"path":"/r","readonly":true},"hostname":"h","domainname":"d","annotations":{"z":"1","a":"","m":"2"},
            "mounts":[{"destination":"/a","type":"bind","source":"/s","options":["rbind","ro"],
              "uidMappings":[{"containerID":1,"hostID":2,"size":3}],"gidMappings":[{"containerID":4,"hostID":5,"size":6}]},
              {"destination":"b"}]
            """)
        let expected = Config(
            ociVersion: "1.3.0", root: Root(path: "/r", readonly: true),
            mounts: [
                Mount(
                    destination: "/a", type: "bind", source: "/s", options: ["rbind", "ro"],
                    uidMappings: [IDMapping(containerID: 1, hostID: 2, size: 3)],
                    gidMappings: [IDMapping(containerID: 4, hostID: 5, size: 6)]), Mount(destination: "b"),
            ], hostname: "h", domainname: "d",
            annotations: [KeyValue("z", "1"), KeyValue("a", ""), KeyValue("m", "2")])
        #expect(decoded == expected)
        #expect(decoded.annotations["m"] == "2")
        #expect(decoded.annotations["x"] == nil)
    }

    @Test func hooks() throws {
        let decoded = try config(
            """
            "hooks":{"prestart":[{"path":"/1"}],"createRuntime":[{"path":"/2","args":["x","y"]}],
            "createContainer":[{"path":"/3","env":[]}],"startContainer":[{"path":"/4","env":["A=1"]}],
            "poststart":[{"path":"/5","timeout":1}],"poststop":[{"path":"/6"},{"path":"/7"}]}
            """
        ).hooks
        #expect(decoded.prestart == [Hook(path: "/1")])
        #expect(decoded.createRuntime == [Hook(path: "/2", args: ["x", "y"])])
        #expect(decoded.createContainer == [Hook(path: "/3", env: [])])
        #expect(decoded.startContainer == [Hook(path: "/4", env: ["A=1"])])
        #expect(decoded.poststart == [Hook(path: "/5", timeout: 1)])
        #expect(decoded.poststop == [Hook(path: "/6"), Hook(path: "/7")])
        #expect(HookName.allCases.map { decoded[$0].count } == [1, 1, 1, 1, 1, 2])
    }

    @Test func processMembers() throws {
        let decoded = try process(
            """
            "terminal":true,"consoleSize":{"height":25,"width":80},
            "user":{"uid":1,"gid":2,"umask":18,"additionalGids":[3,4294967295]},"env":["A=1","B"],
            "capabilities":{"bounding":["CAP_KILL"],"effective":[],"inheritable":["X"],"permitted":["Y"],"ambient":["Z"]},
            "rlimits":[{"type":"RLIMIT_NOFILE","soft":1,"hard":2}],"noNewPrivileges":true,"oomScoreAdj":-5,
            "apparmorProfile":"p","selinuxLabel":"l","ioPriority":{"class":"IOPRIO_CLASS_BE","priority":4},
            "scheduler":{"policy":"SCHED_DEADLINE","nice":-1,"priority":2,"flags":["SCHED_FLAG_RECLAIM"],
              "runtime":3,"deadline":4,"period":5},"execCPUAffinity":{"initial":"0-3, 7","final":""}
            """)
        let expected = Process(
            terminal: true, consoleSize: ConsoleSize(height: 25, width: 80),
            user: User(uid: 1, gid: 2, umask: 18, additionalGids: [3, .max]), args: ["sh"], env: ["A=1", "B"], cwd: "/",
            capabilities: Capabilities(
                bounding: ["CAP_KILL"], effective: [], inheritable: ["X"], permitted: ["Y"], ambient: ["Z"]),
            rlimits: [Rlimit(type: .nofile, soft: 1, hard: 2)], noNewPrivileges: true, oomScoreAdj: -5,
            apparmorProfile: "p", selinuxLabel: "l",
            scheduler: Scheduler(
                policy: .deadline, nice: -1, priority: 2, flags: [.reclaim], runtime: 3, deadline: 4, period: 5),
            ioPriority: IOPriority(class: .bestEffort, priority: 4),
            execCPUAffinity: ExecCPUAffinity(initial: "0-3, 7", final: ""))
        #expect(decoded == expected)
    }

    @Test func linuxMembers() throws {
        let decoded = try linux(
            """
            "uidMappings":[{"containerID":0,"hostID":1000,"size":1}],"gidMappings":[{"containerID":0,"hostID":9,"size":2}],
            "timeOffsets":{"monotonic":{"secs":-1,"nanosecs":2},"boottime":{}},"sysctl":{"net.b":"1","net.a":"2"},
            "cgroupsPath":"/c","namespaces":[{"type":"pid"},{"type":"network","path":"/n"},{"type":"time","path":""}],
            "devices":[{"type":"c","path":"/dev/x","major":10,"minor":229,"fileMode":438,"uid":1,"gid":2},
              {"type":"p","path":"/p"}],"netDevices":{"eth1":{"name":"e%d"},"eth0":{}},
            "rootfsPropagation":"slave","maskedPaths":["/m"],"readonlyPaths":["/r"],"mountLabel":"l",
            "intelRdt":{"closID":"/","schemata":["L3:0=f"],"l3CacheSchema":"L3:0=7","memBwSchema":"MB:0=20",
              "enableMonitoring":true},
            "memoryPolicy":{"mode":"MPOL_BIND","nodes":"0-1","flags":["MPOL_F_STATIC_NODES"]},
            "personality":{"domain":"LINUX32","flags":[]}
            """)
        let expected = Linux(
            uidMappings: [IDMapping(containerID: 0, hostID: 1000, size: 1)],
            gidMappings: [IDMapping(containerID: 0, hostID: 9, size: 2)],
            timeOffsets: [TimeOffset(clock: .monotonic, secs: -1, nanosecs: 2), TimeOffset(clock: .boottime)],
            sysctl: [KeyValue("net.b", "1"), KeyValue("net.a", "2")], cgroupsPath: "/c",
            namespaces: [Namespace(.pid), Namespace(.network, path: "/n"), Namespace(.time)],
            devices: [
                Device(type: .character, path: "/dev/x", major: 10, minor: 229, fileMode: 438, uid: 1, gid: 2),
                Device(type: .pipe, path: "/p"),
            ], netDevices: [NetDevice(hostName: "eth1", name: "e%d"), NetDevice(hostName: "eth0")],
            rootfsPropagation: .slave, maskedPaths: ["/m"], readonlyPaths: ["/r"], mountLabel: "l",
            intelRdt: IntelRdt(
                closID: "/", schemata: ["L3:0=f"], l3CacheSchema: "L3:0=7", memBwSchema: "MB:0=20",
                enableMonitoring: true),
            memoryPolicy: MemoryPolicy(mode: .bind, nodes: "0-1", flags: [.staticNodes]),
            personality: Personality(domain: .linux32))
        #expect(decoded == expected)
        #expect(decoded.namespaces[.network]?.path == "/n")
        #expect(decoded.namespaces[.user] == nil)
    }

    @Test func resources() throws {
        let decoded = try Resources.decode(
            [UInt8](
                """
                {"devices":[{"allow":false},{"allow":true,"type":"c","major":1,"minor":-1,"access":"rm"},
                  {"allow":true,"type":"","access":""}],
                "memory":{"limit":-1,"reservation":1,"swap":2,"kernel":3,"kernelTCP":4,"swappiness":5,
                  "disableOOMKiller":false,"useHierarchy":true,"checkBeforeUpdate":true},
                "cpu":{"shares":1,"quota":-1,"burst":3,"period":4,"realtimeRuntime":5,"realtimePeriod":6,"cpus":"0-3",
                  "mems":"0","idle":1},"pids":{"limit":0},
                "blockIO":{"weight":10,"leafWeight":11,"weightDevice":[{"major":8,"minor":0,"weight":12,"leafWeight":13}],
                  "throttleReadBpsDevice":[{"major":8,"minor":1,"rate":1}],
                  "throttleWriteBpsDevice":[{"major":8,"minor":2,"rate":2}],
                  "throttleReadIOPSDevice":[{"major":8,"minor":3,"rate":3}],
                  "throttleWriteIOPSDevice":[{"major":8,"minor":4,"rate":18446744073709551615}]},
                "hugepageLimits":[{"pageSize":"64KB","limit":1}],
                "network":{"classID":1048577,"priorities":[{"name":"eth0","priority":500}]},
                "rdma":{"mlx":{"hcaHandles":3},"rxe":{"hcaObjects":4}},"unified":{"memory.high":"1","cpu.max":"max"}}
                """.utf8))
        let expected = Resources(
            devices: [
                DeviceRule(allow: false),
                DeviceRule(allow: true, type: .character, major: 1, minor: -1, access: [.read, .mknod]),
                DeviceRule(allow: true),
            ],
            memory: Memory(
                limit: -1, reservation: 1, swap: 2, kernel: 3, kernelTCP: 4, swappiness: 5, disableOOMKiller: false,
                useHierarchy: true, checkBeforeUpdate: true),
            cpu: CPU(
                shares: 1, quota: -1, burst: 3, period: 4, realtimeRuntime: 5, realtimePeriod: 6, cpus: "0-3",
                mems: "0", idle: 1), pids: Pids(limit: 0),
            blockIO: BlockIO(
                weight: 10, leafWeight: 11,
                weightDevice: [WeightDevice(major: 8, minor: 0, weight: 12, leafWeight: 13)],
                throttleReadBpsDevice: [ThrottleDevice(major: 8, minor: 1, rate: 1)],
                throttleWriteBpsDevice: [ThrottleDevice(major: 8, minor: 2, rate: 2)],
                throttleReadIOPSDevice: [ThrottleDevice(major: 8, minor: 3, rate: 3)],
                throttleWriteIOPSDevice: [ThrottleDevice(major: 8, minor: 4, rate: .max)]),
            hugepageLimits: [HugepageLimit(pageSize: "64KB", limit: 1)],
            network: Network(classID: 1_048_577, priorities: [InterfacePriority(name: "eth0", priority: 500)]),
            rdma: [RDMA(device: "mlx", hcaHandles: 3), RDMA(device: "rxe", hcaObjects: 4)],
            unified: [KeyValue("memory.high", "1"), KeyValue("cpu.max", "max")])
        #expect(decoded == expected)
    }

    @Test func seccomp() throws {
        let decoded = try linux(
            """
            "seccomp":{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"architectures":["SCMP_ARCH_X86_64"],
            "flags":[],"listenerPath":"/l","listenerMetadata":"m","syscalls":[{"names":["a","b"],"action":"SCMP_ACT_ALLOW",
            "args":[{"index":1,"value":18446744073709551615,"valueTwo":2,"op":"SCMP_CMP_MASKED_EQ"}]},
            {"names":["c"],"action":"SCMP_ACT_TRACE","errnoRet":1}]}
            """
        ).seccomp
        let expected = Seccomp(
            defaultAction: .errno, defaultErrnoRet: 38, architectures: [.x86_64], flags: [], listenerPath: "/l",
            listenerMetadata: "m",
            syscalls: [
                SeccompSyscall(
                    names: ["a", "b"], action: .allow,
                    args: [SeccompArgument(index: 1, value: .max, valueTwo: 2, op: .maskedEqual)]),
                SeccompSyscall(names: ["c"], action: .trace, errnoRet: 1),
            ])
        #expect(decoded == expected)
        // Absent flags leave the choice to the runtime.
        #expect(try linux("\"seccomp\":{\"defaultAction\":\"SCMP_ACT_KILL\"}").seccomp?.flags == nil)
    }

    @Test func nullIsAbsent() throws {
        let decoded = try config(
            """
            "root":null,"mounts":null,"process":{"cwd":"/","args":null,"user":null,"capabilities":null,"oomScoreAdj":null},
            "hooks":null,"annotations":null,"hostname":null,"linux":{"namespaces":null,"seccomp":null,"resources":
            {"pids":{"limit":null},"memory":null,"rdma":null}}
            """)
        let expected = Config(
            ociVersion: "1.3.0", process: Process(cwd: "/"), linux: Linux(resources: Resources(pids: Pids())))
        #expect(decoded == expected)
    }

    @Test func unknownPropertiesAreIgnored() throws {
        let decoded = try config("\"future\":{\"a\":[1,null,\"x\"]},\"root\":{\"path\":\"r\",\"flavour\":7}")
        #expect(decoded.root == Root(path: "r"))
    }

    @Test func emptyStringsThatMeanNothing() throws {
        let decoded = try config(
            "\"hostname\":\"\",\"domainname\":\"\",\"process\":{\"cwd\":\"/\",\"apparmorProfile\":\"\",\"selinuxLabel\":\"\"},"
                + "\"linux\":{\"cgroupsPath\":\"\",\"mountLabel\":\"\"}")
        #expect(decoded == Config(ociVersion: "1.3.0", process: Process(cwd: "/"), linux: Linux()))
    }
}
