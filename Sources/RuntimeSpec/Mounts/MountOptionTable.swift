/// What one word in `mounts[].options` does (config.md, Linux mount options).
package enum MountOption: Equatable, Sendable {
    /// Accepted, changes nothing (`defaults`).
    case nothing
    case bind(recursive: Bool)
    case remount
    /// A flag of one mount, or with `recursive` of the mount and all below it (mount_setattr(2) with AT_RECURSIVE).
    case attribute(MountAttribute, Bool, recursive: Bool)
    case atime(AccessTimeChange, recursive: Bool)
    /// A flag of the filesystem, shared by all its mounts.
    case superblock(SuperblockFlags, Bool)
    /// `ro` and `rw`: of the mount, and of the filesystem where a new one is mounted.
    case readonly(Bool)
    case propagation(Propagation)
    /// Copy what the mount hides into the new tmpfs.
    case tmpcopyup
    case idmap(recursive: Bool)
    /// Bind the symbolic link itself instead of what it points to, or make a copy of it.
    case symlink(SymlinkHandling)
}

/// The on/off flags of mount_setattr(2). Raw values are MOUNT_ATTR_* (linux/mount.h).
package enum MountAttribute: UInt64, Sendable, CaseIterable {
    case readonly = 0x1
    case nosuid = 0x2
    case nodev = 0x4
    case noexec = 0x8
    case nodiratime = 0x80
    case nosymfollow = 0x200000

    /// The MS_* flag of mount(2) that means the same.
    package var mountFlag: UInt {
        switch self {
        case .readonly: 1 << 0
        case .nosuid: 1 << 1
        case .nodev: 1 << 2
        case .noexec: 1 << 3
        case .nosymfollow: 1 << 8
        case .nodiratime: 1 << 11
        }
    }
}

/// When reading a file updates its access time: one field with three values. Raw values are MOUNT_ATTR_* (linux/mount.h).
package enum AccessTime: UInt64, Sendable, CaseIterable {
    /// The kernel's default.
    case relatime = 0x0
    case noatime = 0x10
    case strictatime = 0x20

    /// MOUNT_ATTR__ATIME: all bits of the field, which a change has to clear.
    package static let mask: UInt64 = 0x70

    /// The MS_* flag of mount(2) that means the same.
    package var mountFlag: UInt {
        switch self {
        case .relatime: 1 << 21
        case .noatime: 1 << 10
        case .strictatime: 1 << 24
        }
    }
}

/// `noatime` sets the field; `atime` takes that back, but leaves an earlier `strictatime` alone.
package enum AccessTimeChange: Equatable, Sendable {
    case set(AccessTime)
    case unset(AccessTime)
}

/// Flags of a filesystem. Raw values are MS_* (linux/mount.h).
package struct SuperblockFlags: OptionSet, Sendable {
    package let rawValue: UInt

    package init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    package static let readonly = SuperblockFlags(rawValue: 1 << 0)
    package static let synchronous = SuperblockFlags(rawValue: 1 << 4)
    package static let mandatoryLocks = SuperblockFlags(rawValue: 1 << 6)
    package static let dirsync = SuperblockFlags(rawValue: 1 << 7)
    package static let silent = SuperblockFlags(rawValue: 1 << 15)
    package static let iversion = SuperblockFlags(rawValue: 1 << 23)
    package static let lazytime = SuperblockFlags(rawValue: 1 << 25)
}

/// How mount events travel to and from a mount (mount_namespaces(7)).
package struct Propagation: Equatable, Sendable {
    package enum Kind: Sendable { case `private`, shared, slave, unbindable }

    package var kind: Kind
    /// For the mounts below as well.
    package var recursive: Bool

    package init(_ kind: Kind, recursive: Bool) {
        self.kind = kind
        self.recursive = recursive
    }
}

package enum SymlinkHandling: Sendable, CaseIterable {
    /// If the source is a symbolic link, make the same link at the destination and mount nothing.
    case copy
    /// If the source is a symbolic link, bind the link itself.
    case sourceNoFollow
    /// If the destination is a symbolic link, mount over the link itself.
    case destinationNoFollow
}

extension MountOption {
    /// Every option that is not left to the filesystem, sorted by name.
    ///
    /// The spec's table, the forms it forgets (`rnodev`), and what crun knows besides (`rsync`, `copy-symlink` ...). `acl`
    /// and `noacl` are missing on purpose: filesystems take them as their own options, MS_POSIXACL means something else.
    package static let table: [(name: String, option: MountOption)] = [
        ("async", .superblock(.synchronous, false)),
        ("atime", .atime(.unset(.noatime), recursive: false)),
        ("bind", .bind(recursive: false)),
        ("copy-symlink", .symlink(.copy)),
        ("defaults", .nothing),
        ("dest-nofollow", .symlink(.destinationNoFollow)),
        ("dev", .attribute(.nodev, false, recursive: false)),
        ("diratime", .attribute(.nodiratime, false, recursive: false)),
        ("dirsync", .superblock(.dirsync, true)),
        ("exec", .attribute(.noexec, false, recursive: false)),
        ("idmap", .idmap(recursive: false)),
        ("iversion", .superblock(.iversion, true)),
        ("lazytime", .superblock(.lazytime, true)),
        ("loud", .superblock(.silent, false)),
        ("mand", .superblock(.mandatoryLocks, true)),
        ("noatime", .atime(.set(.noatime), recursive: false)),
        ("nodev", .attribute(.nodev, true, recursive: false)),
        ("nodiratime", .attribute(.nodiratime, true, recursive: false)),
        ("noexec", .attribute(.noexec, true, recursive: false)),
        ("noiversion", .superblock(.iversion, false)),
        ("nolazytime", .superblock(.lazytime, false)),
        ("nomand", .superblock(.mandatoryLocks, false)),
        ("norelatime", .atime(.unset(.relatime), recursive: false)),
        ("nostrictatime", .atime(.unset(.strictatime), recursive: false)),
        ("nosuid", .attribute(.nosuid, true, recursive: false)),
        ("nosymfollow", .attribute(.nosymfollow, true, recursive: false)),
        ("private", .propagation(Propagation(.private, recursive: false))),
        ("rasync", .superblock(.synchronous, false)),
        ("ratime", .atime(.unset(.noatime), recursive: true)),
        ("rbind", .bind(recursive: true)),
        ("rdev", .attribute(.nodev, false, recursive: true)),
        ("rdiratime", .attribute(.nodiratime, false, recursive: true)),
        ("rdirsync", .superblock(.dirsync, true)),
        ("relatime", .atime(.set(.relatime), recursive: false)),
        ("remount", .remount),
        ("rexec", .attribute(.noexec, false, recursive: true)),
        ("ridmap", .idmap(recursive: true)),
        ("rmand", .superblock(.mandatoryLocks, true)),
        ("rnoatime", .atime(.set(.noatime), recursive: true)),
        ("rnodev", .attribute(.nodev, true, recursive: true)),
        ("rnodiratime", .attribute(.nodiratime, true, recursive: true)),
        ("rnoexec", .attribute(.noexec, true, recursive: true)),
        ("rnomand", .superblock(.mandatoryLocks, false)),
        ("rnorelatime", .atime(.unset(.relatime), recursive: true)),
        ("rnostrictatime", .atime(.unset(.strictatime), recursive: true)),
        ("rnosuid", .attribute(.nosuid, true, recursive: true)),
        ("rnosymfollow", .attribute(.nosymfollow, true, recursive: true)),
        ("ro", .readonly(true)),
        ("rprivate", .propagation(Propagation(.private, recursive: true))),
        ("rrelatime", .atime(.set(.relatime), recursive: true)),
        ("rro", .attribute(.readonly, true, recursive: true)),
        ("rrw", .attribute(.readonly, false, recursive: true)),
        ("rshared", .propagation(Propagation(.shared, recursive: true))),
        ("rslave", .propagation(Propagation(.slave, recursive: true))),
        ("rstrictatime", .atime(.set(.strictatime), recursive: true)),
        ("rsuid", .attribute(.nosuid, false, recursive: true)),
        ("rsymfollow", .attribute(.nosymfollow, false, recursive: true)),
        ("rsync", .superblock(.synchronous, true)),
        ("runbindable", .propagation(Propagation(.unbindable, recursive: true))),
        ("rw", .readonly(false)),
        ("shared", .propagation(Propagation(.shared, recursive: false))),
        ("silent", .superblock(.silent, true)),
        ("slave", .propagation(Propagation(.slave, recursive: false))),
        ("src-nofollow", .symlink(.sourceNoFollow)),
        ("strictatime", .atime(.set(.strictatime), recursive: false)),
        ("suid", .attribute(.nosuid, false, recursive: false)),
        ("symfollow", .attribute(.nosymfollow, false, recursive: false)),
        ("sync", .superblock(.synchronous, true)),
        ("tmpcopyup", .tmpcopyup),
        ("unbindable", .propagation(Propagation(.unbindable, recursive: false))),
    ]

    /// The option of that name, or nil when it is the filesystem's own.
    package init?(named name: String) {
        var low = 0
        var high = Self.table.count
        while low < high {
            let middle = (low + high) / 2
            if Self.table[middle].name < name { low = middle + 1 } else { high = middle }
        }
        guard low < Self.table.count, Self.table[low].name == name else { return nil }
        self = Self.table[low].option
    }
}
