import RuntimeSpec
import Testing

struct JSONTests {
    @Test func compact() {
        let document = JSON.object([
            .init("a", .null), .init("b", .array([.bool(true), .int(-1), .uint(.max), .array([]), .object([])])),
            .init("c", .string("x")),
        ])
        #expect(document.serialized() == #"{"a":null,"b":[true,-1,18446744073709551615,[],{}],"c":"x"}"#)
        #expect(document.bytes() == [UInt8](document.serialized().utf8))
    }

    @Test func indented() {
        let document = JSON.object([
            .init("a", .array([.int(1), .object([.init("b", .bool(false))])])), .init("c", .array([])),
        ])
        let expected = """
            {
              "a": [
                1,
                {
                  "b": false
                }
              ],
              "c": []
            }
            """
        #expect(document.serialized(indent: "  ") == expected)
    }

    @Test func strings() {
        #expect(
            JSON.string("\"\\/\n\r\t\u{0}\u{8}\u{1f}\u{7f}").serialized() == #""\"\\/\n\r\t\u0000\u0008\u001f\u007f""#)
        #expect(JSON.string("é😀\u{2028}").serialized() == "\"é😀\u{2028}\"")
        #expect(JSON.object([.init("a\"b", .null)]).serialized() == #"{"a\"b":null}"#)
    }

    /// What is written can be read back, whatever is in it.
    @Test func everyCharacterSurvives() throws {
        let text = String(String.UnicodeScalarView((1...0x250).map { Unicode.Scalar(UInt32($0))! })) + "😀\u{10ffff}"
        let decoded = try config("\"annotations\":" + JSON.map([KeyValue(text, text)]).serialized())
        #expect(decoded.annotations == [KeyValue(text, text)])
    }
}

struct StateTests {
    private let state = State(
        id: "c1", pid: 42, status: .running, bundle: "/b", rootfs: "/b/rootfs", created: "2026-01-02T03:04:05.678Z",
        annotations: [KeyValue("z", "1"), KeyValue("a", "2")], owner: "root")

    @Test func printed() {
        let expected = """
            {
              "ociVersion": "1.3.0",
              "id": "c1",
              "pid": 42,
              "status": "running",
              "bundle": "/b",
              "rootfs": "/b/rootfs",
              "created": "2026-01-02T03:04:05.678Z",
              "annotations": {
                "z": "1",
                "a": "2"
              },
              "owner": "root"
            }
            """
        #expect(state.json.serialized(indent: "  ") == expected)
    }

    @Test func stoppedHasAPidAndNoEmptyAnnotations() {
        let stopped = State(id: "c", pid: 0, status: .stopped, bundle: "/b", rootfs: "/r", created: "t", owner: "")
        #expect(
            stopped.json.serialized()
                == #"{"ociVersion":"1.3.0","id":"c","pid":0,"status":"stopped","bundle":"/b","rootfs":"/r","created":"t","owner":""}"#
        )
    }

    @Test func forHooks() {
        #expect(
            state.hookJSON.serialized()
                == #"{"ociVersion":"1.3.0","id":"c1","status":"running","pid":42,"bundle":"/b","annotations":{"z":"1","a":"2"}}"#
        )
    }

    @Test func forTheSeccompListener() {
        let state = State(id: "c", pid: 7, status: .creating, bundle: "/b")
        #expect(
            state.processStateJSON(descriptors: ["seccompFd"], process: 8, metadata: "m").serialized()
                == #"{"ociVersion":"1.3.0","fds":["seccompFd"],"pid":8,"metadata":"m","state":{"ociVersion":"1.3.0","id":"c","status":"creating","pid":7,"bundle":"/b"}}"#
        )
    }

    @Test func roundTrip() throws {
        #expect(try State.decode(state.json.bytes()) == state)
        let minimal = try State.decode(
            [UInt8](#"{"ociVersion":"0.2.0","id":"x","status":"stopped","bundle":"/b"}"#.utf8))
        #expect(minimal == State(ociVersion: "0.2.0", id: "x", pid: 0, status: .stopped, bundle: "/b"))
    }

    @Test(arguments: [
        (#"{"ociVersion":"1.0.0","id":"x","status":"stopped"}"#, "bundle: missing, it is required"),
        (
            #"{"ociVersion":"1.0.0","id":"x","status":"created","bundle":"/","pid":-1}"#,
            "pid: out of range: -1, expected at least 0"
        ),
        (
            #"{"ociVersion":"1.0.0","id":"x","status":"dead","bundle":"/"}"#,
            "status: unknown status \"dead\", expected one of creating, created, running, paused, stopped"
        ),
    ])
    func refused(text: String, expected: String) {
        #expect(message { () throws(SpecError) in try State.decode([UInt8](text.utf8)) } == expected)
    }
}

struct FeaturesTests {
    private let features = Features(
        capabilities: ["CAP_CHOWN"],
        cgroup: Features.Cgroup(v1: true, v2: true, systemd: true, systemdUser: false, rdma: true),
        seccomp: Features.SeccompSupport(architectures: [.x86_64, .aarch64], supportedFlags: [.tsync]), apparmor: true,
        selinux: false, intelRdt: Features.IntelRdtSupport(schemata: true, monitoring: false), memoryPolicy: true,
        idmapMounts: true, netDevices: true, annotations: [KeyValue("v", "1")],
        potentiallyUnsafeConfigAnnotations: ["a.b."])

    private func member(_ path: String...) -> JSON? {
        path.reduce(Optional(features.json)) { json, name in
            guard case .object(let members)? = json else { return nil }
            return members.first { $0.name == name }?.value
        }
    }

    @Test func topLevel() {
        guard case .object(let members) = features.json else { fatalError("not an object") }
        let names = ["ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations"]
        #expect(members.map(\.name) == names + ["potentiallyUnsafeConfigAnnotations"])
        #expect(member("ociVersionMin") == .string("1.0.0"))
        #expect(member("ociVersionMax") == .string("1.3.0"))
        #expect(member("annotations") == .object([.init("v", .string("1"))]))
        #expect(member("potentiallyUnsafeConfigAnnotations") == .strings(["a.b."]))
    }

    @Test func vocabulariesAreReported() {
        #expect(member("hooks") == .strings(HookName.allCases.map(\.rawValue)))
        guard case .array(let options)? = member("mountOptions") else { fatalError("no mount options") }
        for name in MountOptionsTests.specified { #expect(options.contains(.string(name)), "\(name)") }
        #expect(
            member("linux", "namespaces")
                == .strings(["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]))
        #expect(member("linux", "memoryPolicy", "modes") == .strings(MemoryPolicyMode.allCases.map(\.rawValue)))
        #expect(member("linux", "memoryPolicy", "flags") == .strings(MemoryPolicyFlag.allCases.map(\.rawValue)))
        #expect(member("linux", "seccomp", "actions") == .strings(SeccompAction.allCases.map(\.rawValue)))
        #expect(member("linux", "seccomp", "operators") == .strings(SeccompOperator.allCases.map(\.rawValue)))
        #expect(member("linux", "seccomp", "knownFlags") == .strings(SeccompFlag.allCases.map(\.rawValue)))
    }

    @Test func factsAreReported() {
        #expect(member("linux", "capabilities") == .strings(["CAP_CHOWN"]))
        #expect(member("linux", "cgroup", "systemdUser") == .bool(false))
        #expect(member("linux", "seccomp", "enabled") == .bool(true))
        #expect(member("linux", "seccomp", "archs") == .strings(["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"]))
        #expect(member("linux", "seccomp", "supportedFlags") == .strings(["SECCOMP_FILTER_FLAG_TSYNC"]))
        #expect(member("linux", "apparmor", "enabled") == .bool(true))
        #expect(member("linux", "selinux", "enabled") == .bool(false))
        #expect(member("linux", "intelRdt", "monitoring") == .bool(false))
        #expect(member("linux", "mountExtensions", "idmap", "enabled") == .bool(true))
        #expect(member("linux", "netDevices", "enabled") == .bool(true))
    }

    @Test func whatIsNotSupportedSaysSo() {
        var poor = features
        poor.seccomp = nil
        poor.intelRdt = nil
        poor.memoryPolicy = false
        let text = poor.json.serialized()
        #expect(text.contains(#""seccomp":{"enabled":false}"#))
        #expect(text.contains(#""intelRdt":{"enabled":false}"#))
        #expect(!text.contains("memoryPolicy"))
    }
}

struct ConfigEncodingTests {
    /// Every property set to something, so that one forgotten by the encoder or the decoder is missed here.
    static let full = Config(
        ociVersion: "1.3.0", root: Root(path: "r", readonly: true),
        mounts: [
            Mount(
                destination: "/d", type: "t", source: "s", options: ["ro"],
                uidMappings: [IDMapping(containerID: 1, hostID: 2, size: 3)],
                gidMappings: [IDMapping(containerID: 4, hostID: 5, size: 6)])
        ],
        process: Process(
            terminal: true, consoleSize: ConsoleSize(height: 1, width: 2),
            user: User(uid: 1, gid: 2, umask: 3, additionalGids: [4]), args: ["a"], env: ["E"], cwd: "/",
            capabilities: Capabilities(
                bounding: ["1"], effective: ["2"], inheritable: ["3"], permitted: [], ambient: ["5"]),
            rlimits: [Rlimit(type: .core, soft: 1, hard: .max)], noNewPrivileges: true, oomScoreAdj: -1,
            apparmorProfile: "ap", selinuxLabel: "se",
            scheduler: Scheduler(
                policy: .rr, nice: 1, priority: 2, flags: [.reclaim], runtime: 3, deadline: 4, period: 5),
            ioPriority: IOPriority(class: .idle, priority: 1),
            execCPUAffinity: ExecCPUAffinity(initial: "0", final: "1")),
        hostname: "h", domainname: "d",
        hooks: Hooks(
            prestart: [Hook(path: "/1", args: ["x"], env: [], timeout: 1)],
            createRuntime: [Hook(path: "/2", env: ["A"])],
            createContainer: [Hook(path: "/3")], startContainer: [Hook(path: "/4")], poststart: [Hook(path: "/5")],
            poststop: [Hook(path: "/6")]),
        linux: Linux(
            uidMappings: [IDMapping(containerID: 1, hostID: 2, size: 3)],
            gidMappings: [IDMapping(containerID: 4, hostID: 5, size: 6)],
            timeOffsets: [TimeOffset(clock: .boottime, secs: -1, nanosecs: 2)], sysctl: [KeyValue("k", "v")],
            resources: resources, cgroupsPath: "/c",
            namespaces: [Namespace(.pid), Namespace(.user, path: "/n")],
            devices: [
                Device(type: .block, path: "/d", major: 1, minor: 2, fileMode: 3, uid: 4, gid: 5),
                Device(type: .pipe, path: "/p"),
            ], netDevices: [NetDevice(hostName: "e0", name: "e1"), NetDevice(hostName: "e2")],
            seccomp: Seccomp(
                defaultAction: .errno, defaultErrnoRet: 1, architectures: [.x86], flags: [], listenerPath: "/l",
                listenerMetadata: "m",
                syscalls: [
                    SeccompSyscall(
                        names: ["n"], action: .trace, errnoRet: 2,
                        args: [SeccompArgument(index: 1, value: .max, valueTwo: 3, op: .maskedEqual)])
                ]), rootfsPropagation: .shared, maskedPaths: ["/m"], readonlyPaths: ["/r"], mountLabel: "l",
            intelRdt: IntelRdt(
                closID: "c", schemata: ["s"], l3CacheSchema: "l3", memBwSchema: "MB:", enableMonitoring: true),
            memoryPolicy: MemoryPolicy(mode: .bind, nodes: "0", flags: [.staticNodes]),
            personality: Personality(domain: .linux32, flags: ["f"])),
        annotations: [KeyValue("k", "v")])

    private static let resources = Resources(
        devices: [DeviceRule(allow: true, type: .block, major: 1, minor: 2, access: .read)],
        memory: Memory(
            limit: 1, reservation: 2, swap: 3, kernel: 4, kernelTCP: 5, swappiness: 6, disableOOMKiller: true,
            useHierarchy: false, checkBeforeUpdate: true),
        cpu: CPU(
            shares: 1, quota: 2, burst: 3, period: 4, realtimeRuntime: 5, realtimePeriod: 6, cpus: "0", mems: "1",
            idle: 1),
        pids: Pids(limit: 7),
        blockIO: BlockIO(
            weight: 1, leafWeight: 2, weightDevice: [WeightDevice(major: 1, minor: 2, weight: 3, leafWeight: 4)],
            throttleReadBpsDevice: [ThrottleDevice(major: 1, minor: 2, rate: 3)],
            throttleWriteBpsDevice: [ThrottleDevice(major: 4, minor: 5, rate: 6)],
            throttleReadIOPSDevice: [ThrottleDevice(major: 7, minor: 8, rate: 9)],
            throttleWriteIOPSDevice: [ThrottleDevice(major: 10, minor: 11, rate: .max)]),
        hugepageLimits: [HugepageLimit(pageSize: "2MB", limit: .max)],
        network: Network(classID: 1, priorities: [InterfacePriority(name: "e", priority: 2)]),
        rdma: [RDMA(device: "m", hcaHandles: 1, hcaObjects: 2)], unified: [KeyValue("u", "w")])

    @Test(arguments: [nil, "\t"])
    func roundTrip(indent: String?) throws {
        #expect(try Config.decode(Self.full.json.bytes(indent: indent)) == Self.full)
    }

    @Test func whatIsEmptyIsLeftOut() {
        #expect(Config(ociVersion: "1.3.0").json.serialized() == #"{"ociVersion":"1.3.0"}"#)
        #expect(Linux().json == .object([]))
        #expect(
            Process(cwd: "/").json.serialized() == #"{"user":{"uid":0,"gid":0},"cwd":"/"}"#)
    }
}

struct DefaultConfigTests {
    @Test func privileged() throws {
        let config = DefaultConfig.make(rootless: false, uid: 7, gid: 8)
        #expect(config.ociVersion == "1.0.2")
        #expect(config.linux?.namespaces.map(\.type) == [.pid, .network, .ipc, .uts, .mount])
        #expect(config.linux?.resources?.devices == [DeviceRule(allow: false)])
        #expect(config.linux?.uidMappings.isEmpty == true)
        #expect(
            config.mounts.map(\.destination) == [
                "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys", "/sys/fs/cgroup",
            ])
        #expect(config.process?.args == ["sh"])
        #expect(config.process?.noNewPrivileges == true)
        #expect(try Config.decode(config.json.bytes(indent: "\t")) == config)
    }

    @Test func rootless() throws {
        let config = DefaultConfig.make(rootless: true, uid: 7, gid: 8, unifiedCgroups: true)
        #expect(config.linux?.namespaces.map(\.type) == [.pid, .ipc, .uts, .mount, .cgroup, .user])
        #expect(config.linux?.uidMappings == [IDMapping(containerID: 0, hostID: 7, size: 1)])
        #expect(config.linux?.gidMappings == [IDMapping(containerID: 0, hostID: 8, size: 1)])
        #expect(config.linux?.resources == nil)
        #expect(!config.mounts.contains { $0.options.contains("gid=5") || $0.type == "sysfs" })
        #expect(try Config.decode(config.json.bytes(indent: "\t")) == config)
    }
}
