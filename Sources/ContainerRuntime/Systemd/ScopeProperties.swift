internal import LinuxSystem
internal import RuntimeSpec

/// A property of a scope, as systemd takes it over the bus.
struct ScopeProperty: Equatable, Sendable {
    let name: String
    let setting: BusValue

    init(_ name: String, _ setting: BusValue) {
        self.name = name
        self.setting = setting
    }

    var value: BusValue { .structure([.string(name), .variant(setting)]) }
}

/// The limits of a container as properties of its scope. The runtime writes the control files itself, precisely; but
/// systemd writes its own idea of them whenever it is reloaded, so it has to have the same one
/// (systemd.resource-control(5)). What it has no property for, it leaves alone.
struct ScopeLimits {
    private var properties: [ScopeProperty] = []
    /// Lists, which are handed over whole.
    private var lists: [(name: String, element: String, members: [BusValue])] = []
    /// Of v1, where quota and period are two files.
    private var quota: Int64?
    private var period: UInt64?

    /// - Parameter knowsIdle: systemd 252 and later can say that a cgroup is idle
    static func of(_ writes: [ControlWrite], knowsIdle: Bool) -> [ScopeProperty] {
        var limits = ScopeLimits()
        for write in writes {
            for choice in write.choices where limits.add(choice.file, choice.text, knowsIdle) { break }
        }
        limits.addBandwidth()
        return limits.properties
            + limits.lists.map { ScopeProperty($0.name, .array(of: $0.element, $0.members)) }
    }

    /// - Returns: whether systemd has something for the file
    private mutating func add(_ file: String, _ text: String, _ knowsIdle: Bool) -> Bool {
        if let name = Self.numbers[file], text != "0" || name != "TasksMax" {
            set(name, text == "max" || text == "-1" ? .uint64(.max) : UInt64(text).map { .uint64($0) })
            return true
        }
        switch file {
        case "pids.max" where text == "0":
            // systemd has no such limit. Who is in the scope may stay there with either.
            set("TasksMax", .uint64(1))
        case "cpu.idle":
            if text == "1", knowsIdle { set("CPUWeight", .uint64(0)) }
        case "cpu.max":
            let words = text.split(separator: " ")
            quota = words.first.flatMap { $0 == "max" ? -1 : Int64($0) }
            if words.count > 1 { period = UInt64(words[1]) }
        case "cpu.cfs_quota_us": quota = Int64(text)
        case "cpu.cfs_period_us": period = UInt64(text)
        case "cpuset.cpus": set("AllowedCPUs", Self.mask(text))
        case "cpuset.mems": set("AllowedMemoryNodes", Self.mask(text))
        case "io.weight": addWeight("IOWeight", "IODeviceWeight", text)
        case "blkio.weight": set("BlockIOWeight", UInt64(text).map { .uint64($0) })
        case "blkio.weight_device": addWeight("BlockIOWeight", "BlockIODeviceWeight", text)
        case "io.max": addThrottle(text)
        case "blkio.throttle.read_bps_device": addRate("BlockIOReadBandwidth", text)
        case "blkio.throttle.write_bps_device": addRate("BlockIOWriteBandwidth", text)
        default: return false
        }
        return true
    }

    /// Files with a number, or "max".
    private static let numbers = [
        "cpu.weight": "CPUWeight", "cpu.shares": "CPUShares", "memory.max": "MemoryMax", "memory.high": "MemoryHigh",
        "memory.low": "MemoryLow", "memory.min": "MemoryMin", "memory.swap.max": "MemorySwapMax",
        "memory.limit_in_bytes": "MemoryLimit", "pids.max": "TasksMax",
    ]

    /// The last word counts, as it does for the file.
    private mutating func set(_ name: String, _ value: BusValue?) {
        guard let value else { return }
        properties.removeAll { $0.name == name }
        properties.append(ScopeProperty(name, value))
    }

    private mutating func append(_ name: String, _ element: String, _ value: BusValue) {
        if let index = lists.firstIndex(where: { $0.name == name }) {
            lists[index].members.append(value)
        } else {
            lists.append((name, element, [value]))
        }
    }

    /// systemd keeps the share of one processor, in units that are written down as whole percents: less than one would
    /// be none, which is no limit at all.
    private mutating func addBandwidth() {
        guard let quota else {
            if let period { set("CPUQuotaPeriodUSec", .uint64(period)) }
            return
        }
        if quota <= 0 {
            set("CPUQuotaPerSecUSec", .uint64(.max))
        } else {
            let (scaled, overflow) = UInt64(quota).multipliedReportingOverflow(by: 1_000_000)
            set(
                "CPUQuotaPerSecUSec",
                .uint64(overflow ? .max : Swift.max(scaled / Swift.max(period ?? 100_000, 1), 10_000)))
        }
        if let period { set("CPUQuotaPeriodUSec", .uint64(period)) }
    }

    /// "0-3,8" as bits, the lowest byte first.
    private static func mask(_ list: String) -> BusValue? {
        var bytes: [UInt8] = []
        for range in list.split(separator: ",") {
            let ends = range.split(separator: "-").map { Int($0) }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last, last < 8192 else {
                return nil
            }
            while bytes.count <= last / 8 { bytes.append(0) }
            for bit in first...last { bytes[bit / 8] |= 1 << UInt8(bit % 8) }
        }
        return bytes.isEmpty ? nil : .bytes(bytes)
    }

    /// "100", "default 100" or "8:0 100".
    private mutating func addWeight(_ name: String, _ deviceName: String, _ text: String) {
        let words = text.split(separator: " ")
        guard let last = words.last, let weight = UInt64(last) else { return }
        if words.count == 1 || words[0] == "default" { return set(name, .uint64(weight)) }
        append(deviceName, "(st)", .structure([.string("/dev/block/\(words[0])"), .uint64(weight)]))
    }

    /// "8:0 rbps=1048576 wiops=max"
    private mutating func addThrottle(_ text: String) {
        let words = text.split(separator: " ")
        for word in words.dropFirst() {
            let pair = word.split(separator: "=")
            guard pair.count == 2, let name = Self.throttles[String(pair[0])],
                let rate = pair[1] == "max" ? UInt64.max : UInt64(pair[1])
            else { continue }
            append(name, "(st)", .structure([.string("/dev/block/\(words[0])"), .uint64(rate)]))
        }
    }

    private static let throttles = [
        "rbps": "IOReadBandwidthMax", "wbps": "IOWriteBandwidthMax", "riops": "IOReadIOPSMax",
        "wiops": "IOWriteIOPSMax",
    ]

    /// "8:0 1048576"
    private mutating func addRate(_ name: String, _ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 2, let rate = UInt64(words[1]) else { return }
        append(name, "(st)", .structure([.string("/dev/block/\(words[0])"), .uint64(rate)]))
    }
}

extension ScopeLimits {
    /// What a container may use of devices, on v1. On v2 the runtime's own program decides, which systemd leaves in
    /// place; the lists of v1 it writes anew.
    static func devices(_ policy: DevicePolicy, _ cgroup: ContainerCgroup) throws(RuntimeError) -> [ScopeProperty] {
        guard cgroup.directory(of: "devices") != nil else { return [] }
        let table = try explain("cannot read the names of drivers") { () throws(SystemError) in
            try readFile("/proc/devices")
        }
        return devices(try DeviceList(policy), DeviceGroups(String(decoding: table, as: UTF8.self)))
    }

    /// - Parameter groups: the names of character and block devices by their major number
    static func devices(_ list: DeviceList, _ groups: DeviceGroups) -> [ScopeProperty] {
        if list.allowsByDefault { return [] }
        let allowed = list.exceptionList.compactMap { device, access -> BusValue? in
            groups.name(of: device).map { .structure([.string($0), .string(access.letters)]) }
        }
        return [
            ScopeProperty("DevicePolicy", .string("strict")),
            // An assignment of nothing clears what was there before.
            ScopeProperty("DeviceAllow", .array(of: "(ss)", [])),
            ScopeProperty("DeviceAllow", .array(of: "(ss)", allowed)),
        ]
    }
}

/// The names under which systemd knows devices of one major number.
struct DeviceGroups: Equatable, Sendable {
    private var character: [UInt32: String] = [:]
    private var block: [UInt32: String] = [:]

    /// - Parameter text: /proc/devices
    init(_ text: String) {
        var isBlock = false
        for line in text.split(separator: "\n") {
            if line.hasPrefix("Block") { isBlock = true }
            let words = line.split(separator: " ")
            guard words.count == 2, let major = UInt32(words[0]) else { continue }
            if isBlock { block[major] = String(words[1]) } else { character[major] = String(words[1]) }
        }
    }

    /// nil for what systemd cannot say: one minor number of every driver, or a driver that the kernel does not have.
    func name(of device: DeviceList.Device) -> String? {
        let kind = device.isBlock ? "block" : "char"
        switch (device.major, device.minor) {
        case (let major?, let minor?): return "/dev/\(kind)/\(major):\(minor)"
        case (nil, nil): return "\(kind)-*"
        case (let major?, nil): return (device.isBlock ? block : character)[major].map { "\(kind)-\($0)" }
        case (nil, _): return nil
        }
    }
}
