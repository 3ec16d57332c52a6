internal import LinuxSystem
internal import RuntimeSpec

/// One entry of `mounts`, worked out: what is mounted where, and how.
struct PlannedMount: Equatable {
    enum Content: Equatable {
        /// A bind mount of a host's file or directory.
        case bind(source: String)
        /// A new filesystem.
        case filesystem(type: String, source: String)
        /// The container's view of the cgroups.
        case cgroup
        /// What is mounted at the destination already.
        case remount
    }

    /// `mounts[N]`
    let configPath: String
    /// A path below the container's root.
    let destination: String
    private(set) var content: Content
    private(set) var options: MountOptions
    let uidMappings: [IDMapping]
    let gidMappings: [IDMapping]

    init(_ mount: Mount, index: Int, bundle: String) throws(RuntimeError) {
        configPath = "mounts[\(index)]"
        // config.md, "Mounts": a relative destination is relative to "/", a relative source to the bundle.
        destination = mount.destination.utf8.first == UInt8(ascii: "/") ? mount.destination : "/" + mount.destination
        do throws(SpecError) {
            options = try MountOptions(parsing: mount.options)
        } catch {
            throw RuntimeError("\(configPath).options\(error)")
        }
        if options.remount {
            content = .remount
        } else if options.bind != .no {
            guard let source = mount.source, !source.isEmpty else {
                throw RuntimeError(
                    at: configPath, "a bind mount needs a source", hint: "add the path to bind as source")
            }
            content = .bind(source: source.utf8.first == UInt8(ascii: "/") ? source : "\(bundle)/\(source)")
        } else if mount.type == "cgroup" || mount.type == "cgroup2" {
            content = .cgroup
        } else {
            guard let type = mount.type, !type.isEmpty else {
                throw RuntimeError(
                    at: configPath, "a mount needs a type",
                    hint: "add type, or the option bind or rbind for a bind mount")
            }
            content = .filesystem(type: type, source: mount.source ?? "")
        }
        uidMappings = mount.uidMappings
        gidMappings = mount.gidMappings
        try check()
    }

    /// An entry in the place of which systemd's own hierarchy of version 1 is mounted, alone.
    init(systemdHierarchyInsteadOf mount: Mount, index: Int) throws(RuntimeError) {
        var replaced = mount
        (replaced.type, replaced.source) = ("cgroup", "cgroup")
        replaced.options.removeAll { ["bind", "rbind"].contains($0) }
        var planned = try PlannedMount(replaced, index: index, bundle: "")
        planned.content = .filesystem(type: "cgroup", source: "cgroup")
        planned.options.data = ["none", "name=systemd"]
        self = planned
    }

    private func check() throws(RuntimeError) {
        if content.isBind, let unknown = options.data.first {
            throw RuntimeError(
                at: "\(configPath).options", "a bind mount takes no option \"\(unknown)\"",
                hint: "remove it, or correct its spelling")
        }
        if options.tmpcopyup, content != .filesystem(type: "tmpfs", source: content.source) {
            throw RuntimeError(at: "\(configPath).options", "tmpcopyup is for mounts of type tmpfs")
        }
        if wantsIDMapping, !content.isBind {
            throw RuntimeError(
                at: configPath, "only bind mounts can be id-mapped", hint: "add the option bind or rbind")
        }
    }

    var wantsIDMapping: Bool { options.idmap != nil || !uidMappings.isEmpty }

    /// The mappings of an id-mapped mount: its own, those in its options, else the container's.
    func mappings(container linux: Linux) -> (uid: [IDMapping], gid: [IDMapping])? {
        guard let request = options.idmap, request.hasOwnMapping else {
            return uidMappings.isEmpty ? (linux.uidMappings, linux.gidMappings) : (uidMappings, gidMappings)
        }
        guard let uid = request.uids.resolved(through: linux.uidMappings),
            let gid = request.gids.resolved(through: linux.gidMappings)
        else { return nil }
        return (uid, gid)
    }

    /// Attributes for a mount that has just been made.
    var attributes: MountAttributes { MountAttributes(rawValue: options.attributes.set) }

    /// What the filesystem itself is told, in order: "ro", "sync", "size=64k" ...
    func filesystemOptions(changing: Bool = false) -> [String] {
        var words: [String] = []
        for (flag, on, off) in Self.superblockWords {
            // A tmpfs that is filled first is made read-only afterwards.
            if flag == .readonly, options.tmpcopyup { continue }
            if options.superblock.contains(flag) { words.append(on) }
            if changing, options.superblockCleared.contains(flag) { words.append(off) }
        }
        return words + options.data
    }

    private static let superblockWords: [(SuperblockFlags, String, String)] = [
        (.readonly, "ro", "rw"), (.synchronous, "sync", "async"), (.dirsync, "dirsync", ""),
        (.lazytime, "lazytime", "nolazytime"), (.mandatoryLocks, "mand", "nomand"),
    ]

    /// fsopen(2) knows no word for these flags, and takes no option of more than 255 bytes.
    var needsLegacyMount: Bool {
        options.superblock.contains(.iversion) || options.superblock.contains(.silent)
            || options.data.contains { $0.utf8.count > 255 }
    }
}

extension PlannedMount.Content {
    var isBind: Bool { if case .bind = self { true } else { false } }
    var isFilesystem: Bool { if case .filesystem = self { true } else { false } }

    /// Whether it can be mounted only once the container is in its cgroups: it shows them from there.
    var showsCgroups: Bool {
        switch self {
        case .cgroup, .filesystem(type: "cgroup", _): true
        default: false
        }
    }

    var source: String {
        switch self {
        case .bind(let source), .filesystem(_, let source): source
        case .cgroup, .remount: ""
        }
    }
}

extension Propagation {
    var linux: MountPropagation {
        switch kind {
        case .private: .private
        case .shared: .shared
        case .slave: .slave
        case .unbindable: .unbindable
        }
    }
}
