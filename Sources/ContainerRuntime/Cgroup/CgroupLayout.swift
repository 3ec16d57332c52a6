internal import CLinux
internal import Glibc
internal import LinuxSystem
internal import RuntimeSpec

/// One tree of cgroups that this host has mounted.
package struct CgroupHierarchy: Equatable, Sendable {
    /// What is accounted and limited here, in the kernel's words: `["cpu", "cpuacct"]`, `["name=systemd"]`. Empty for
    /// the unified hierarchy (v2), which tells in each cgroup what it has.
    package let controllers: [String]
    /// Where its files are.
    package let mountPoint: String
    /// The cgroup this process is in, relative to `mountPoint`: "/" or "/a/b".
    package let ownPath: String

    package var isUnified: Bool { controllers.isEmpty }
}

/// Which hierarchies there are, found in the mount table and never assumed: v1 controllers alone or mounted together,
/// a v2 tree, or both (hybrid). Read once per command that makes a container; later commands find the container's
/// directories in its state.
package struct CgroupLayout: Equatable, Sendable {
    package enum Kind: String, Sendable { case none, v1, hybrid, v2 }

    /// In the kernel's order, the unified one last. Named hierarchies other than systemd's are somebody else's.
    package let hierarchies: [CgroupHierarchy]

    package var unified: CgroupHierarchy? { hierarchies.last.flatMap { $0.isUnified ? $0 : nil } }

    package var kind: Kind {
        guard let last = hierarchies.last else { return .none }
        if !last.isUnified { return .v1 }
        return hierarchies.count == 1 ? .v2 : .hybrid
    }

    /// Reads /proc/self/cgroup and as much of /proc/self/mountinfo as it takes: on a host with thousands of mounts,
    /// the kernel's writing of the whole table would take longer than everything else.
    package static func detect() throws(RuntimeError) -> CgroupLayout {
        try explain("cannot find out which cgroup hierarchies are mounted") { () throws(SystemError) in
            var scan = LayoutScan(ownCgroups: try readFile("/proc/self/cgroup")) { mount in
                mountID(of: mount.point) == mount.id
            }
            let table = try FileDescriptor.open("/proc/self/mountinfo", .readOnly)
            while !scan.isComplete {
                let chunk = try table.read(upTo: 16 * 1024, subject: "/proc/self/mountinfo")
                if chunk.isEmpty { break }
                scan.feed(chunk)
            }
            return scan.layout
        }
    }

    package init(hierarchies: [CgroupHierarchy]) {
        self.hierarchies = hierarchies
    }
}

/// A line of /proc/PID/mountinfo (proc_pid_mountinfo(5)) about a cgroup hierarchy.
struct CgroupMount: Equatable {
    let id: Int
    /// The cgroup that is seen at `point`; not "/" where the mount shows a part of the hierarchy.
    let root: String
    let point: String
    let isUnified: Bool
    /// The filesystem's options, among which the controllers of a v1 hierarchy are.
    let options: [String]

    /// nil when the line is about something else, or malformed.
    init?(line: ArraySlice<UInt8>) {
        // 31 23 0:28 /root /mount/point rw,relatime shared:1 - cgroup source rw,cpu
        guard let separator = line.firstRange(of: " - cgroup".utf8) else { return nil }
        let space = UInt8(ascii: " ")
        var fields = Fields(line[..<separator.lowerBound])
        var tail = Fields(line[(separator.lowerBound + 3)...])
        guard let id = fields.next(space).flatMap({ Int(text($0)) }), fields.next(space) != nil,
            fields.next(space) != nil,
            let root = fields.next(space), let point = fields.next(space),
            let type = tail.next(space), tail.next(space) != nil, let options = tail.next(space),
            tail.next(space) == nil
        else { return nil }
        switch text(type) {
        case "cgroup": isUnified = false
        case "cgroup2": isUnified = true
        default: return nil
        }
        self.id = id
        self.root = unescaped(root)
        self.point = unescaped(point)
        self.options = texts(options)
    }
}

/// Puts together what this process is in (/proc/self/cgroup) with where it is mounted.
struct LayoutScan {
    private struct Membership {
        var controllers: [String]
        var path: String
        var mount: CgroupMount?
    }

    private var memberships: [Membership] = []
    private var rest: [UInt8] = []
    /// Whether what the line says is what is seen at the mount point now, not covered by a later mount.
    private let isVisible: (CgroupMount) -> Bool

    /// - Parameter ownCgroups: lines such as `4:cpu,cpuacct:/a/b`, cgroups(7).
    init(ownCgroups: [UInt8], isVisible: @escaping (CgroupMount) -> Bool) {
        self.isVisible = isVisible
        var lines = Fields(ownCgroups[...])
        while let line = lines.next(UInt8(ascii: "\n")) {
            var fields = Fields(line)
            let colon = UInt8(ascii: ":")
            // The path is the rest of the line: it may have colons too.
            guard fields.next(colon) != nil, let controllers = fields.next(colon).map(texts), !fields.rest.isEmpty
            else {
                continue
            }
            if let first = controllers.first, first.hasPrefix("name="), first != "name=systemd" { continue }
            memberships.append(Membership(controllers: controllers, path: text(fields.rest)))
        }
    }

    var isComplete: Bool { !memberships.contains { $0.mount == nil } }

    mutating func feed(_ chunk: [UInt8]) {
        let bytes = rest + chunk
        let end = bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1
        rest = Array(bytes[(end + 1)...])
        var lines = Fields(bytes[..<(end + 1)])
        while let line = lines.next(UInt8(ascii: "\n")) {
            if let mount = CgroupMount(line: line) { place(mount) }
        }
    }

    private mutating func place(_ mount: CgroupMount) {
        for index in memberships.indices where memberships[index].mount == nil {
            let first = memberships[index].controllers.first
            let matches = mount.isUnified ? first == nil : first.map(mount.options.contains) ?? false
            if matches, isVisible(mount) { memberships[index].mount = mount }
        }
    }

    var layout: CgroupLayout {
        let found = memberships.compactMap { membership in
            membership.mount.map { mount in
                CgroupHierarchy(
                    controllers: membership.controllers, mountPoint: mount.point,
                    ownPath: path(membership.path, below: mount.root))
            }
        }
        return CgroupLayout(hierarchies: found.filter { !$0.isUnified } + found.filter(\.isUnified))
    }

    /// `path` as seen through a mount that shows `root`. What lies outside of it (a process moved out of its cgroup
    /// namespace is at "/../x") cannot be reached through it, so that the mount's top takes its place.
    private func path(_ path: String, below root: String) -> String {
        if pathComponents(path).contains("..") { return "/" }
        if root == "/" { return path }
        if path.hasPrefix(root + "/") { return String(path.dropFirst(root.count)) }
        return "/"
    }
}

private func mountID(of path: String) -> Int {
    cl_mount_id(path)
}

private func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes, as: UTF8.self)
}

/// What is separated by commas.
private func texts(_ bytes: ArraySlice<UInt8>) -> [String] {
    var texts: [String] = []
    var fields = Fields(bytes)
    while let field = fields.next(UInt8(ascii: ",")) { texts.append(text(field)) }
    return texts
}

/// The kernel writes space, tab, newline and backslash as a backslash and three octal digits.
func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
    guard bytes.contains(UInt8(ascii: "\\")) else { return text(bytes) }
    var result: [UInt8] = []
    var index = bytes.startIndex
    while index < bytes.endIndex {
        let digits = bytes[(index + 1)...].prefix(3)
        if bytes[index] == UInt8(ascii: "\\"), digits.count == 3, let code = UInt8(text(digits), radix: 8) {
            result.append(code)
            index += 4
        } else {
            result.append(bytes[index])
            index += 1
        }
    }
    return String(decoding: result, as: UTF8.self)
}

extension ArraySlice<UInt8> {
    fileprivate func firstRange(of pattern: String.UTF8View) -> Range<Int>? {
        let count = pattern.count
        guard let first = pattern.first, self.count >= count else { return nil }
        var start = startIndex
        while let next = self[start...(endIndex - count)].firstIndex(of: first) {
            if self[next..<(next + count)].elementsEqual(pattern) { return next..<(next + count) }
            start = next + 1
            if start > endIndex - count { break }
        }
        return nil
    }
}
