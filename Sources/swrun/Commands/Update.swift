internal import ContainerRuntime
internal import LinuxSystem
internal import RuntimeSpec

extension Option {
    static let resources = Option(
        "resources", "r", .file("FILE"),
        help: "read the limits from FILE, or from standard input for -: JSON like linux.resources of config.json")
    static let blkioWeight = Option(
        "blkio-weight", nil, .number("WEIGHT"), help: "the weight of the container's block I/O, 10 to 1000")
    static let cpuPeriod = Option(
        "cpu-period", nil, .text("MICROSECONDS"), help: "the period in which the quota may be used up")
    static let cpuQuota = Option(
        "cpu-quota", nil, .text("MICROSECONDS"), help: "processor time in each period; -1 for no limit")
    static let cpuBurst = Option(
        "cpu-burst", nil, .text("MICROSECONDS"), help: "unused processor time that may be kept for later periods")
    static let cpuShare = Option(
        "cpu-share", nil, .text("SHARES"), alias: "cpu-shares",
        help: "the share of the processors when others want them, 2 to 262144; 1024 is ordinary")
    static let cpuRealtimePeriod = Option(
        "cpu-rt-period", nil, .text("MICROSECONDS"), help: "the period for the realtime limit (cgroup v1)")
    static let cpuRealtimeRuntime = Option(
        "cpu-rt-runtime", nil, .text("MICROSECONDS"), help: "processor time for realtime scheduling (cgroup v1)")
    static let cpuIdle = Option("cpu-idle", nil, .text("0|1"), help: "1: run only when nobody else wants to")
    static let cpusetCPUs = Option("cpuset-cpus", nil, .text("LIST"), help: "the processors to use, such as 0-3,7")
    static let cpusetMems = Option("cpuset-mems", nil, .text("LIST"), help: "the memory nodes to use, such as 0,1")
    static let memory = Option(
        "memory", nil, .text("SIZE"), help: "the most memory, in bytes or with a suffix k, m, g; -1 for no limit")
    static let memoryReservation = Option(
        "memory-reservation", nil, .text("SIZE"), help: "memory that is left to the container when it is scarce")
    static let memorySwap = Option(
        "memory-swap", nil, .text("SIZE"), help: "the most memory and swap together; -1 for no limit")
    static let pidsLimit = Option("pids-limit", nil, .text("N"), help: "the most processes; -1 for no limit")
    static let l3CacheSchema = Option(
        "l3-cache-schema", nil, .text("SCHEMA"), help: "the parts of the caches to use, such as L3:0=f;1=f (resctrl)")
    static let memBwSchema = Option(
        "mem-bw-schema", nil, .text("SCHEMA"), help: "the share of the memory bandwidth, such as MB:0=50 (resctrl)")
    static let kernelMemory = Option("kernel-memory", nil, .text("SIZE"), isHidden: true, help: "without effect")
    static let kernelMemoryTCP = Option("kernel-memory-tcp", nil, .text("SIZE"), isHidden: true, help: "without effect")
}

extension Command {
    static let update = Command(
        verb: .update,
        summary: "change the limits of a container",
        details: [
            "What is not named stays as it is. Options take precedence over the same limits in FILE. A change that the "
                + "kernel refuses is an error, and then none is made.",
            "A list of devices in FILE takes the place of the container's rules.",
        ],
        operands: [.container],
        options: [
            .resources, .memory, .memorySwap, .memoryReservation, .cpuShare, .cpuQuota, .cpuPeriod, .cpuBurst, .cpuIdle,
            .cpuRealtimePeriod, .cpuRealtimeRuntime, .cpusetCPUs, .cpusetMems, .pidsLimit, .blkioWeight, .l3CacheSchema,
            .memBwSchema, .kernelMemory, .kernelMemoryTCP,
        ],
        examples: [
            Example(command: "swrun update --memory 512m --cpu-quota 50000 web", meaning: "half a processor, 512 MiB"),
            Example(
                command: #"echo '{"pids": {"limit": 100}}' | swrun update --resources - web"#,
                meaning: "the same as --pids-limit 100"),
        ],
        run: UpdateCommand.run)
}

enum UpdateCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        var resources = try call.arguments[.resources].map(read) ?? Resources()
        try resources.take(call.arguments)
        let rdt = IntelRdt(
            l3CacheSchema: call.arguments[.l3CacheSchema], memBwSchema: call.arguments[.memBwSchema])
        do throws(SpecError) {
            try resources.validate()
            try rdt.validate()
        } catch {
            throw RuntimeError("update: \(error)")
        }
        if call.arguments[.kernelMemory] != nil || call.arguments[.kernelMemoryTCP] != nil {
            call.report.warning("update: kernel memory is counted to --memory; its own limits have no effect")
        }
        try UpdateContainer.run(try ContainerID(call.arguments.operands[0]), in: call.global.stateRoot, resources, rdt)
        return 0
    }

    private static func read(_ path: String) throws(RuntimeError) -> Resources {
        let name = path == "-" ? "standard input" : path
        let text: [UInt8]
        do throws(SystemError) {
            text =
                path == "-"
                ? try FileDescriptor(owning: Int32(0)).readToEnd(limit: Config.maximumDocumentSize, subject: name)
                : try readFile(path, limit: Config.maximumDocumentSize)
        } catch {
            throw RuntimeError("update: cannot read the resources", error)
        }
        do throws(SpecError) { return try Resources.decode(text) } catch { throw RuntimeError("\(name): \(error)") }
    }
}

extension Resources {
    /// The limits among the options.
    fileprivate mutating func take(_ arguments: Arguments) throws(RuntimeError) {
        var cpu = cpu ?? CPU()
        try arguments.take(.cpuPeriod, as: &cpu.period)
        try arguments.take(.cpuQuota, as: &cpu.quota)
        try arguments.take(.cpuBurst, as: &cpu.burst)
        try arguments.take(.cpuShare, as: &cpu.shares)
        try arguments.take(.cpuRealtimePeriod, as: &cpu.realtimePeriod)
        try arguments.take(.cpuRealtimeRuntime, as: &cpu.realtimeRuntime)
        try arguments.take(.cpuIdle, as: &cpu.idle)
        if let list = arguments[.cpusetCPUs] { cpu.cpus = list }
        if let list = arguments[.cpusetMems] { cpu.mems = list }
        if cpu != CPU() { self.cpu = cpu }
        var memory = memory ?? Memory()
        try arguments.takeSize(.memory, as: &memory.limit)
        try arguments.takeSize(.memoryReservation, as: &memory.reservation)
        try arguments.takeSize(.memorySwap, as: &memory.swap)
        if memory != Memory() { self.memory = memory }
        var limit = pids?.limit
        try arguments.take(.pidsLimit, as: &limit)
        if limit != nil { pids = Pids(limit: limit) }
        if let weight = arguments.number(.blkioWeight) {
            var blockIO = blockIO ?? BlockIO()
            blockIO.weight = UInt16(clamping: weight)
            self.blockIO = blockIO
        }
    }
}

extension Arguments {
    fileprivate func take<Number: FixedWidthInteger>(_ option: Option, as number: inout Number?) throws(RuntimeError) {
        guard let text = self[option] else { return }
        guard let value = Number(text) else {
            throw RuntimeError("update: option \(option.dashed) needs a whole number, not \"\(text)\"")
        }
        number = value
    }

    fileprivate func takeSize(_ option: Option, as bytes: inout Int64?) throws(RuntimeError) {
        guard let text = self[option] else { return }
        guard let value = text == "-1" ? -1 : byteCount(text) else {
            throw RuntimeError(
                "update: option \(option.dashed) needs a size, not \"\(text)\"",
                hint: "bytes, or a number with k, m, g, t or p, or -1 for no limit")
        }
        bytes = value
    }
}

/// A size such as `512m`, `1.5GiB` or `100`: units of 1024, as runc reads them. nil for anything else.
func byteCount(_ text: String) -> Int64? {
    let digits = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
    guard let first = digits.first, first != ".", digits.last != ".", let number = Double(digits) else { return nil }
    var unit = text[digits.endIndex...].lowercased()[...]
    if unit.first == " " { unit = unit.dropFirst() }
    let powers: [Character: Double] = ["k": 10, "m": 20, "g": 30, "t": 40, "p": 50]
    var factor = 1.0
    if let power = unit.first.flatMap({ powers[$0] }) {
        for _ in 0..<Int(power) { factor *= 2 }
        unit = unit.dropFirst()
    }
    if unit.first == "i" { unit = unit.dropFirst() }
    guard unit.isEmpty || unit == "b" else { return nil }
    if factor == 1, let whole = Int64(digits) { return whole }
    let bytes = number * factor
    return bytes < 9.2e18 ? Int64(bytes) : nil
}
