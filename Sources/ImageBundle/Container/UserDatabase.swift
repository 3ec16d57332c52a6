internal import LinuxSystem

/// The users and groups of an image, passwd(5) and group(5). Its files are read inside its own tree, and nothing in them is
/// believed that is not a number where there must be one.
struct UserDatabase {
    struct User: Equatable {
        var name: String
        var uid: UInt32
        var gid: UInt32
        var home: String
    }

    private var users: [User] = []
    private var groups: [(name: String, gid: UInt32, members: [Substring])] = []

    init(passwd: [UInt8], group: [UInt8]) {
        for fields in Self.lines(passwd) where fields.count >= 6 {
            guard let uid = UInt32(fields[2]), let gid = UInt32(fields[3]) else { continue }
            users.append(User(name: String(fields[0]), uid: uid, gid: gid, home: String(fields[5])))
        }
        for fields in Self.lines(group) where fields.count >= 3 {
            guard let gid = UInt32(fields[2]) else { continue }
            let members = fields.count > 3 ? fields[3].split(separator: ",") : []
            groups.append((String(fields[0]), gid, members))
        }
    }

    /// - Parameter rootfs: the root of the image's tree.
    init(in rootfs: borrowing FileDescriptor) {
        self.init(passwd: Self.read("etc/passwd", rootfs), group: Self.read("etc/group", rootfs))
    }

    private static func read(_ path: String, _ rootfs: borrowing FileDescriptor) -> [UInt8] {
        guard let copy = try? rootfs.duplicate(),
            let place = try? RootDirectory(copy).open(path, .path),
            let file = try? openRegularFile(place, path)
        else { return [] }
        return (try? file.readToEnd(limit: 4 << 20)) ?? []
    }

    private static func lines(_ bytes: [UInt8]) -> [[Substring]] {
        bytes.split(separator: UInt8(ascii: "\n")).map {
            String(decoding: $0, as: UTF8.self).split(separator: ":", omittingEmptySubsequences: false)
        }
    }

    func user(_ name: String) -> UInt32? { users.first { $0.name == name }?.uid }

    func group(_ name: String) -> UInt32? { groups.first { $0.name == name }?.gid }

    /// Who a program of the image runs as.
    struct Identity: Equatable {
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        var additionalGids: [UInt32] = []
        var home: String?
    }

    /// - Parameter text: "user", "uid", "user:group", "uid:gid", "uid:group" or "user:gid", image-spec, config.md.
    func identity(_ text: String?) throws(BundleError) -> Identity {
        let parts = (text ?? "0").split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let wanted = parts.first.map(String.init) ?? ""
        var identity = Identity()
        // A name of digits goes before the number, as it does for chown(1).
        let user =
            users.first { $0.name == wanted } ?? users.first { String($0.uid) == (wanted.isEmpty ? "0" : wanted) }
        if let user {
            identity = Identity(uid: user.uid, gid: user.gid, home: user.home.isEmpty ? nil : user.home)
        } else if let uid = UInt32(wanted.isEmpty ? "0" : wanted), uid < .max {
            identity.uid = uid
        } else {
            throw BundleError("the image's user \(shown(wanted.utf8)) is not in its /etc/passwd")
        }
        if parts.count > 1, !parts[1].isEmpty {
            // With a group of its own choice the program has no others.
            identity.gid = try group(String(parts[1]))
        } else if let user {
            for group in groups where group.gid != user.gid && group.members.contains(where: { $0 == user.name }) {
                if identity.additionalGids.count < 1000 { identity.additionalGids.append(group.gid) }
            }
        }
        return identity
    }

    private func group(_ name: String) throws(BundleError) -> UInt32 {
        if let group = groups.first(where: { $0.name == name }) { return group.gid }
        if let gid = UInt32(name), gid < .max { return gid }
        throw BundleError("the image's group \(shown(name.utf8)) is not in its /etc/group")
    }
}
