/// The sections of platforms this runtime does not run on. Nothing in them is used, but a document that breaks their
/// schema is not a valid config.json, and telling so early helps whoever wrote it.
enum ForeignPlatforms {
    static func check(_ root: JSONObject) throws(SpecError) {
        for (name, shape) in [
            ("freebsd", freebsd), ("solaris", solaris), ("vm", vm), ("windows", windows), ("zos", zos),
        ] as [(StaticString, () -> Shape)] {
            // The shape is only built for a section that is there.
            _ = try root.optional(name) { (json) throws(SpecError) in try shape().check(json) }
        }
    }

    private static func freebsd() -> Shape {
        let sharing = Shape.word(["disable", "new", "inherit"])
        let sharingOrNew = Shape.word(["new", "inherit"])
        let allow: [Member] = [
            ("setHostname", .boolean), ("rawSockets", .boolean), ("chflags", .boolean), ("mount", .strings),
            ("quotas", .boolean), ("socketAf", .boolean), ("mlock", .boolean), ("reservedPorts", .boolean),
            ("suser", .boolean),
        ]
        let jail: [Member] = [
            ("parent", .string), ("host", sharingOrNew), ("ip4", sharing), ("ip4Addr", .strings), ("ip6", sharing),
            ("ip6Addr", .strings), ("vnet", sharingOrNew), ("interface", .string), ("vnetInterfaces", .strings),
            ("sysvmsg", sharing), ("sysvsem", sharing), ("sysvshm", sharing), ("enforceStatfs", .value(UInt8.self)),
            ("allow", .object(allow)),
        ]
        let fileMode = Shape { (json) throws(SpecError) in
            guard try Int64(json: json) & ~0o777 == 0 else { throw json.outOfRange("0 to 511") }
        }
        let device: [Member] = [("path", .string), ("mode", fileMode)]
        return .object([("devices", .list(.object(device))), ("jail", .object(jail))])
    }

    private static func solaris() -> Shape {
        let network: [StaticString] = [
            "linkname", "lowerLink", "allowedAddress", "configureAllowedAddress", "defrouter", "macAddress",
            "linkProtection",
        ]
        return .object([
            ("milestone", .string), ("limitpriv", .string), ("maxShmMemory", .string),
            ("cappedCPU", .object([("ncpus", .string)])),
            ("cappedMemory", .object([("physical", .string), ("swap", .string)])),
            ("anet", .list(.object(network.map { (name: $0, shape: .string) }))),
        ])
    }

    private static func vm() -> Shape {
        let region = Shape.object(
            [
                ("firstGFN", .value(UInt64.self)), ("firstMFN", .value(UInt64.self)), ("nrMFNs", .value(UInt64.self)),
            ], required: ["firstMFN", "nrMFNs"])
        return .object(
            [
                ("hypervisor", .object([("path", .string), ("parameters", .strings)], required: ["path"])),
                (
                    "kernel",
                    .object([("path", .string), ("parameters", .strings), ("initrd", .string)], required: ["path"])
                ),
                (
                    "image",
                    .object(
                        [("path", .string), ("format", .word(["raw", "qcow2", "vdi", "vmdk", "vhd"]))],
                        required: ["path", "format"])
                ),
                (
                    "hwConfig",
                    .object([
                        ("deviceTree", .string), ("vcpus", .value(UInt32.self)), ("memory", .value(UInt64.self)),
                        ("dtdevs", .strings), ("iomems", .list(region)), ("irqs", .list(.value(UInt32.self))),
                    ])
                ),
            ], required: ["kernel"])
    }

    private static func windows() -> Shape {
        let affinity = Shape.object([("mask", .value(UInt64.self)), ("group", .value(UInt32.self))])
        let cpu: [Member] = [
            ("count", .value(UInt64.self)), ("shares", .value(UInt16.self)), ("maximum", .value(UInt16.self)),
            ("affinity", affinity),
        ]
        let storage: [Member] = [
            ("iops", .value(UInt64.self)), ("bps", .value(UInt64.self)), ("sandboxSize", .value(UInt64.self)),
        ]
        let network: [Member] = [
            ("endpointList", .strings), ("allowUnqualifiedDNSQuery", .boolean), ("DNSSearchList", .strings),
            ("networkSharedContainerName", .string), ("networkNamespace", .string),
        ]
        let device = Shape.object([("id", .string), ("idType", .word(["class"]))], required: ["id", "idType"])
        return .object(
            [
                ("layerFolders", .list(.string, atLeast: 1)), ("devices", .list(device)),
                (
                    "resources",
                    .object([
                        ("memory", .object([("limit", .value(UInt64.self))])), ("cpu", .object(cpu)),
                        ("storage", .object(storage)),
                    ])
                ),
                ("network", .object(network)), ("credentialSpec", .object([])), ("servicing", .boolean),
                ("ignoreFlushesDuringBoot", .boolean), ("hyperv", .object([("utilityVMPath", .string)])),
            ], required: ["layerFolders"])
    }

    private static func zos() -> Shape {
        let namespace = Shape.object(
            [("type", .word(["mount", "pid", "uts", "ipc"])), ("path", .string)], required: ["type"])
        return .object([("namespaces", .list(namespace))])
    }
}

private typealias Member = (name: StaticString, shape: Shape)

/// What a schema says of a value, as far as these sections need it.
private struct Shape {
    let check: (JSONValue) throws(SpecError) -> Void

    init(_ check: @escaping (JSONValue) throws(SpecError) -> Void) {
        self.check = check
    }

    static var string: Shape { .value(String.self) }
    static var boolean: Shape { .value(Bool.self) }
    static var strings: Shape { .value([String].self) }

    static func value<Value: JSONDecodable>(_ type: Value.Type) -> Shape {
        Shape { (json) throws(SpecError) in _ = try Value(json: json) }
    }

    static func word(_ words: [String]) -> Shape {
        Shape { (json) throws(SpecError) in
            let word = try String(json: json)
            guard words.contains(word) else {
                throw SpecError(
                    .unknownWord, "unknown value", quoted(word),
                    expected: "expected one of " + words.joined(separator: ", "))
            }
        }
    }

    static func list(_ element: Shape, atLeast minimum: Int = 0) -> Shape {
        Shape { (json) throws(SpecError) in
            let count = try json.list(element.check).count
            guard count >= minimum else {
                throw SpecError(.invalid, "too few elements", expected: "expected at least \(minimum)")
            }
        }
    }

    static func object(_ members: [Member], required: [StaticString] = []) -> Shape {
        Shape { (json) throws(SpecError) in
            let object = try json.object()
            for name in required {
                try object.required(name) { (_) throws(SpecError) in }
            }
            for member in members {
                _ = try object.optional(member.name, member.shape.check)
            }
        }
    }
}
