/// A run of ids: what they are inside of a user namespace, and what outside of it. user_namespaces(7).
package struct IDRange: Equatable, Sendable {
    package let inside: UInt32
    package let outside: UInt32
    package let count: UInt32

    package init(inside: UInt32, outside: UInt32, count: UInt32) {
        self.inside = inside
        self.outside = outside
        self.count = count
    }
}

/// The ids that a user may map besides its own, subuid(5): lines of `USER:FIRST:COUNT`, where USER is a name or a number.
package struct SubordinateIDs: Equatable, Sendable {
    package struct Range: Equatable, Sendable {
        package let first: UInt32
        package let count: UInt32

        package init(first: UInt32, count: UInt32) {
            self.first = first
            self.count = count
        }
    }

    package let ranges: [Range]

    package var isEmpty: Bool { ranges.isEmpty }

    /// Those that `file` grants to the user with this number.
    ///
    /// - Parameter file: /etc/subuid, or /etc/subgid, which grants group ids to users as well
    package init(ofUser uid: UInt32, in file: String) {
        self.init(ofUser: uid, name: userName(uid), text: (try? readFile(file)) ?? [])
    }

    package init(ofUser uid: UInt32, name: String, text: [UInt8]) {
        var ranges: [Range] = []
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 3, fields[0] == "\(uid)" || (!name.isEmpty && fields[0] == name),
                let first = UInt32(fields[1]), let count = UInt32(fields[2]), count > 0,
                case let (_, overflow) = first.addingReportingOverflow(count), !overflow
            else { continue }
            ranges.append(Range(first: first, count: count))
        }
        self.ranges = ranges
    }

    /// The mapping that makes `id` root, and the subordinate ids those from 1 on.
    package func mapping(root id: UInt32) -> [IDRange] {
        var mapping = [IDRange(inside: 0, outside: id, count: 1)]
        var next: UInt32 = 1
        for range in ranges {
            mapping.append(IDRange(inside: next, outside: range.first, count: range.count))
            let (sum, overflow) = next.addingReportingOverflow(range.count)
            if overflow { break }
            next = sum
        }
        return mapping
    }
}

/// What a user is in a user namespace of his own: root, and where the host grants him further ids of both kinds
/// (files have both owners), the users and groups from 1 on.
package struct OwnIDs: Equatable, Sendable {
    package let users: [IDRange]
    package let groups: [IDRange]

    /// Root, and nobody else.
    package static var alone: OwnIDs {
        OwnIDs(
            users: [IDRange(inside: 0, outside: effectiveUserID(), count: 1)],
            groups: [IDRange(inside: 0, outside: effectiveGroupID(), count: 1)])
    }

    /// All that the host grants; to its root that is every id as it is.
    package static var granted: OwnIDs {
        let uid = effectiveUserID()
        if uid == 0, !isInUserNamespace() {
            let all = [IDRange(inside: 0, outside: 0, count: .max)]
            return OwnIDs(users: all, groups: all)
        }
        let users = SubordinateIDs(ofUser: uid, in: "/etc/subuid")
        let groups = SubordinateIDs(ofUser: uid, in: "/etc/subgid")
        guard !users.isEmpty, !groups.isEmpty else { return .alone }
        return OwnIDs(users: users.mapping(root: uid), groups: groups.mapping(root: effectiveGroupID()))
    }

    /// Whether there are others than root.
    package var hasOthers: Bool { Self.isMore(users) && Self.isMore(groups) }

    private static func isMore(_ ranges: [IDRange]) -> Bool { ranges.count > 1 || ranges.contains { $0.count > 1 } }
}
