import RuntimeSpec
import Testing

@testable import ContainerRuntime

@Suite struct ScopeTests {
    @Test(arguments: [
        ("machine.slice:libpod:x", "machine.slice", "libpod-x.scope", "/machine.slice/libpod-x.scope"),
        ("a-b-c.slice:p:x", "a-b-c.slice", "p-x.scope", "/a.slice/a-b.slice/a-b-c.slice/p-x.scope"),
        (":p:x", "system.slice", "p-x.scope", "/system.slice/p-x.scope"),
        ("-.slice::x", "-.slice", "x.scope", "/x.scope"),
        ("s.slice:p:x:y", "s.slice", "p-x:y.scope", "/s.slice/p-x:y.scope"),
        ("s.slice:p:x+y", "s.slice", "p-x\\x2by.scope", "/s.slice/p-x\\x2by.scope"),
    ])
    func names(_ path: String, _ slice: String, _ unit: String, _ place: String) throws {
        let name = try ScopeName(cgroupsPath: path, id: "id", .system)
        #expect(name.slice == slice)
        #expect(name.unit == unit)
        #expect(name.path == place)
    }

    @Test func theDefaultsAreThoseOfTheSystemd() throws {
        #expect(try ScopeName(cgroupsPath: nil, id: "id", .system).path == "/system.slice/swrun-id.scope")
        #expect(try ScopeName(cgroupsPath: nil, id: "id", .user).path == "/user.slice/swrun-id.scope")
    }

    @Test(arguments: [
        "x", "a:b", "s.slice:p:", "noslice:p:x", ".slice:p:x", "-a.slice:p:x", "a-.slice:p:x", "a/b.slice:p:x",
        "s.slice:p:../x",
    ])
    func otherFormsAreRefused(_ path: String) {
        #expect(throws: RuntimeError.self) { try ScopeName(cgroupsPath: path, id: "id", .system) }
    }

    private func limits(_ resources: Resources, _ version: CgroupVersion = .v2) throws -> [ScopeProperty] {
        ScopeLimits.of(try ControlWrites.of(resources, version: { _ in version }), knowsIdle: true)
    }

    @Test func limitsOfVersion2() throws {
        var resources = Resources()
        resources.memory = Memory(limit: 1000, reservation: -1, swap: 1500)
        resources.cpu = CPU(shares: 1024, quota: 5000, period: 10_000, cpus: "0-1,9", mems: "0")
        resources.pids = Pids(limit: 5)
        resources.unified = [
            KeyValue("memory.max", "2000"), KeyValue("io.max", "8:0 rbps=1 wiops=max"),
        ]
        let found = Dictionary(uniqueKeysWithValues: try limits(resources).map { ($0.name, $0.setting) })
        #expect(
            found == [
                "MemoryMax": .uint64(2000), "MemoryLow": .uint64(.max), "MemorySwapMax": .uint64(500),
                "CPUWeight": .uint64(cpuWeight(ofShares: 1024)), "CPUQuotaPerSecUSec": .uint64(500_000),
                "CPUQuotaPeriodUSec": .uint64(10_000), "AllowedCPUs": .bytes([3, 2]), "AllowedMemoryNodes": .bytes([1]),
                "TasksMax": .uint64(5),
                "IOReadBandwidthMax": .array(of: "(st)", [.structure([.string("/dev/block/8:0"), .uint64(1)])]),
                "IOWriteIOPSMax": .array(of: "(st)", [.structure([.string("/dev/block/8:0"), .uint64(.max)])]),
            ])
    }

    @Test func limitsOfVersion1() throws {
        var resources = Resources()
        resources.memory = Memory(limit: 1000)
        resources.cpu = CPU(shares: 512, quota: -1, period: 10_000)
        let found = Dictionary(uniqueKeysWithValues: try limits(resources, .v1).map { ($0.name, $0.setting) })
        #expect(
            found == [
                "MemoryLimit": .uint64(1000), "CPUShares": .uint64(512), "CPUQuotaPerSecUSec": .uint64(.max),
                "CPUQuotaPeriodUSec": .uint64(10_000),
            ])
    }

    /// systemd writes it down in whole percents, and none would mean no limit.
    @Test func aTinyQuotaIsNotNone() throws {
        var resources = Resources()
        resources.cpu = CPU(quota: 1000, period: 1_000_000)
        #expect(try limits(resources).first { $0.name == "CPUQuotaPerSecUSec" }?.setting == .uint64(10_000))
    }

    @Test func devicesOfVersion1() throws {
        let policy = try DevicePolicy([
            DeviceRule(allow: false, access: .all),
            DeviceRule(allow: true, type: .block, major: 8, minor: 1, access: .read),
            DeviceRule(allow: true, type: .character, major: 77, access: .read),
        ])
        let groups = DeviceGroups("Character devices:\n  1 mem\n136 pts\n\nBlock devices:\n  8 sd\n")
        let properties = ScopeLimits.devices(try DeviceList(policy), groups)
        #expect(
            properties.prefix(2) == [
                ScopeProperty("DevicePolicy", .string("strict")), ScopeProperty("DeviceAllow", .array(of: "(ss)", [])),
            ])
        guard case .array(_, let allowed) = properties[2].setting else { throw BusFailure.closed }
        func entry(_ name: String, _ access: String) -> BusValue { .structure([.string(name), .string(access)]) }
        #expect(allowed.contains(entry("char-*", "m")))
        #expect(allowed.contains(entry("/dev/char/1:3", "rwm")))
        #expect(allowed.contains(entry("char-pts", "rwm")))
        #expect(allowed.contains(entry("/dev/block/8:1", "r")))
        #expect(!allowed.contains { "\($0)".contains("77") })
    }
}
