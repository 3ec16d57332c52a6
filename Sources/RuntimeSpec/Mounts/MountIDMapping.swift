/// The request for an idmapped mount: `idmap` and `ridmap`, and crun's way to write a mapping into the option,
/// `idmap=uids=0-100000-10#10-200000-5;gids=@0-1-10`.
///
/// Each triple is: first id on the filesystem, first id it appears as, count. With `@` before it the second is an id inside the
/// container, to be taken through the container's own mapping. Without a mapping here, `mounts[].uidMappings` and
/// `gidMappings` apply, and without those the container's user namespace.
package struct MountIDMapping: Equatable, Sendable {
    package struct Range: Equatable, Sendable {
        package var mapping: IDMapping
        package var relativeToContainer: Bool

        package init(_ mapping: IDMapping, relativeToContainer: Bool) {
            self.mapping = mapping
            self.relativeToContainer = relativeToContainer
        }
    }

    /// For the mounts below as well.
    package var recursive: Bool
    package var uids: [Range]
    package var gids: [Range]

    package init(recursive: Bool, uids: [Range] = [], gids: [Range] = []) {
        self.recursive = recursive
        self.uids = uids
        self.gids = gids
    }

    package var hasOwnMapping: Bool {
        !uids.isEmpty || !gids.isEmpty
    }

    /// nil when the option is another one.
    init?(option: String, index: Int) throws(SpecError) {
        let word = option.utf8.prefix { $0 != UInt8(ascii: "=") }
        guard word.count < option.utf8.count else { return nil }
        switch String(Substring(word)) {
        case "idmap": self.init(recursive: false)
        case "ridmap": self.init(recursive: true)
        default: return nil
        }
        for part in option.utf8.dropFirst(word.count + 1).split(separator: UInt8(ascii: ";")) {
            let ranges = Self.ranges(part.drop { $0 != UInt8(ascii: "=") }.dropFirst())
            switch (String(Substring(part.prefix { $0 != UInt8(ascii: "=") })), ranges) {
            case ("uids", let ranges?): uids += ranges
            case ("gids", let ranges?): gids += ranges
            default:
                throw SpecError(
                    .invalid, at: "[\(index)]", "not an id mapping:", quoted(String(Substring(part))),
                    expected: "expected one such as \"uids=0-100000-65536#65536-200000-1\"")
            }
        }
        if uids.isEmpty != gids.isEmpty {
            throw SpecError(
                .missing, at: "[\(index)]", "only one of uids and gids in", quoted(option), expected: "expected both")
        }
    }

    private static func ranges(_ text: Substring.UTF8View) -> [Range]? {
        var ranges: [Range] = []
        for triple in text.split(separator: UInt8(ascii: "#")) {
            let relative = triple.first == UInt8(ascii: "@")
            let fields = (relative ? triple.dropFirst() : triple)
                .split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
            let numbers = fields.compactMap { UInt32(Substring($0)) }
            guard fields.count == 3, numbers.count == 3 else { return nil }
            let mapping = IDMapping(containerID: numbers[0], hostID: numbers[1], size: numbers[2])
            ranges.append(Range(mapping, relativeToContainer: relative))
        }
        return ranges.isEmpty ? nil : ranges
    }
}

extension [MountIDMapping.Range] {
    /// The ranges with every `@` resolved through the container's own mapping (`linux.uidMappings` or `gidMappings`).
    ///
    /// nil when an id is not mapped in the container, or a range leaves the mapping it begins in.
    package func resolved(through container: [IDMapping]) -> [IDMapping]? {
        var mappings: [IDMapping] = []
        for range in self {
            var mapping = range.mapping
            if range.relativeToContainer {
                let first = UInt64(mapping.hostID)
                let end = first + UInt64(mapping.size)
                let home = container.first {
                    first >= UInt64($0.containerID) && end <= UInt64($0.containerID) + UInt64($0.size)
                }
                guard let home, let host = UInt32(exactly: UInt64(home.hostID) + first - UInt64(home.containerID))
                else {
                    return nil
                }
                mapping.hostID = host
            }
            mappings.append(mapping)
        }
        return mappings
    }
}
