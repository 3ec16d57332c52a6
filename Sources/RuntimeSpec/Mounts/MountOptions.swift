/// `mounts[].options` of one mount, read from first to last; a later option wins over an earlier one.
package struct MountOptions: Equatable, Sendable {
    package enum Bind: Equatable, Sendable {
        case no
        case single
        case recursive
    }

    package var bind = Bind.no
    package var remount = false
    /// For this mount.
    package var attributes = MountAttributeChange()
    /// For this mount and all below it; to be applied after `attributes`.
    package var recursiveAttributes = MountAttributeChange()
    /// Flags of the filesystem to set, and to clear (which matters to `remount` only).
    package var superblock = SuperblockFlags()
    package var superblockCleared = SuperblockFlags()
    /// In the order given: each is a system call of its own.
    package var propagation: [Propagation] = []
    package var tmpcopyup = false
    package var idmap: MountIDMapping?
    package var copySymlink = false
    package var sourceNoFollow = false
    package var destinationNoFollow = false
    /// Options nobody here knows, in order: the filesystem's own.
    package var data: [String] = []

    package init() {}

    /// - Throws: `SpecError` whose path is the index of the option: `[2]`.
    package init(parsing options: [String]) throws(SpecError) {
        for (index, name) in options.enumerated() {
            if let option = MountOption(named: name) {
                apply(option)
            } else if let request = try MountIDMapping(option: name, index: index) {
                idmap = request
            } else if !name.isEmpty {
                data.append(name)
            }
        }
    }

    /// The last argument of mount(2): the filesystem's own options, separated by commas.
    package var dataText: String {
        data.joined(separator: ",")
    }

    /// Flags for mount(2) of a new filesystem: attributes, access time and superblock flags in MS_* bits. Bind, remount and
    /// propagation are calls of their own and not part of it.
    package var mountFlags: UInt {
        attributes.mountFlags | superblock.rawValue
    }

    private mutating func apply(_ option: MountOption) {
        switch option {
        case .nothing: break
        // Not even `bind` after `rbind` takes the recursion back: to mount(2) they are flags that add up.
        case .bind(let recursive): bind = recursive || bind == .recursive ? .recursive : .single
        case .remount: remount = true
        case .attribute(let attribute, let on, recursive: false): attributes.change(attribute, on)
        case .attribute(let attribute, let on, recursive: true): recursiveAttributes.change(attribute, on)
        case .atime(let change, recursive: false): attributes.change(change)
        case .atime(let change, recursive: true): recursiveAttributes.change(change)
        case .superblock(let flags, let on): change(flags, on)
        case .readonly(let on):
            attributes.change(.readonly, on)
            change(.readonly, on)
        case .propagation(let kind): propagation.append(kind)
        case .tmpcopyup: tmpcopyup = true
        case .idmap(let recursive): idmap = MountIDMapping(recursive: recursive)
        case .symlink(.copy): copySymlink = true
        case .symlink(.sourceNoFollow): sourceNoFollow = true
        case .symlink(.destinationNoFollow): destinationNoFollow = true
        }
    }

    private mutating func change(_ flags: SuperblockFlags, _ on: Bool) {
        if on {
            superblock.formUnion(flags)
            superblockCleared.subtract(flags)
        } else {
            superblock.subtract(flags)
            superblockCleared.formUnion(flags)
        }
    }
}

/// A change to the attributes of a mount, in the terms of mount_setattr(2).
package struct MountAttributeChange: Equatable, Sendable {
    /// On/off attributes to set and to clear; disjoint. MOUNT_ATTR_* bits without the access time field.
    private var on: UInt64 = 0
    private var off: UInt64 = 0
    /// nil: leave the field as it is.
    package private(set) var accessTime: AccessTime?

    package init() {}

    package var isEmpty: Bool {
        on == 0 && off == 0 && accessTime == nil
    }

    /// `mount_attr.attr_set`.
    package var set: UInt64 {
        on | (accessTime?.rawValue ?? 0)
    }

    /// `mount_attr.attr_clr`. The access time is a field, not a bit: the kernel wants all of it cleared by a change.
    package var clear: UInt64 {
        off | (accessTime == nil ? 0 : AccessTime.mask)
    }

    /// Whether the change switches an attribute on.
    package func sets(_ attribute: MountAttribute) -> Bool {
        on & attribute.rawValue != 0
    }

    package mutating func change(_ attribute: MountAttribute, _ value: Bool) {
        if value {
            on |= attribute.rawValue
            off &= ~attribute.rawValue
        } else {
            on &= ~attribute.rawValue
            off |= attribute.rawValue
        }
    }

    /// Taking a value back that was not asked for before leaves the kernel's default, as mount(8) does.
    package mutating func change(_ change: AccessTimeChange) {
        switch change {
        case .set(let value): accessTime = value
        case .unset(let value):
            if accessTime == nil || accessTime == value { accessTime = .relatime }
        }
    }

    /// The attributes to set as MS_* bits of mount(2).
    fileprivate var mountFlags: UInt {
        var flags = accessTime?.mountFlag ?? 0
        for attribute in MountAttribute.allCases where sets(attribute) { flags |= attribute.mountFlag }
        return flags
    }
}
