internal import RuntimeSpec

/// Which devices a container may use: what `linux.resources.devices` says, in its order, the last rule that speaks of a
/// device deciding (config-linux.md, "Allowed Device list").
///
/// Nothing is allowed to begin with, but that every container can use the devices it is given (config-linux.md,
/// "Default Devices"), and make nodes of devices that it may not open. These defaults stand after the last rule about
/// all devices, with which engines begin their lists, and before what the list says about single ones.
struct DevicePolicy: Equatable, Sendable {
    /// A rule about character or block devices, never both.
    struct Rule: Equatable, Sendable {
        var allow: Bool
        var isBlock: Bool
        /// nil: every number.
        var major: UInt32?
        var minor: UInt32?
        var access: DeviceAccess
        /// One of the defaults.
        var isImplied = false
    }

    /// What holds for a device that no rule is about.
    let allowsByDefault: Bool
    /// In the order in which they apply.
    let rules: [Rule]

    /// - Throws: for device numbers that no device can have.
    init(_ list: [DeviceRule]) throws(RuntimeError) {
        let last = list.lastIndex { $0.type == .all && $0.access == .all && $0.isAnyNumber }
        allowsByDefault = last.map { list[$0].allow } ?? false
        var rules = allowsByDefault ? [] : Self.defaults
        let start = last.map { $0 + 1 } ?? 0
        for (index, rule) in list[start...].enumerated() {
            for isBlock in [false, true] where rule.type == .all || (rule.type == .block) == isBlock {
                let place = "linux.resources.devices[\(start + index)]"
                rules.append(
                    Rule(
                        allow: rule.allow, isBlock: isBlock,
                        major: try Self.number(rule.major, "\(place).major"),
                        minor: try Self.number(rule.minor, "\(place).minor"), access: rule.access))
            }
        }
        self.rules = rules
    }

    private static func number(_ value: Int64?, _ place: String) throws(RuntimeError) -> UInt32? {
        guard let value, value != -1 else { return nil }
        guard let number = UInt32(exactly: value) else {
            throw RuntimeError(at: place, "\(value) is no device number", nil, hint: "expected 0 to 4294967295, or -1")
        }
        return number
    }

    static let defaults: [Rule] =
        [false, true].map { Rule(allow: true, isBlock: $0, access: .mknod, isImplied: true) }
        + [
            (1, 3), (1, 5), (1, 7), (1, 8), (1, 9),  // null zero full random urandom
            (5, 0), (5, 2), (136, nil),  // tty ptmx, and the terminals of a devpts
            (10, 200),  // tun: a device per network namespace
        ].map { (major: UInt32, minor: UInt32?) in
            Rule(allow: true, isBlock: false, major: major, minor: minor, access: .all, isImplied: true)
        }

    /// Whether the policy restricts nothing.
    var allowsEverything: Bool { allowsByDefault && rules.allSatisfy(\.allow) }
}

extension DeviceRule {
    fileprivate var isAnyNumber: Bool { (major ?? -1) == -1 && (minor ?? -1) == -1 }
}
