import LinuxSystem
import RuntimeSpec
import Testing

@testable import ContainerRuntime

/// Statistics read from directories that hold what the kernel writes.
struct CgroupStatisticsTests {
    private let pressure =
        "some avg10=1.50 avg60=0.07 avg300=10.00 total=123456\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"

    private func write(_ files: [String: String], in path: String) throws {
        for (name, text) in files {
            try FileDescriptor.open("\(path)/\(name)", [.writeOnly, .create], mode: 0o600).write(text)
        }
    }

    @Test func v2() throws {
        let place = try TemporaryDirectory()
        try write(
            [
                "cpu.stat": """
                usage_usec 1500
                user_usec 1000
                system_usec 500
                nr_periods 4
                nr_throttled 2
                throttled_usec 30

                """,
                "cpu.pressure": pressure,
                "cpuset.cpus.effective": "0-2,7\n", "cpuset.mems.effective": "0\n",
                "memory.current": "4096\n", "memory.max": "8192\n", "memory.peak": "6000\n",
                "memory.swap.current": "100\n", "memory.swap.max": "1000\n", "memory.swap.events": "high 0\nfail 3\n",
                "memory.stat": "anon 1\nfile 2\n", "memory.events": "low 0\nhigh 0\nmax 5\noom 1\noom_kill 1\n",
                "pids.current": "3\n", "pids.max": "10\n",
                "io.stat": "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=5 dios=2\n",
                "hugetlb.2MB.current": "1\n", "hugetlb.2MB.rsvd.current": "2097152\n", "hugetlb.2MB.events": "max 9\n",
                "hugetlb.1GB.current": "7\n", "hugetlb.1GB.events": "max 0\n",
            ], in: place.path)
        let cgroup = ContainerCgroup(
            driver: .cgroupfs, directories: [CgroupDirectory(controllers: [], path: place.path)])
        let json = cgroup.statistics().json.serialized()
        let expected = """
            {"cpu":{"usage":{"total":1500000,"kernel":500000,"user":1000000},\
            "throttling":{"periods":4,"throttledPeriods":2,"throttledTime":30000},\
            "psi":{"some":{"avg10":1.50,"avg60":0.07,"avg300":10.00,"total":123456},\
            "full":{"avg10":0.00,"avg60":0.00,"avg300":0.00,"total":7}}},\
            "cpuset":{"cpus":[0,1,2,7],"cpu_exclusive":0,"mems":[0],"mem_hardwall":0,"mem_exclusive":0,\
            "memory_migrate":0,"memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,\
            "sched_load_balance":0,"sched_relax_domain_level":0},\
            "memory":{"cache":2,"usage":{"limit":8192,"usage":4096,"max":6000,"failcnt":5},\
            "swap":{"limit":9192,"usage":4196,"failcnt":3},"kernel":{"limit":0,"failcnt":0},\
            "kernelTCP":{"limit":0,"failcnt":0},"raw":{"anon":1,"file":2},\
            "event_count":{"low":0,"high":0,"max":5,"oom":1,"oom_kill":1}},\
            "pids":{"current":3,"limit":10},\
            "blkio":{"ioServiceBytesRecursive":[{"major":8,"op":"Read","value":4096},{"major":8,"op":"Write"},\
            {"major":8,"op":"Discard","value":5}],"ioServicedRecursive":[{"major":8,"op":"Read","value":1},\
            {"major":8,"op":"Write"},{"major":8,"op":"Discard","value":2}]},\
            "hugetlb":{"1GB":{"usage":7,"failcnt":0},"2MB":{"usage":2097152,"failcnt":9}},"intel_rdt":{},\
            "network_interfaces":null}
            """
        #expect(json == expected)
    }

    @Test func v1() throws {
        let place = try TemporaryDirectory()
        try write(
            [
                "cpuacct.usage": "500\n", "cpuacct.usage_user": "300\n", "cpuacct.usage_sys": "200\n",
                "cpuacct.usage_percpu": "400 100 \n", "cpuacct.usage_percpu_user": "300 0 \n",
                "cpuacct.usage_percpu_sys": "100 100 \n",
                "cpu.stat": "nr_periods 4\nnr_throttled 2\nthrottled_time 30\n",
                "cpuset.cpus": "1\n", "cpuset.mems": "\n", "cpuset.sched_load_balance": "1\n",
                "cpuset.sched_relax_domain_level": "-1\n",
                "memory.usage_in_bytes": "10\n", "memory.limit_in_bytes": "9223372036854771712\n",
                "memory.max_usage_in_bytes": "20\n", "memory.failcnt": "1\n", "memory.stat": "cache 5\nrss 6\n",
                "memory.memsw.usage_in_bytes": "11\n", "memory.kmem.usage_in_bytes": "12\n",
                "memory.kmem.tcp.usage_in_bytes": "13\n",
                "pids.current": "1\n", "pids.max": "max\n",
                "blkio.throttle.io_service_bytes_recursive": "254:0 Read 4096\n254:0 Total 4096\nTotal 4096\n",
                "hugetlb.2MB.usage_in_bytes": "1\n", "hugetlb.2MB.max_usage_in_bytes": "2\n",
                "hugetlb.2MB.failcnt": "3\n",
            ], in: place.path)
        let controllers = ["cpuacct", "cpu", "cpuset", "memory", "pids", "blkio", "hugetlb"]
        let statistics = ContainerCgroup(
            driver: .cgroupfs,
            directories: controllers.map { CgroupDirectory(controllers: [$0], path: place.path) }
        ).statistics()
        #expect(statistics.cpu.total == 500)
        #expect(statistics.cpu.perCPU == [400, 100])
        #expect(statistics.cpu.perCPUKernel == [100, 100])
        #expect(statistics.cpu.throttledTime == 30)
        #expect(statistics.cpu.pressure == nil)
        #expect(statistics.cpuset.cpus == [1])
        #expect(statistics.cpuset.mems == [])
        #expect(statistics.cpuset.flags.last == CgroupStatistics.Named("sched_relax_domain_level", -1))
        #expect(
            statistics.memory.usage
                == CgroupStatistics.MemoryUse.Entry(limit: 9_223_372_036_854_771_712, usage: 10, max: 20, failures: 1))
        #expect(statistics.memory.cache == 5)
        #expect(statistics.memory.swap.usage == 11)
        #expect(statistics.memory.kernel.usage == 12)
        #expect(statistics.memory.kernelTCP.usage == 13)
        #expect(statistics.memory.events.isEmpty)
        #expect(statistics.pids == CgroupStatistics.Count(current: 1, limit: 0))
        let bytes = try #require(statistics.blockIO.tables.first { $0.name == "ioServiceBytesRecursive" })
        #expect(
            bytes.value == [
                CgroupStatistics.BlockIOUse.Entry(major: 254, minor: 0, operation: "Read", value: 4096),
                CgroupStatistics.BlockIOUse.Entry(major: 254, minor: 0, operation: "Total", value: 4096),
            ])
        #expect(
            statistics.hugetlb == [
                CgroupStatistics.Named("2MB", CgroupStatistics.HugepageUse(usage: 1, max: 2, failures: 3))
            ])
    }

    /// A swap limit beside unlimited memory is no limit of both together.
    @Test func noLimitIsTheLargestNumber() throws {
        let place = try TemporaryDirectory()
        try write(["memory.max": "max\n", "memory.swap.max": "1000\n", "memory.current": "1\n"], in: place.path)
        let statistics = ContainerCgroup(
            driver: .cgroupfs, directories: [CgroupDirectory(controllers: [], path: place.path)]
        ).statistics()
        #expect(statistics.memory.usage.limit == .max)
        #expect(statistics.memory.swap.limit == .max)
    }

    @Test func aCgroupThatIsGoneHasNoNumbers() {
        let gone = ContainerCgroup(
            driver: .cgroupfs, directories: [CgroupDirectory(controllers: [], path: "/nonexistent/cgroup")])
        #expect(gone.statistics() == CgroupStatistics())
        let none = ContainerCgroup(driver: .disabled, directories: [])
        #expect(none.statistics() == CgroupStatistics())
    }

    @Test func thisProcessHasALoopbackInterface() throws {
        let none = ContainerCgroup(driver: .disabled, directories: [])
        let interfaces = try #require(none.statistics(networkOf: currentProcessID()).network)
        let loopback = try #require(interfaces.first { $0.name == "lo" })
        #expect(loopback.counters.count == 8)
    }
}
