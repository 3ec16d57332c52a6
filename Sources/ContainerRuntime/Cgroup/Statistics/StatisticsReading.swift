internal import LinuxSystem

extension ContainerCgroup {
    /// - Parameter networkOf: a process in a network namespace of the container's own, or nil.
    package func statistics(networkOf pid: Int32? = nil) -> CgroupStatistics {
        var statistics = CgroupStatistics()
        let readers: [(String, (ControlReader, Bool, inout CgroupStatistics) -> Void)] = [
            ("cpuacct", readCPU), ("cpu", readThrottling), ("cpuset", readCPUSet), ("memory", readMemory),
            ("pids", readPids), ("blkio", readBlockIO), ("hugetlb", readHugetlb),
        ]
        for (controller, read) in readers {
            guard let directory = directory(of: controller) ?? unified else { continue }
            read(ControlReader(directory: directory.path), directory.isUnified, &statistics)
        }
        if let unified {
            let reader = ControlReader(directory: unified.path)
            statistics.cpu.pressure = reader.pressure("cpu.pressure")
            statistics.memory.pressure = reader.pressure("memory.pressure")
            statistics.blockIO.pressure = reader.pressure("io.pressure")
        }
        statistics.network = pid.map { readInterfaces("/proc/\($0)/net/dev") }
        return statistics
    }
}

/// v1: nanoseconds in files of their own. v2: microseconds in one.
private func readCPU(_ reader: ControlReader, _ isUnified: Bool, _ statistics: inout CgroupStatistics) {
    if isUnified {
        let table = reader.table("cpu.stat")
        statistics.cpu.total = table["usage_usec"] &* 1000
        statistics.cpu.user = table["user_usec"] &* 1000
        statistics.cpu.kernel = table["system_usec"] &* 1000
        return
    }
    statistics.cpu.total = reader.number("cpuacct.usage")
    statistics.cpu.user = reader.number("cpuacct.usage_user")
    statistics.cpu.kernel = reader.number("cpuacct.usage_sys")
    statistics.cpu.perCPU = reader.numbers("cpuacct.usage_percpu")
    statistics.cpu.perCPUUser = reader.numbers("cpuacct.usage_percpu_user")
    statistics.cpu.perCPUKernel = reader.numbers("cpuacct.usage_percpu_sys")
}

private func readThrottling(_ reader: ControlReader, _ isUnified: Bool, _ statistics: inout CgroupStatistics) {
    let table = reader.table("cpu.stat")
    statistics.cpu.periods = table["nr_periods"]
    statistics.cpu.throttledPeriods = table["nr_throttled"]
    statistics.cpu.throttledTime = isUnified ? table["throttled_usec"] &* 1000 : table["throttled_time"]
}

private func readCPUSet(_ reader: ControlReader, _ isUnified: Bool, _ statistics: inout CgroupStatistics) {
    statistics.cpuset.cpus = reader.list(isUnified ? "cpuset.cpus.effective" : "cpuset.cpus")
    statistics.cpuset.mems = reader.list(isUnified ? "cpuset.mems.effective" : "cpuset.mems")
    if isUnified { return }
    statistics.cpuset.flags = CgroupStatistics.CPUSet.flagFiles.map { name, file in
        CgroupStatistics.Named(name, reader.lines(file).first?.first.flatMap { Int64($0) } ?? 0)
    }
}

private func readMemory(_ reader: ControlReader, _ isUnified: Bool, _ statistics: inout CgroupStatistics) {
    var memory = CgroupStatistics.MemoryUse()
    memory.raw = reader.table("memory.stat")
    if isUnified {
        memory.cache = memory.raw["file"]
        memory.events = reader.table("memory.events")
        memory.usage = CgroupStatistics.MemoryUse.Entry(
            limit: reader.number("memory.max", max: .max), usage: reader.number("memory.current"),
            max: reader.number("memory.peak"), failures: memory.events["max"])
        memory.swap = CgroupStatistics.MemoryUse.Entry(
            limit: reader.number("memory.swap.max", max: .max), usage: reader.number("memory.swap.current"),
            failures: reader.table("memory.swap.events")["fail"])
        // v1 counts swap and memory together.
        memory.swap.usage &+= memory.usage.usage
        let (sum, overflow) = memory.swap.limit.addingReportingOverflow(memory.usage.limit)
        memory.swap.limit = overflow ? .max : sum
    } else {
        memory.cache = memory.raw["cache"]
        memory.usage = reader.memoryEntry("memory.")
        memory.swap = reader.memoryEntry("memory.memsw.")
        memory.kernel = reader.memoryEntry("memory.kmem.")
        memory.kernelTCP = reader.memoryEntry("memory.kmem.tcp.")
    }
    statistics.memory = memory
}

extension ControlReader {
    fileprivate func memoryEntry(_ prefix: String) -> CgroupStatistics.MemoryUse.Entry {
        CgroupStatistics.MemoryUse.Entry(
            limit: number("\(prefix)limit_in_bytes"), usage: number("\(prefix)usage_in_bytes"),
            max: number("\(prefix)max_usage_in_bytes"), failures: number("\(prefix)failcnt"))
    }
}

private func readPids(_ reader: ControlReader, _ isUnified: Bool, _ statistics: inout CgroupStatistics) {
    statistics.pids.current = reader.number("pids.current")
    statistics.pids.limit = reader.number("pids.max")
}

private func readBlockIO(_ reader: ControlReader, _ isUnified: Bool, _ statistics: inout CgroupStatistics) {
    typealias Entry = CgroupStatistics.BlockIOUse.Entry
    func entries(_ file: String) -> [Entry] {
        // 8:0 Read 4096, and for the whole "Total 4096"
        reader.lines(file).compactMap { line in
            guard line.count >= 2, let (major, minor) = device(line[0]), let value = UInt64(line[line.count - 1]) else {
                return nil
            }
            return Entry(major: major, minor: minor, operation: line.count > 2 ? line[1] : "", value: value)
        }
    }
    if isUnified {
        statistics.blockIO.tables = unifiedTables(reader.lines("io.stat")).filter { !$0.value.isEmpty }
        return
    }
    // Schedulers count what passes them; where none does, throttling does.
    let tables: [(name: String, file: String)] = [
        ("ioServiceBytesRecursive", "io_service_bytes"), ("ioServicedRecursive", "io_serviced"),
        ("ioQueueRecursive", "io_queued"), ("ioServiceTimeRecursive", "io_service_time"),
        ("ioWaitTimeRecursive", "io_wait_time"), ("ioMergedRecursive", "io_merged"), ("ioTimeRecursive", "time"),
        ("sectorsRecursive", "sectors"),
    ]
    for prefix in ["blkio.bfq.", "blkio.", "blkio.throttle."] {
        statistics.blockIO.tables = tables.map {
            CgroupStatistics.Named($0.name, entries("\(prefix)\($0.file)_recursive"))
        }
        statistics.blockIO.tables.removeAll { $0.value.isEmpty }
        if !statistics.blockIO.tables.isEmpty { return }
    }
}

/// `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`
private func unifiedTables(_ lines: [[String]]) -> [CgroupStatistics.Named<[CgroupStatistics.BlockIOUse.Entry]>] {
    var bytes: [CgroupStatistics.BlockIOUse.Entry] = []
    var operations: [CgroupStatistics.BlockIOUse.Entry] = []
    for line in lines {
        guard let first = line.first, let (major, minor) = device(first) else { continue }
        for word in line.dropFirst() {
            let parts = word.split(separator: "=")
            guard parts.count == 2, let value = UInt64(parts[1]) else { continue }
            let name = String(parts[0])
            guard let operation = ["r": "Read", "w": "Write", "d": "Discard"][name.prefix(1)] else { continue }
            let entry = CgroupStatistics.BlockIOUse.Entry(
                major: major, minor: minor, operation: operation, value: value)
            if name.hasSuffix("bytes") {
                bytes.append(entry)
            } else if name.hasSuffix("ios") {
                operations.append(entry)
            }
        }
    }
    return [
        CgroupStatistics.Named("ioServiceBytesRecursive", bytes),
        CgroupStatistics.Named("ioServicedRecursive", operations),
    ]
}

private func device(_ text: String) -> (UInt64, UInt64)? {
    let parts = text.split(separator: ":").compactMap { UInt64($0) }
    return parts.count == 2 ? (parts[0], parts[1]) : nil
}

/// Reservations where the kernel counts them, as they are what is limited.
private func readHugetlb(_ reader: ControlReader, _ isUnified: Bool, _ statistics: inout CgroupStatistics) {
    let suffix = isUnified ? ".current" : ".usage_in_bytes"
    guard let directory = try? FileDescriptor.open(reader.directory, .directory),
        let names = try? directoryEntries(directory)
    else { return }
    let files = names.filter { $0.hasPrefix("hugetlb.") && $0.hasSuffix(suffix) }
    let reserved = ".rsvd\(suffix)"
    for file in files.sorted() where !file.hasSuffix(reserved) {
        let size = String(file.dropFirst("hugetlb.".count).dropLast(suffix.count))
        let prefix = files.contains("hugetlb.\(size)\(reserved)") ? "hugetlb.\(size).rsvd" : "hugetlb.\(size)"
        let use =
            isUnified
            ? CgroupStatistics.HugepageUse(
                usage: reader.number("\(prefix).current"), failures: reader.table("hugetlb.\(size).events")["max"])
            : CgroupStatistics.HugepageUse(
                usage: reader.number("\(prefix).usage_in_bytes"), max: reader.number("\(prefix).max_usage_in_bytes"),
                failures: reader.number("\(prefix).failcnt"))
        statistics.hugetlb.append(CgroupStatistics.Named(size, use))
    }
}

/// Lines of /proc/PID/net/dev (proc_pid_net(5)): the name, eight counters of what came in, eight of what went out.
private func readInterfaces(_ file: String) -> [CgroupStatistics.NetworkInterface] {
    let text = String(decoding: (try? readFile(file)) ?? [], as: UTF8.self)
    return text.split(separator: "\n").compactMap { line in
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let name = parts[0].split(separator: " ").first else { return nil }
        let counters = parts[1].split(separator: " ").compactMap { UInt64($0) }
        guard counters.count >= 12 else { return nil }
        return CgroupStatistics.NetworkInterface(
            name: String(name), counters: Array(counters[0..<4] + counters[8..<12]))
    }
}
