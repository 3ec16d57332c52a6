/// Access control lists as text, acl(5), as GNU tar, star and bsdtar put them into extended headers (`SCHILY.acl.access`,
/// `SCHILY.acl.default`), and as the kernel has them in an extended attribute.
enum AccessList {
    /// What an attribute of an archive is called until names in it are looked up, and what the kernel calls it then.
    private static let kinds: [(text: StaticString, attribute: StaticString)] = [
        ("SCHILY.acl.access", "system.posix_acl_access"), ("SCHILY.acl.default", "system.posix_acl_default"),
    ]
    /// As many as one block of any filesystem holds.
    private static let mostEntries = 1000

    static func isText(_ key: some Collection<UInt8>) -> Bool { kinds.contains { key.elementsEqual(bytes($0.text)) } }

    /// The lists in `attributes` as the kernel wants them; those that make no sense are left as they are, which no
    /// filesystem takes.
    static func translate(_ attributes: inout [ExtendedAttribute], _ find: (_ name: String, _ isGroup: Bool) -> UInt32?)
    {
        for kind in kinds {
            guard let index = attributes.firstIndex(where: { $0.name.elementsEqual(bytes(kind.text)) }),
                let value = attribute(attributes[index].value, find)
            else { continue }
            attributes.remove(at: index)
            // Where the archive has the attribute itself, that is more exact.
            guard !attributes.contains(where: { $0.name.elementsEqual(bytes(kind.attribute)) }) else { continue }
            attributes.append(ExtendedAttribute(name: Array(bytes(kind.attribute)), value: value))
        }
    }

    private static func bytes(_ text: StaticString) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// linux/posix_acl_xattr.h
    private struct Entry {
        var tag: UInt16
        var permissions: UInt16
        var id: UInt32 = .max
    }

    /// - Parameter find: the id of a user or group by its name
    /// - Returns: nil when the text is no list, or names somebody who is not known
    static func attribute(_ text: [UInt8], _ find: (_ name: String, _ isGroup: Bool) -> UInt32?) -> [UInt8]? {
        var entries: [Entry] = []
        for line in text.split(whereSeparator: { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\n") }) {
            let plain = line.prefix { $0 != UInt8(ascii: "#") }.filter { $0 > 32 }
            if plain.isEmpty { continue }
            guard entries.count < mostEntries, let entry = entry(String(decoding: plain, as: UTF8.self), find) else {
                return nil
            }
            entries.append(entry)
        }
        guard !entries.isEmpty else { return nil }
        entries.sort { ($0.tag, $0.id) < ($1.tag, $1.id) }
        var value: [UInt8] = [2, 0, 0, 0]
        for entry in entries {
            for number in [UInt32(entry.tag) | UInt32(entry.permissions) << 16, entry.id] {
                for shift in [0, 8, 16, 24] as [UInt32] { value.append(UInt8(truncatingIfNeeded: number >> shift)) }
            }
        }
        return value
    }

    /// `user:NAME:rwx`, `u::rw-`, `group:NAME:r-x:ID`, `mask::rwx`, `other:r--`
    private static func entry(_ text: String, _ find: (String, Bool) -> UInt32?) -> Entry? {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard fields.count >= 2, fields.count <= 4 else { return nil }
        let (name, rights) = fields.count == 2 ? ("", fields[1]) : (fields[1], fields[2])
        guard let permissions = permissions(rights) else { return nil }
        let isNamed = !name.isEmpty
        switch fields[0] {
        case "user", "u":
            guard isNamed else { return Entry(tag: 0x01, permissions: permissions) }
        case "group", "g":
            guard isNamed else { return Entry(tag: 0x04, permissions: permissions) }
        case "mask", "m": return isNamed ? nil : Entry(tag: 0x10, permissions: permissions)
        case "other", "o": return isNamed ? nil : Entry(tag: 0x20, permissions: permissions)
        default: return nil
        }
        let isGroup = fields[0].hasPrefix("g")
        // A number behind the permissions is the id; the name is for people then.
        let number = fields.count == 4 ? UInt32(fields[3]) : find(name, isGroup) ?? UInt32(name)
        guard let number, number != .max else { return nil }
        return Entry(tag: isGroup ? 0x08 : 0x02, permissions: permissions, id: number)
    }

    private static func permissions(_ text: String) -> UInt16? {
        var bits: UInt16 = 0
        for letter in text.utf8 {
            switch letter {
            case UInt8(ascii: "r"): bits |= 4
            case UInt8(ascii: "w"): bits |= 2
            case UInt8(ascii: "x"): bits |= 1
            case UInt8(ascii: "-"): break
            default: return nil
            }
        }
        return text.utf8.count <= 3 ? bits : nil
    }
}
