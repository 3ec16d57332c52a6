import RuntimeSpec
import Testing

@testable import ContainerRuntime

struct ControlRollbackTests {
    /// File, what is written to it, what it said before, what takes it back.
    private static let cases: [(file: String, written: String, before: String, back: String?)] = [
        ("pids.max", "7", "max\n", "max"),
        ("cpuset.cpus", "0", "\n", "\n"),
        ("cpu.max", "5000 10000", "max 100000\n", "max 100000"),
        ("memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", "0"),
        (
            "io.max", "8:0 rbps=1", "8:16 rbps=9 wbps=max riops=max wiops=max\n",
            "8:0 rbps=max wbps=max riops=max wiops=max"
        ),
        (
            "io.max", "8:0 rbps=1", "8:0 rbps=9 wbps=max riops=max wiops=max\n",
            "8:0 rbps=9 wbps=max riops=max wiops=max"
        ),
        (
            "io.max", "8:1 rbps=1", "8:16 rbps=9 wbps=max riops=max wiops=max\n",
            "8:1 rbps=max wbps=max riops=max wiops=max"
        ),
        ("blkio.throttle.read_bps_device", "8:0 5", "", "8:0 0"),
        ("blkio.throttle.read_bps_device", "8:0 5", "8:0 7\n8:16 9\n", "8:0 7"),
        ("io.weight", "50", "default 100\n", "default 100"),
        ("io.weight", "50", "default 100\n8:0 70\n", "default 100"),
        ("io.weight", "8:0 50", "default 100\n", "8:0 default"),
        ("net_prio.ifpriomap", "eth0 5", "lo 0\neth0 3\n", "eth0 3"),
        ("rdma.max", "mlx0 hca_handle=2", "mlx0 hca_handle=max hca_object=max\n", "mlx0 hca_handle=max hca_object=max"),
        ("rdma.max", "mlx1 hca_handle=2", "", "mlx1 hca_handle=max hca_object=max"),
    ]

    @Test(arguments: cases.indices)
    func whatTakesAWriteBack(index: Int) {
        let entry = Self.cases[index]
        let choice = ControlWrite.Choice(file: entry.file, text: entry.written)
        #expect(ControlRollback.text(toUndo: choice, before: entry.before) == entry.back)
    }

    @Test func aDeviceListGoesBackByItsDifferences() throws {
        let before = Array("c 1:3 rwm\nb 8:0 r\n".utf8)
        let now = Array("c 1:3 rm\nc 10:229 rw\n".utf8)
        let lines = try DeviceList.lines(backTo: before, from: now, []).map { "\($0.file) \($0.text)" }
        #expect(Set(lines) == ["devices.allow c 1:3 w", "devices.allow b 8:0 r", "devices.deny c 10:229 rw"])
        #expect(lines.last == "devices.deny c 10:229 rw")
    }

    @Test func aListOfExceptionsGoesBackToItsRules() throws {
        let rules = [DeviceRule(allow: true), DeviceRule(allow: false, type: .block, major: 8, minor: 0)]
        let lines = try DeviceList.lines(backTo: Array("a *:* rwm\n".utf8), from: [], rules)
        #expect(lines.map { "\($0.file) \($0.text)" } == ["devices.allow a", "devices.deny b 8:0 rwm"])
        let closed = try DeviceList.lines(backTo: Array("c 1:3 r\n".utf8), from: Array("a *:* rwm\n".utf8), [])
        #expect(closed.map { "\($0.file) \($0.text)" } == ["devices.deny a", "devices.allow c 1:3 r"])
    }
}

struct ResourceSchemaTests {
    private let present = ["L3:0=00f;1=7ff", "MB:0= 20;1=100"]

    @Test(arguments: ["L3:0=f", "L3:0=0F;1=7ff", "L3: 1=7ff", "MB:0=20", "MB:0=15;1=95", "MB:0=11"])
    func agrees(wanted: String) {
        #expect(ResourceSchema.agrees(wanted, with: present, bandwidthGranularity: 10))
    }

    @Test(arguments: [
        "", "L3", "L2:0=f", "L3:0=1f", "L3:2=f", "L3:0=x", "L3:0", "MB:0=21", "MB:0=f", "MB:0=18446744073709551615",
    ])
    func disagrees(wanted: String) {
        #expect(!ResourceSchema.agrees(wanted, with: present, bandwidthGranularity: 10))
    }
}
