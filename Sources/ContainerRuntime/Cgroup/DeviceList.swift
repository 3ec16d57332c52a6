internal import LinuxSystem
internal import RuntimeSpec

/// The device list of a v1 cgroup: everything or nothing, and a set of exceptions in which no order counts.
struct DeviceList: Equatable, Sendable {
    struct Device: Hashable, Sendable {
        let isBlock: Bool
        let major: UInt32?
        let minor: UInt32?

        func covers(_ other: Device) -> Bool {
            isBlock == other.isBlock && (major == nil || major == other.major)
                && (minor == nil || minor == other.minor)
        }

        func meets(_ other: Device) -> Bool {
            isBlock == other.isBlock && (major == nil || other.major == nil || major == other.major)
                && (minor == nil || other.minor == nil || minor == other.minor)
        }

        var text: String {
            "\(isBlock ? "b" : "c") \(major.map { "\($0)" } ?? "*"):\(minor.map { "\($0)" } ?? "*")"
        }
    }

    private struct Exception: Equatable {
        let device: Device
        var access: DeviceAccess
        let isImplied: Bool
    }

    let allowsByDefault: Bool
    private var exceptions: [Exception] = []

    /// - Throws: for what a v1 list cannot say: an exception from an exception.
    init(_ policy: DevicePolicy) throws(RuntimeError) {
        allowsByDefault = policy.allowsByDefault
        for rule in policy.rules {
            let device = Device(isBlock: rule.isBlock, major: rule.major, minor: rule.minor)
            if rule.allow == allowsByDefault {
                try withdraw(device, rule)
            } else {
                add(device, rule.access, isImplied: rule.isImplied)
            }
        }
    }

    private mutating func add(_ device: Device, _ access: DeviceAccess, isImplied: Bool) {
        if let index = exceptions.firstIndex(where: { $0.device == device }) {
            exceptions[index].access.formUnion(access)
        } else {
            exceptions.append(Exception(device: device, access: access, isImplied: isImplied))
        }
    }

    private mutating func withdraw(_ device: Device, _ rule: DevicePolicy.Rule) throws(RuntimeError) {
        for index in exceptions.indices where exceptions[index].device.meets(device) {
            let shared = exceptions[index].access.intersection(rule.access)
            if shared.isEmpty { continue }
            if device.covers(exceptions[index].device) {
                exceptions[index].access.subtract(shared)
            } else if !exceptions[index].isImplied {
                // Of the defaults it is the making of nodes, which does no harm where they cannot be opened.
                throw RuntimeError(
                    at: "linux.resources.devices",
                    "cgroup v1 cannot \(rule.allow ? "allow" : "deny") \(device.text) \(rule.access.letters) after "
                        + "\(rule.allow ? "denying" : "allowing") \(exceptions[index].device.text)",
                    nil, hint: "name the devices one by one")
            }
        }
        exceptions.removeAll { $0.access.isEmpty }
    }

    /// What differs from the default.
    var exceptionList: [(device: Device, access: DeviceAccess)] { exceptions.map { ($0.device, $0.access) } }

    /// The lines to write, and into which file, for a cgroup whose list may be anything.
    var lines: [(file: String, text: String)] {
        let (all, each) = allowsByDefault ? ("devices.allow", "devices.deny") : ("devices.deny", "devices.allow")
        return [(all, "a")] + exceptions.map { (each, "\($0.device.text) \($0.access.letters)") }
    }

    /// The lines that turn the list `current` into this one without denying, in between, what both allow; nil where
    /// only the whole list will do.
    ///
    /// - Parameter current: the content of `devices.list`
    func changes(from current: [UInt8]) -> [(file: String, text: String)]? {
        guard !allowsByDefault, let before = Self.parse(current) else { return nil }
        return Self.lines(
            from: before, to: Dictionary(uniqueKeysWithValues: exceptions.map { ($0.device, $0.access) }))
    }

    /// What is newly allowed comes first.
    private static func lines(
        from before: [Device: DeviceAccess], to after: [Device: DeviceAccess]
    ) -> [(file: String, text: String)] {
        func difference(_ left: [Device: DeviceAccess], _ right: [Device: DeviceAccess]) -> [String] {
            left.map { device, access in (device, access.subtracting(right[device] ?? [])) }
                .filter { !$0.1.isEmpty }.map { "\($0.0.text) \($0.1.letters)" }
        }
        return difference(after, before).map { ("devices.allow", $0) }
            + difference(before, after).map { ("devices.deny", $0) }
    }

    /// The lines that take a list, changed in part, back to what it was.
    ///
    /// - Parameter rules: what was written to a list that began with everything, which does not tell it itself
    static func lines(
        backTo before: [UInt8], from now: [UInt8], _ rules: [DeviceRule]
    ) throws(RuntimeError) -> [(file: String, text: String)] {
        guard let wanted = parse(before) else { return try DeviceList(DevicePolicy(rules)).lines }
        if let now = parse(now) { return lines(from: now, to: wanted) }
        return [("devices.deny", "a")] + lines(from: [:], to: wanted)
    }

    /// nil for a list that begins with everything: `devices.list` does not show what is excepted from it.
    private static func parse(_ text: [UInt8]) -> [Device: DeviceAccess]? {
        var list: [Device: DeviceAccess] = [:]
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            // c 136:* rwm
            let words = line.split { $0 == " " || $0 == ":" }
            guard words.count == 4, words[0] == "b" || words[0] == "c",
                let access = DeviceAccess(letters: String(words[3]))
            else { return nil }
            let device = Device(isBlock: words[0] == "b", major: UInt32(words[1]), minor: UInt32(words[2]))
            list[device, default: []].formUnion(access)
        }
        return list
    }
}
