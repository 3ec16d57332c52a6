internal import CLibcap
internal import LinuxSystem
package import RuntimeSpec

/// Some capabilities of capabilities(7): bit N is the capability with number N.
package struct CapabilityMask: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// All that the running kernel knows.
    package static var known: CapabilityMask {
        CapabilityMask(rawValue: ~0 >> UInt64(64 - min(64, max(1, cap_max_bits()))))
    }

    /// The names of those, in the order of their numbers.
    package static var knownNames: [String] { known.numbers.map(CapabilitySets.name) }

    /// The capability that `name` stands for ("CAP_CHOWN"); nil when libcap or the kernel does not know it.
    init?(name: String) {
        // libcap takes other spellings too, and numbers; config.json has only this one.
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        guard name.utf8.starts(with: "CAP_".utf8),
            name.utf8.allSatisfy({ letters.contains($0) || $0 == UInt8(ascii: "_") })
        else { return nil }
        var number: cap_value_t = -1
        guard cap_from_name(name, &number) == 0, (0..<cap_max_bits()).contains(number) else { return nil }
        self.init(rawValue: 1 << UInt64(number))
    }

    /// In ascending order.
    var numbers: [Int32] { (0..<64).filter { rawValue >> UInt64($0) & 1 == 1 } }
}

/// What the process that sets up a container may do, and so may give away.
package struct HeldCapabilities: Equatable, Sendable {
    package var permitted: CapabilityMask
    package var bounding: CapabilityMask

    package init(permitted: CapabilityMask, bounding: CapabilityMask) {
        self.permitted = permitted
        self.bounding = bounding
    }

    /// Whoever makes or enters a user namespace has every capability in it (user_namespaces(7)).
    package static var inUserNamespace: HeldCapabilities {
        HeldCapabilities(permitted: .known, bounding: .known)
    }

    /// This process's own. The bounding set can only be read one capability at a time; `requested` are those that matter.
    package static func ofThisProcess(requested: CapabilityMask) throws(RuntimeError) -> HeldCapabilities {
        var permitted: UInt64 = 0
        try explain("cannot read the runtime's own capabilities") { () throws(SystemError) in
            _ = try check(Int(libcap_get_permitted(&permitted)), "capget")
        }
        let bounding = requested.numbers.filter { cap_get_bound($0) == 1 }
        return HeldCapabilities(
            permitted: CapabilityMask(rawValue: permitted),
            bounding: CapabilityMask(rawValue: bounding.reduce(0) { $0 | 1 << UInt64($1) }))
    }
}

/// The five sets of a process (config.md, process.capabilities). A section or a set that is missing grants nothing.
package struct CapabilitySets: Equatable, Sendable {
    package var bounding: CapabilityMask = []
    package var effective: CapabilityMask = []
    package var inheritable: CapabilityMask = []
    package var permitted: CapabilityMask = []
    package var ambient: CapabilityMask = []

    package init() {}

    /// Gives names their meaning.
    ///
    /// - Parameter unknown: receives the names that mean nothing here, each once.
    init(_ capabilities: Capabilities?, unknown: inout [String]) {
        func mask(_ names: [String]?) -> CapabilityMask {
            var mask: CapabilityMask = []
            for name in names ?? [] {
                if let capability = CapabilityMask(name: name) {
                    mask.formUnion(capability)
                } else if !unknown.contains(name) {
                    unknown.append(name)
                }
            }
            return mask
        }
        bounding = mask(capabilities?.bounding)
        effective = mask(capabilities?.effective)
        inheritable = mask(capabilities?.inheritable)
        permitted = mask(capabilities?.permitted)
        ambient = mask(capabilities?.ambient)
    }

    /// The sets that config.json asks for, as far as they can be granted, and a warning for all that cannot (a capability
    /// must not make a container fail). Also what the process holds that will take them on.
    package static func resolve(
        _ capabilities: Capabilities?, inUserNamespace: Bool, warnings: inout [String]
    ) throws(RuntimeError) -> (sets: CapabilitySets, held: HeldCapabilities) {
        var unknown: [String] = []
        var sets = CapabilitySets(capabilities, unknown: &unknown)
        warnings += unknown.map { "process.capabilities: \($0) is unknown to this kernel or to libcap and is left out" }
        let held =
            inUserNamespace
            ? .inUserNamespace : try HeldCapabilities.ofThisProcess(requested: sets.bounding.union(sets.inheritable))
        sets.limit(to: held, warnings: &warnings)
        return (sets, held)
    }

    /// Takes away what the kernel would refuse.
    mutating func limit(to held: HeldCapabilities, warnings: inout [String]) {
        var missing: [(set: String, mask: CapabilityMask)] = []
        func keep(_ mask: CapabilityMask, _ set: String, _ granted: CapabilityMask) -> CapabilityMask {
            let excess = mask.subtracting(granted)
            if !excess.isEmpty { missing.append((set, excess)) }
            return mask.intersection(granted)
        }
        bounding = keep(bounding, "bounding", held.bounding)
        permitted = keep(permitted, "permitted", held.permitted)
        inheritable = keep(inheritable, "inheritable", held.bounding)
        let ungranted = missing.reduce(CapabilityMask()) { $0.union($1.mask) }
        // Whatever is not held at all has been said; these say what contradicts itself.
        effective = keep(effective, "effective", permitted)
        ambient = keep(ambient, "ambient", permitted.intersection(inheritable))
        for number in missing.reduce(CapabilityMask(), { $0.union($1.mask) }).numbers {
            let capability = CapabilityMask(rawValue: 1 << UInt64(number))
            let sets = missing.filter { $0.mask.contains(capability) }.map(\.set).joined(separator: ", ")
            let reason =
                ungranted.contains(capability)
                ? "the runtime does not have it itself"
                : sets == "ambient" ? "it is not both permitted and inheritable" : "it is not permitted"
            warnings.append("process.capabilities: cannot grant \(Self.name(of: number)) (\(sets)): \(reason)")
        }
    }

    fileprivate static func name(of number: Int32) -> String {
        guard let text = cap_to_name(number) else { return "capability \(number)" }
        defer { cap_free(text) }
        return String(cString: text).uppercased()
    }
}

// MARK: - In the container's process

extension CapabilityMask {
    /// Removes these from the bounding set for good: no program that is executed later can regain them.
    func dropFromBoundingSet() throws(SystemError) {
        for number in numbers { try check(Int(libcap_drop_bound(number)), "prctl", "PR_CAPBSET_DROP") }
    }

    /// Adds these to the ambient set; each must be permitted and inheritable.
    func raiseAmbient() throws(SystemError) {
        for number in numbers { try check(Int(libcap_raise_ambient(number)), "prctl", "PR_CAP_AMBIENT_RAISE") }
    }
}

/// Sets the capabilities of this process. It is made ready beforehand, so that each change is a single system call, which
/// a filter has to allow.
struct CapabilityWriter: ~Copyable {
    private let state: cap_t

    private init(_ state: cap_t) { self.state = state }

    static func make() throws(SystemError) -> CapabilityWriter {
        guard let state = cap_init() else { throw SystemError("capget", "", .notSupported) }
        return CapabilityWriter(state)
    }

    deinit { cap_free(UnsafeMutableRawPointer(state)) }

    /// `capset(2)`
    borrowing func set(
        effective: CapabilityMask, permitted: CapabilityMask, inheritable: CapabilityMask
    ) throws(SystemError) {
        let result = libcap_set_process(state, effective.rawValue, permitted.rawValue, inheritable.rawValue)
        try check(Int(result), "capset")
    }
}
