import RuntimeSpec
import Testing

@testable import ContainerRuntime

/// What is written for each property, on v1 and on v2.
struct ControlWritesTests {
    /// "property: file=text", with alternatives after "|" and a "?" for what a kernel without the file does anyway.
    private func lines(
        _ resources: Resources, _ version: CgroupVersion, current: ((String) -> String?)? = nil
    ) throws(RuntimeError) -> [String] {
        try ControlWrites.of(resources, version: { _ in version }, current: current).map { write in
            let files = write.choices.map { "\($0.file)=\($0.text)" }.joined(separator: "|")
            return write.property.dropFirst("linux.resources.".count) + ": " + files + (write.isDispensable ? "?" : "")
        }
    }

    private func refusal(_ resources: Resources, _ version: CgroupVersion, current: ((String) -> String?)? = nil)
        -> String
    {
        let error = #expect(throws: RuntimeError.self) { try lines(resources, version, current: current) }
        return error?.message ?? ""
    }

    @Test func processorsOnV1() throws {
        let cpu = CPU(
            shares: 512, quota: 50000, burst: 1000, period: 100_000, realtimeRuntime: 950_000,
            realtimePeriod: 1_000_000, cpus: "0-1", mems: "0", idle: 0)
        #expect(
            try lines(Resources(cpu: cpu), .v1) == [
                "cpu.cpus: cpuset.cpus=0-1", "cpu.mems: cpuset.mems=0", "cpu.idle: cpu.idle=0?",
                "cpu.shares: cpu.shares=512", "cpu.period: cpu.cfs_period_us=100000",
                "cpu.quota: cpu.cfs_quota_us=50000", "cpu.burst: cpu.cfs_burst_us=1000",
                "cpu.realtimePeriod: cpu.rt_period_us=1000000", "cpu.realtimeRuntime: cpu.rt_runtime_us=950000",
            ])
    }

    @Test func processorsOnV2() throws {
        let cpu = CPU(shares: 1024, quota: 50000, burst: 0, period: 100_000, cpus: "0-1", idle: 0)
        #expect(
            try lines(Resources(cpu: cpu), .v2) == [
                "cpu.cpus: cpuset.cpus=0-1", "cpu.idle: cpu.idle=0?", "cpu.shares: cpu.weight=100",
                "cpu.quota: cpu.max=50000 100000", "cpu.burst: cpu.max.burst=0?",
            ])
        #expect(try lines(Resources(cpu: CPU(quota: -1)), .v2) == ["cpu.quota: cpu.max=max?"])
        #expect(try lines(Resources(cpu: CPU(period: 20000)), .v2) == ["cpu.period: cpu.max=max 20000"])
        let running = try lines(Resources(cpu: CPU(period: 20000)), .v2) { $0 == "cpu.max" ? "5000 100000" : nil }
        #expect(running == ["cpu.period: cpu.max=5000 20000"])
    }

    @Test func anIdleCgroupHasNoShares() throws {
        #expect(try lines(Resources(cpu: CPU(shares: 512, idle: 1)), .v1) == ["cpu.idle: cpu.idle=1"])
        #expect(try lines(Resources(cpu: CPU(shares: 512, idle: 1)), .v2) == ["cpu.idle: cpu.idle=1"])
    }

    @Test func realtimeLimitsAreForV1Alone() {
        #expect(
            refusal(Resources(cpu: CPU(realtimeRuntime: 1)), .v2)
                == "linux.resources.cpu.realtimeRuntime: cannot be set: cgroup v2 has nothing like cpu.rt_runtime_us; "
                + "realtime scheduling is limited by cgroup v1 only")
    }

    /// What Docker writes for a container without limits.
    @Test(arguments: [CgroupVersion.v1, .v2])
    func zerosOfEnginesAreNoLimits(version: CgroupVersion) throws {
        let resources = Resources(
            memory: Memory(limit: 0, reservation: 0, swap: 0, kernel: 0, kernelTCP: 0, disableOOMKiller: false),
            cpu: CPU(shares: 0, quota: 0, period: 0, realtimeRuntime: 0, realtimePeriod: 0), pids: Pids(),
            blockIO: BlockIO(weight: 0, leafWeight: 0), network: Network())
        let lines = try lines(resources, version)
        #expect(lines == (version == .v1 ? ["memory.disableOOMKiller: memory.oom_control=0?"] : []))
    }

    @Test func memoryOnV1() throws {
        let memory = Memory(
            limit: 1000, reservation: 500, swap: 2000, kernel: -1, kernelTCP: 4096, swappiness: 0,
            disableOOMKiller: true, useHierarchy: true)
        #expect(
            try lines(Resources(memory: memory), .v1) == [
                "memory.limit: memory.limit_in_bytes=1000", "memory.swap: memory.memsw.limit_in_bytes=2000",
                "memory.reservation: memory.soft_limit_in_bytes=500", "memory.kernel: memory.kmem.limit_in_bytes=-1?",
                "memory.kernelTCP: memory.kmem.tcp.limit_in_bytes=4096", "memory.swappiness: memory.swappiness=0",
                "memory.disableOOMKiller: memory.oom_control=1", "memory.useHierarchy: memory.use_hierarchy=1?",
            ])
        #expect(
            try lines(Resources(memory: Memory(limit: -1)), .v1) == [
                "memory.limit: memory.limit_in_bytes=-1?", "memory.swap: memory.memsw.limit_in_bytes=-1?",
            ])
    }

    @Test func memoryOnV2() throws {
        let memory = Memory(
            limit: 1000, reservation: 500, swap: 2000, kernel: -1, kernelTCP: -1, disableOOMKiller: false,
            useHierarchy: true)
        #expect(
            try lines(Resources(memory: memory), .v2) == [
                "memory.swap: memory.swap.max=1000", "memory.limit: memory.max=1000",
                "memory.reservation: memory.low=500",
            ])
        #expect(
            try lines(Resources(memory: Memory(limit: -1, reservation: -1)), .v2) == [
                "memory.swap: memory.swap.max=max?", "memory.limit: memory.max=max?",
                "memory.reservation: memory.low=max",
            ])
        #expect(
            try lines(Resources(memory: Memory(limit: 1000, swap: 1000)), .v2).first
                == "memory.swap: memory.swap.max=0?")
        #expect(try lines(Resources(memory: Memory(swap: -1)), .v2) == ["memory.swap: memory.swap.max=max?"])
        #expect(try lines(Resources(memory: Memory(limit: 1000)), .v2) == ["memory.limit: memory.max=1000"])
    }

    @Test(arguments: [
        (Memory(swappiness: 60), "memory.swappiness"), (Memory(disableOOMKiller: true), "memory.disableOOMKiller"),
        (Memory(kernel: 4096), "memory.kernel"), (Memory(kernelTCP: 4096), "memory.kernelTCP"),
        (Memory(useHierarchy: false), "memory.useHierarchy"), (Memory(swap: 1000), "memory.swap"),
        (Memory(limit: -1, swap: 1000), "memory.swap"), (Memory(limit: 2000, swap: 1000), "memory.swap"),
    ])
    func memoryThatV2CannotLimit(memory: Memory, property: String) {
        #expect(refusal(Resources(memory: memory), .v2).hasPrefix("linux.resources.\(property): cannot be set: "))
    }

    /// 1000 bytes of memory, 2000 together with swap: an update of one keeps what the other means.
    @Test func updatesOfSwapOnV2() throws {
        let current = { (file: String) -> String? in ["memory.max": "1000", "memory.swap.max": "1000"][file] }
        func update(_ memory: Memory) throws -> [String] { try lines(Resources(memory: memory), .v2, current: current) }
        #expect(
            try update(Memory(limit: 1500)) == ["memory.swap: memory.swap.max=500", "memory.limit: memory.max=1500"])
        #expect(try update(Memory(swap: 1700)) == ["memory.swap: memory.swap.max=700"])
        #expect(
            try update(Memory(limit: -1)) == ["memory.swap: memory.swap.max=max?", "memory.limit: memory.max=max?"])
        #expect(
            refusal(Resources(memory: Memory(limit: 2500)), .v2, current: current).hasPrefix(
                "linux.resources.memory.limit"))
        #expect(
            refusal(Resources(memory: Memory(swap: 500)), .v2, current: current).hasPrefix(
                "linux.resources.memory.swap"))
        let unlimited = { (file: String) -> String? in "max" }
        #expect(
            try lines(Resources(memory: Memory(limit: 5)), .v2, current: unlimited) == ["memory.limit: memory.max=5"])
        let vast = { (file: String) -> String? in "\(Int64.max)" }
        #expect(try lines(Resources(memory: Memory(limit: 5)), .v2, current: vast) == ["memory.limit: memory.max=5"])
    }

    @Test(arguments: [(Int64(-1), "max?"), (0, "0"), (1, "1"), (32771, "32771")])
    func pids(limit: Int64, text: String) throws {
        for version in [CgroupVersion.v1, .v2] {
            #expect(try lines(Resources(pids: Pids(limit: limit)), version) == ["pids.limit: pids.max=\(text)"])
        }
    }

    private let blockIO = BlockIO(
        weight: 500, weightDevice: [WeightDevice(major: 8, minor: 0, weight: 10)],
        throttleReadBpsDevice: [ThrottleDevice(major: 8, minor: 0, rate: 600)],
        throttleWriteBpsDevice: [ThrottleDevice(major: 8, minor: 0, rate: 0)],
        throttleReadIOPSDevice: [ThrottleDevice(major: 8, minor: 16, rate: 1)],
        throttleWriteIOPSDevice: [ThrottleDevice(major: 8, minor: 16, rate: 300)])

    @Test func blockIOOnV1() throws {
        #expect(
            try lines(Resources(blockIO: blockIO), .v1) == [
                "blockIO.weight: blkio.bfq.weight=500|blkio.weight=500",
                "blockIO.weightDevice[0].weight: blkio.bfq.weight_device=8:0 10|blkio.weight_device=8:0 10",
                "blockIO.throttleReadBpsDevice[0]: blkio.throttle.read_bps_device=8:0 600",
                "blockIO.throttleWriteBpsDevice[0]: blkio.throttle.write_bps_device=8:0 0",
                "blockIO.throttleReadIOPSDevice[0]: blkio.throttle.read_iops_device=8:16 1",
                "blockIO.throttleWriteIOPSDevice[0]: blkio.throttle.write_iops_device=8:16 300",
            ])
        let leaves = BlockIO(leafWeight: 20, weightDevice: [WeightDevice(major: 8, minor: 0, leafWeight: 30)])
        #expect(
            try lines(Resources(blockIO: leaves), .v1) == [
                "blockIO.leafWeight: blkio.leaf_weight=20",
                "blockIO.weightDevice[0].leafWeight: blkio.leaf_weight_device=8:0 30",
            ])
    }

    @Test func blockIOOnV2() throws {
        #expect(
            try lines(Resources(blockIO: blockIO), .v2) == [
                "blockIO.weight: io.bfq.weight=500|io.weight=4950",
                "blockIO.weightDevice[0].weight: io.bfq.weight=8:0 10|io.weight=8:0 1",
                "blockIO.throttleReadBpsDevice[0]: io.max=8:0 rbps=600",
                "blockIO.throttleWriteBpsDevice[0]: io.max=8:0 wbps=max",
                "blockIO.throttleReadIOPSDevice[0]: io.max=8:16 riops=1",
                "blockIO.throttleWriteIOPSDevice[0]: io.max=8:16 wiops=300",
            ])
        #expect(
            refusal(Resources(blockIO: BlockIO(leafWeight: 20)), .v2).hasPrefix("linux.resources.blockIO.leafWeight"))
        let device = BlockIO(weightDevice: [WeightDevice(major: 8, minor: 0, leafWeight: 30)])
        #expect(
            refusal(Resources(blockIO: device), .v2).hasPrefix("linux.resources.blockIO.weightDevice[0].leafWeight"))
    }

    @Test func hugePages() throws {
        let resources = Resources(hugepageLimits: [HugepageLimit(pageSize: "2MB", limit: 4_194_304)])
        #expect(
            try lines(resources, .v1) == [
                "hugepageLimits[0]: hugetlb.2MB.rsvd.limit_in_bytes=4194304?",
                "hugepageLimits[0]: hugetlb.2MB.limit_in_bytes=4194304",
            ])
        #expect(
            try lines(resources, .v2) == [
                "hugepageLimits[0]: hugetlb.2MB.rsvd.max=4194304?", "hugepageLimits[0]: hugetlb.2MB.max=4194304",
            ])
        let slash = Resources(hugepageLimits: [HugepageLimit(pageSize: "../2MB", limit: 1)])
        #expect(refusal(slash, .v1).hasPrefix("linux.resources.hugepageLimits[0].pageSize: "))
    }

    @Test func networkAndRDMA() throws {
        let resources = Resources(
            network: Network(classID: 1_048_577, priorities: [InterfacePriority(name: "eth0", priority: 5)]),
            rdma: [RDMA(device: "mlx5_1", hcaHandles: 3, hcaObjects: 10000), RDMA(device: "rxe3", hcaObjects: 7)])
        #expect(
            try lines(resources, .v1) == [
                "network.classID: net_cls.classid=1048577", "network.priorities[0]: net_prio.ifpriomap=eth0 5",
                "rdma[\"mlx5_1\"]: rdma.max=mlx5_1 hca_handle=3 hca_object=10000",
                "rdma[\"rxe3\"]: rdma.max=rxe3 hca_object=7",
            ])
        #expect(refusal(Resources(network: Network(classID: 1)), .v2).hasPrefix("linux.resources.network.classID: "))
    }

    @Test func unified() throws {
        let resources = Resources(unified: [
            KeyValue("io.max", "259:0 rbps=2097152\n253:0 wiops=120\n"), KeyValue("unheard.of", "x"),
        ])
        #expect(
            try lines(resources, .v2) == [
                "unified[\"io.max\"]: io.max=259:0 rbps=2097152", "unified[\"io.max\"]: io.max=253:0 wiops=120",
                "unified[\"unheard.of\"]: unheard.of=x",
            ])
    }

    /// The three points that the curve goes through, its ends, and that it never falls.
    @Test func weights() {
        #expect(cpuWeight(ofShares: 0) == 1)
        #expect(cpuWeight(ofShares: 2) == 1)
        #expect(cpuWeight(ofShares: 1024) == 100)
        #expect(cpuWeight(ofShares: 262_144) == 10_000)
        #expect(cpuWeight(ofShares: .max) == 10_000)
        var last: UInt64 = 0
        for shares in stride(from: UInt64(2), through: 262_144, by: 97) {
            let weight = cpuWeight(ofShares: shares)
            #expect(weight >= last && (1...10_000).contains(weight))
            last = weight
        }
        #expect(ioWeight(ofBlockIOWeight: 10) == 1)
        #expect(ioWeight(ofBlockIOWeight: 1000) == 10_000)
        #expect(ioWeight(ofBlockIOWeight: 1) == 1)
    }
}

/// Which directory limits what.
struct LimitingDirectoryTests {
    private let hybrid = ContainerCgroup(
        driver: .cgroupfs,
        directories: [
            CgroupDirectory(controllers: ["cpu", "cpuacct"], path: "/cg/cpu/x"),
            CgroupDirectory(controllers: [], path: "/cg/unified/x"),
        ])

    @Test func v1ComesFirst() {
        #expect(hybrid.version(.cpu) == .v1)
        #expect(hybrid.version(.hugetlb) == .v2)
        #expect(hybrid.version(.other("cpu")) == .v2)
        #expect(hybrid.directory(limiting: .hugetlb)?.path == "/cg/unified/x")
    }

    @Test func whatIsMountedNowhereIsRefused() throws {
        var v1 = hybrid
        v1.directories.removeLast()
        let pids = #expect(throws: RuntimeError.self) { try v1.writes(for: Resources(pids: Pids(limit: 5))) }
        #expect(
            pids?.message == "linux.resources.pids.limit: needs the cgroup controller pids, which is mounted nowhere; "
                + "a kernel with CONFIG_CGROUP_PIDS has it")
        let unified = Resources(unified: [KeyValue("memory.max", "1")])
        let error = #expect(throws: RuntimeError.self) { try v1.writes(for: unified) }
        #expect(error?.message.hasPrefix("linux.resources.unified[\"memory.max\"]: ") == true)
    }
}
