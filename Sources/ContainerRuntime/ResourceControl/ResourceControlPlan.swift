internal import LinuxSystem
internal import RuntimeSpec

/// What `linux.intelRdt` asks for, found possible. Making the value changes nothing.
struct ResourceControlPlan {
    let group: ResourceControlGroup
    /// In the order in which they are written.
    private let lines: [(property: String, text: String)]

    /// - Parameter rdt: valid by `Config.validate()`
    /// - Throws: where resctrl is not mounted, a class that has to exist does not, or one that exists has other limits
    init(_ rdt: IntelRdt, id: String) throws(RuntimeError) {
        let root = try findResourceControl()
        lines = rdt.lines
        let path = rdt.closID == "/" ? root : "\(root)/\(rdt.closID ?? id)"
        let exists = (try? fileStatus(path)) != nil
        group = ResourceControlGroup(
            root: root, path: path, isMade: !exists, isNamed: rdt.closID != nil,
            monitor: rdt.enableMonitoring ? "\(path)/mon_groups/\(id)" : nil)
        guard let closID = rdt.closID else { return }
        if !exists, lines.isEmpty {
            throw RuntimeError(
                at: "linux.intelRdt.closID", "there is no class of service \(closID) in \(root)", nil,
                hint: "make it before, or say in schemata what it is to be")
        }
        if exists { try compare(rdt) }
    }

    /// A class that others may be in is not changed behind their backs.
    private func compare(_ rdt: IntelRdt) throws(RuntimeError) {
        let wanted = lines.filter { $0.property == "l3CacheSchema" || $0.property == "memBwSchema" }
        if wanted.isEmpty { return }
        let present = try group.schemata()
        let granularity = (try? readControl("\(group.root)/info/MB/bandwidth_gran")).flatMap {
            UInt64(String(decoding: $0.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
        }
        for (property, text) in wanted
        where !ResourceSchema.agrees(text, with: present, bandwidthGranularity: granularity ?? 1) {
            throw RuntimeError(
                at: "linux.intelRdt.\(property)",
                "\"\(text)\" is not what the class of service \(rdt.closID ?? "") has: \(present.joined(separator: ", "))",
                nil, hint: "choose another closID, or the same limits")
        }
    }

    func make() throws(RuntimeError) {
        try group.make()
        do throws(RuntimeError) { try group.write(lines) } catch {
            group.undo()
            throw error
        }
    }
}

extension IntelRdt {
    /// What is written to `schemata`, in this order, and the properties that say it.
    var lines: [(property: String, text: String)] {
        [("l3CacheSchema", l3CacheSchema), ("memBwSchema", memBwSchema)].compactMap { name, text in
            text.map { (name, $0) }
        } + schemata.enumerated().map { ("schemata[\($0)]", $1) }
    }
}

/// The mount point of resctrl, as the mount table says. `SWRUN_RESCTRL` names another directory; it is for machines
/// without the hardware, where something else stands in for resctrl.
func findResourceControl() throws(RuntimeError) -> String {
    if let path = environmentVariable("SWRUN_RESCTRL"), path.utf8.first == UInt8(ascii: "/") { return path }
    let table = try explain("cannot read the mount table") { () throws(SystemError) in
        try readFile("/proc/self/mountinfo", limit: 1 << 26)
    }
    for line in table.split(separator: UInt8(ascii: "\n")) {
        let words = line.split(separator: UInt8(ascii: " "))
        guard let dash = words.firstIndex(where: { $0.elementsEqual("-".utf8) }), dash + 1 < words.count, dash > 4,
            words[dash + 1].elementsEqual("resctrl".utf8)
        else { continue }
        return unescaped(words[4])
    }
    throw RuntimeError(
        at: "linux.intelRdt", "resctrl is not mounted", nil,
        hint: "mount -t resctrl resctrl /sys/fs/resctrl, which takes hardware with resource control and "
            + "CONFIG_X86_CPU_RESCTRL")
}

/// Lines such as `L3:0=7f0;1=1f` and `MB:0=20;1=70`: a resource, and a value for each domain of it.
enum ResourceSchema {
    static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { String($0.drop { $0 == " " }) }
    }

    /// Whether every value in `wanted` is the one in `present`. The kernel rounds bandwidths up, and writes masks with
    /// zeros before them.
    static func agrees(_ wanted: String, with present: [String], bandwidthGranularity: UInt64) -> Bool {
        guard let (resource, values) = parse(wanted),
            let found = present.lazy.compactMap(parse).first(where: { $0.resource == resource })
        else { return false }
        let isBandwidth = resource == "MB"
        let step = isBandwidth ? max(bandwidthGranularity, 1) : 1
        return values.allSatisfy { domain, value in
            guard let number = UInt64(value, radix: isBandwidth ? 10 : 16), number <= .max - step,
                let other = found.values[domain].flatMap({ UInt64($0, radix: isBandwidth ? 10 : 16) })
            else { return false }
            return (number + step - 1) / step * step == other
        }
    }

    private static func parse(_ line: String) -> (resource: Substring, values: [Substring: String])? {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        var values: [Substring: String] = [:]
        for pair in line[line.index(after: colon)...].split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            values[parts[0].drop { $0 == " " }] = String(parts[1].filter { $0 != " " })
        }
        return (line[..<colon].drop { $0 == " " }, values)
    }
}
