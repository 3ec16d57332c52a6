internal import LinuxSystem
package import RuntimeSpec

/// The ids that a user may map besides its own, subuid(5): lines of `USER:FIRST:COUNT`, where USER is a name or a number.
package struct SubordinateIDs: Equatable, Sendable {
    package struct Range: Equatable, Sendable {
        package let first: UInt32
        package let count: UInt32
    }

    package let ranges: [Range]

    package var isEmpty: Bool { ranges.isEmpty }

    /// Those that `file` grants to the user with this number.
    ///
    /// - Parameter file: /etc/subuid, or /etc/subgid, which grants group ids to users as well
    package init(ofUser uid: UInt32, in file: String) {
        self.init(ofUser: uid, name: userName(uid), text: (try? readFile(file)) ?? [])
    }

    init(ofUser uid: UInt32, name: String, text: [UInt8]) {
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

    /// The mapping that makes `id` the container's root, and its subordinate ids those from 1 on.
    package func mapping(root id: UInt32) -> [IDMapping] {
        var mappings = [IDMapping(containerID: 0, hostID: id, size: 1)]
        var next: UInt32 = 1
        for range in ranges {
            mappings.append(IDMapping(containerID: next, hostID: range.first, size: range.count))
            let (sum, overflow) = next.addingReportingOverflow(range.count)
            if overflow { break }
            next = sum
        }
        return mappings
    }
}
