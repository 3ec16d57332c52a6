internal import LinuxSystem

/// Everything about a file but its name and its content.
struct Metadata: Equatable {
    var mode: UInt32
    var uid: UInt32
    var gid: UInt32
    /// nil: the time at which it was made.
    var times: FileTimes?
    var attributes: [ExtendedAttribute]

    init(_ entry: TarEntry) {
        (mode, uid, gid) = (entry.mode, entry.uid, entry.gid)
        let modified = (seconds: entry.modified.seconds, nanoseconds: entry.modified.nanoseconds)
        let accessed = entry.accessed.map { (seconds: $0.seconds, nanoseconds: $0.nanoseconds) }
        times = FileTimes(accessed: accessed ?? modified, modified: modified)
        attributes = entry.attributes
    }

    /// Of a directory that an archive does not list, but puts something into.
    static let unlisted = Metadata(mode: 0o755, uid: 0, gid: 0, times: nil, attributes: [])

    private init(mode: UInt32, uid: UInt32, gid: UInt32, times: FileTimes?, attributes: [ExtendedAttribute]) {
        (self.mode, self.uid, self.gid, self.times, self.attributes) = (mode, uid, gid, times, attributes)
    }
}

/// Sets owner, extended attributes, mode and times, in this order: a change of owner takes set-user-id bits and capabilities
/// away. Counts what could not be kept.
struct MetadataSetter {
    /// Whether owners can be set: not by an ordinary user who is alone in his user namespace, and gets everything himself.
    private let setsOwners: Bool
    /// Whether there are ids that no file can have here.
    private let lacksOwners: Bool
    private let dropsSetUserID: Bool
    /// The owner that files get by themselves.
    private let ownUser: UInt32
    private let ownGroup: UInt32
    /// Whether a new file gets its maker's group, not the directory's.
    private let inheritsGroup: Bool
    private(set) var losses = Losses()

    /// - Parameter rootfs: the directory in which everything is made.
    init(rootfs: borrowing FileDescriptor, _ work: Work) throws(BundleError) {
        ownUser = effectiveUserID()
        ownGroup = effectiveGroupID()
        setsOwners = !work.isRootless || work.ownIDs.hasOthers
        lacksOwners = work.isRootless
        dropsSetUserID = work.request.noSetUserID
        let status = try explain("cannot look at the root filesystem") { () throws(SystemError) in try rootfs.status() }
        inheritsGroup = status.mode & 0o2000 != 0 || status.gid != ownGroup
    }

    func mode(_ metadata: Metadata) -> UInt32 { dropsSetUserID ? metadata.mode & ~0o6000 : metadata.mode }

    private mutating func needsOwner(_ metadata: Metadata) -> Bool {
        if metadata.uid == ownUser && metadata.gid == ownGroup && !inheritsGroup { return false }
        guard !setsOwners else { return true }
        if metadata.uid != 0 || metadata.gid != 0 { losses.owners += 1 }
        return false
    }

    private mutating func setOwner(_ change: () throws(SystemError) -> Void) throws(SystemError) {
        do throws(SystemError) {
            try change()
        } catch {
            // What is not mapped in a user namespace is no id there.
            guard lacksOwners, error.errno == .invalid else { throw error }
            losses.owners += 1
        }
    }

    /// Of a file that was just made with the permission bits of `metadata`, or of a directory.
    mutating func apply(
        _ metadata: Metadata, to file: borrowing FileDescriptor, at path: [UInt8], madeWithMode: Bool = false
    ) throws(SystemError) {
        if needsOwner(metadata) {
            try setOwner { () throws(SystemError) in try file.changeOwner(uid: metadata.uid, gid: metadata.gid) }
        }
        for attribute in metadata.attributes where keeps(attribute) {
            do throws(SystemError) {
                try file.setAttribute(ByteName(attribute.name), attribute.value)
            } catch {
                try lose(attribute, of: path, error)
            }
        }
        let mode = mode(metadata)
        if !madeWithMode || mode & 0o7000 != 0 { try file.changeMode(mode) }
        if let times = metadata.times { try file.setTimes(times) }
    }

    /// Of what cannot be opened: links, devices, fifos.
    mutating func apply(
        _ metadata: Metadata, to name: ByteName, in directory: borrowing FileDescriptor, isLink: Bool, at path: [UInt8]
    ) throws(SystemError) {
        if needsOwner(metadata) {
            try setOwner { () throws(SystemError) in
                try directory.changeOwner(of: name, uid: metadata.uid, gid: metadata.gid)
            }
        }
        for attribute in metadata.attributes where keeps(attribute) {
            do throws(SystemError) {
                try directory.setAttribute(of: name, ByteName(attribute.name), attribute.value)
            } catch {
                try lose(attribute, of: path, error)
            }
        }
        if !isLink { try directory.changeMode(of: name, mode(metadata)) }
        if let times = metadata.times { try directory.setTimes(of: name, times) }
    }

    /// Overlayfs keeps its own notes in attributes. In an image they would be orders to the overlay that the tree becomes a
    /// layer of. SELinux labels are those of the machine that made the image.
    private func keeps(_ attribute: ExtendedAttribute) -> Bool {
        for prefix in ["trusted.overlay.", "user.overlay."] where attribute.name.starts(with: prefix.utf8) {
            return false
        }
        if attribute.name.elementsEqual("security.selinux".utf8) { return false }
        return !(dropsSetUserID && attribute.name.elementsEqual("security.capability".utf8))
    }

    private mutating func lose(
        _ attribute: ExtendedAttribute, of path: [UInt8], _ error: SystemError
    ) throws(SystemError) {
        guard [.notPermitted, .notSupported, .accessDenied, .invalid].contains(error.errno) else { throw error }
        losses.attributes += 1
        if losses.firstAttribute == nil {
            losses.firstAttribute = "\(ByteName(attribute.name).shown) of \(shown(path)): \(error.errno.text)"
        }
    }
}

/// What of an image is not in the tree, for a line to the user.
struct Losses: Equatable {
    var owners = 0
    var attributes = 0
    var firstAttribute: String?
    var devices = 0

    func tell(_ work: Work) {
        if owners > 0 {
            work.warn(
                work.ownIDs.hasOthers
                    ? "\(owners) files belong to users in the image for whom you have no subordinate ids; they belong to root"
                    : "\(owners) files belong to other users than root in the image; here all belong to you, as only root "
                        + "can give files away, and who has subordinate ids (subuid(5))")
        }
        if attributes > 0, let firstAttribute {
            work.warn("\(attributes) extended attributes could not be set, the first of them \(firstAttribute)")
        }
        if devices > 0 {
            work.warn(
                "\(devices) device nodes were left out; "
                    + (!work.isRootless ? "--devices makes them" : "only root can make them"))
        }
    }
}
