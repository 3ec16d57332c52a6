package import RuntimeSpec

/// What the kernel has counted for a container, in the terms of cgroup v1 whatever the host has: the document that
/// `events --stats` prints, with the names that engines know.
package struct CgroupStatistics: Equatable, Sendable {
    var cpu = CPUTime()
    var cpuset = CPUSet()
    var memory = MemoryUse()
    var pids = Count()
    var blockIO = BlockIOUse()
    /// By page size: `2MB`.
    var hugetlb: [Named<HugepageUse>] = []
    /// The interfaces of the container's network namespace; nil when it shares the host's.
    var network: [NetworkInterface]?
    /// What resctrl counts, of a container with `linux.intelRdt`.
    var resourceControl = JSON.object([])

    struct CPUTime: Equatable, Sendable {
        /// Nanoseconds.
        var total: UInt64 = 0
        var perCPU: [UInt64] = []
        var perCPUKernel: [UInt64] = []
        var perCPUUser: [UInt64] = []
        var kernel: UInt64 = 0
        var user: UInt64 = 0
        var periods: UInt64 = 0
        var throttledPeriods: UInt64 = 0
        /// Nanoseconds.
        var throttledTime: UInt64 = 0
        var pressure: Pressure?
    }

    struct CPUSet: Equatable, Sendable {
        var cpus: [UInt32] = []
        var mems: [UInt32] = []
        /// The flags of v1, in the order in which they are printed, by their names there.
        var flags: [Named<Int64>] = Self.flagFiles.map { Named($0.name, 0) }

        static let flagFiles: [(name: String, file: String)] = [
            ("cpu_exclusive", "cpuset.cpu_exclusive"), ("mem_hardwall", "cpuset.mem_hardwall"),
            ("mem_exclusive", "cpuset.mem_exclusive"), ("memory_migrate", "cpuset.memory_migrate"),
            ("memory_spread_page", "cpuset.memory_spread_page"), ("memory_spread_slab", "cpuset.memory_spread_slab"),
            ("memory_pressure", "cpuset.memory_pressure"), ("sched_load_balance", "cpuset.sched_load_balance"),
            ("sched_relax_domain_level", "cpuset.sched_relax_domain_level"),
        ]
    }

    struct MemoryUse: Equatable, Sendable {
        /// Bytes; a limit of `UInt64.max` is none.
        struct Entry: Equatable, Sendable {
            var limit: UInt64 = 0
            var usage: UInt64 = 0
            var max: UInt64 = 0
            var failures: UInt64 = 0
        }

        var cache: UInt64 = 0
        var usage = Entry()
        /// Memory and swap together.
        var swap = Entry()
        var kernel = Entry()
        var kernelTCP = Entry()
        /// `memory.stat`
        var raw: [Named<UInt64>] = []
        /// `memory.events` of v2.
        var events: [Named<UInt64>] = []
        var pressure: Pressure?
    }

    struct Count: Equatable, Sendable {
        var current: UInt64 = 0
        /// 0: none.
        var limit: UInt64 = 0
    }

    struct BlockIOUse: Equatable, Sendable {
        /// A line of a v1 file: `8:0 Read 4096`.
        struct Entry: Equatable, Sendable {
            var major: UInt64
            var minor: UInt64
            var operation: String
            var value: UInt64
        }

        var tables: [Named<[Entry]>] = []
        var pressure: Pressure?
    }

    struct HugepageUse: Equatable, Sendable {
        var usage: UInt64 = 0
        var max: UInt64 = 0
        var failures: UInt64 = 0
    }

    /// How long processes had to wait for something (psi, Documentation/accounting/psi.rst).
    struct Pressure: Equatable, Sendable {
        struct Line: Equatable, Sendable {
            /// Hundredths of a percent over 10, 60 and 300 seconds.
            var averages: [UInt64] = [0, 0, 0]
            /// Microseconds.
            var total: UInt64 = 0
        }

        var some = Line()
        var full = Line()
    }

    struct NetworkInterface: Equatable, Sendable {
        var name: String
        /// Received bytes, packets, errors and drops, then the same of what was sent.
        var counters: [UInt64]
    }

    /// A value with the name it is printed under.
    struct Named<Value: Equatable & Sendable>: Equatable, Sendable {
        var name: String
        var value: Value

        init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }
    }
}

// MARK: - As JSON

extension CgroupStatistics: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("cpu", cpu.json)
            $0.add("cpuset", cpuset.json)
            $0.add("memory", memory.json)
            $0.add(
                "pids",
                .members {
                    $0.add("current", unlessZero: pids.current)
                    $0.add("limit", unlessZero: pids.limit)
                })
            $0.add("blkio", blockIO.json)
            $0.add("hugetlb", .object(hugetlb.map { JSON.Member($0.name, $0.value.json) }))
            $0.add("intel_rdt", resourceControl)
            $0.add("network_interfaces", network.map { .array($0.map(\.json)) } ?? .null)
        }
    }
}

extension JSONMembers {
    fileprivate mutating func add(_ name: String, unlessZero value: UInt64) {
        if value != 0 { add(name, value) }
    }

    fileprivate mutating func add(_ name: String, unlessEmpty values: [some FixedWidthInteger & Sendable]) {
        if !values.isEmpty { add(name, .array(values.map { .uint(UInt64($0)) })) }
    }
}

extension CgroupStatistics.CPUTime {
    fileprivate var json: JSON {
        .members {
            $0.add(
                "usage",
                .members {
                    $0.add("total", unlessZero: total)
                    $0.add("percpu", unlessEmpty: perCPU)
                    $0.add("percpu_kernel", unlessEmpty: perCPUKernel)
                    $0.add("percpu_user", unlessEmpty: perCPUUser)
                    $0.add("kernel", kernel)
                    $0.add("user", user)
                })
            $0.add(
                "throttling",
                .members {
                    $0.add("periods", unlessZero: periods)
                    $0.add("throttledPeriods", unlessZero: throttledPeriods)
                    $0.add("throttledTime", unlessZero: throttledTime)
                })
            $0.add("psi", pressure?.json)
        }
    }
}

extension CgroupStatistics.CPUSet {
    /// The flags of processors stand between the two lists.
    fileprivate var json: JSON {
        .members {
            $0.add("cpus", unlessEmpty: cpus)
            if let flag = flags.first { $0.add(flag.name, flag.value) }
            $0.add("mems", unlessEmpty: mems)
            for flag in flags.dropFirst() { $0.add(flag.name, flag.value) }
        }
    }
}

extension CgroupStatistics.MemoryUse {
    fileprivate var json: JSON {
        .members {
            $0.add("cache", unlessZero: cache)
            $0.add("usage", usage.json)
            $0.add("swap", swap.json)
            $0.add("kernel", kernel.json)
            $0.add("kernelTCP", kernelTCP.json)
            if !raw.isEmpty { $0.add("raw", .object(raw.map { JSON.Member($0.name, .uint($0.value)) })) }
            $0.add("psi", pressure?.json)
            if !events.isEmpty {
                $0.add("event_count", .object(events.map { JSON.Member($0.name, .uint($0.value)) }))
            }
        }
    }
}

extension CgroupStatistics.MemoryUse.Entry {
    fileprivate var json: JSON {
        .members {
            $0.add("limit", limit)
            $0.add("usage", unlessZero: usage)
            $0.add("max", unlessZero: max)
            $0.add("failcnt", failures)
        }
    }
}

extension CgroupStatistics.BlockIOUse {
    fileprivate var json: JSON {
        .members {
            for table in tables {
                $0.add(table.name, .array(table.value.map(\.json)))
            }
            $0.add("psi", pressure?.json)
        }
    }
}

extension CgroupStatistics.BlockIOUse.Entry {
    fileprivate var json: JSON {
        .members {
            $0.add("major", unlessZero: major)
            $0.add("minor", unlessZero: minor)
            $0.add("op", operation.isEmpty ? nil : operation)
            $0.add("value", unlessZero: value)
        }
    }
}

extension CgroupStatistics.HugepageUse {
    fileprivate var json: JSON {
        .members {
            $0.add("usage", unlessZero: usage)
            $0.add("max", unlessZero: max)
            $0.add("failcnt", failures)
        }
    }
}

extension CgroupStatistics.Pressure {
    fileprivate var json: JSON {
        .members {
            $0.add("some", some.json)
            $0.add("full", full.json)
        }
    }
}

extension CgroupStatistics.Pressure.Line {
    fileprivate var json: JSON {
        .members {
            for (name, average) in zip(["avg10", "avg60", "avg300"], averages) { $0.add(name, .hundredths(average)) }
            $0.add("total", total)
        }
    }
}

extension CgroupStatistics.NetworkInterface {
    private static let names = [
        "RxBytes", "RxPackets", "RxErrors", "RxDropped", "TxBytes", "TxPackets", "TxErrors", "TxDropped",
    ]

    fileprivate var json: JSON {
        .members {
            $0.add("Name", name)
            for (name, counter) in zip(Self.names, counters) { $0.add(name, counter) }
        }
    }
}
