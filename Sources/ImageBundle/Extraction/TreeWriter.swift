internal import LinuxSystem

/// Writes the members of archives into a directory, and nowhere else.
///
/// Names are resolved by the kernel with the directory as "/", the last component never through a link, and what is written
/// to was made by this writer a moment ago: no member can reach what is outside, whatever the ones before it were.
final class TreeWriter {
    let work: Work
    let directories: OpenDirectories
    private var pending = PendingDirectories()
    private var setter: MetadataSetter
    private let accounts: Accounts
    private var devicesLeftOut = 0
    /// What the layer that is being written has made; nil while nothing asks for it.
    private var made: Set<UInt64>?
    private var sinceCheckpoint = 0

    init(_ rootfs: borrowing FileDescriptor, _ work: Work) throws(BundleError) {
        self.work = work
        setter = try MetadataSetter(rootfs: rootfs, work)
        accounts = try explain("cannot open the root filesystem") { () throws(SystemError) in
            try Accounts(rootfs)
        }
        directories = try explain("cannot open the root filesystem") { () throws(SystemError) in
            try OpenDirectories(rootfs)
        }
    }

    /// - Parameter reader: stands at the data of the entry.
    func add(_ entry: TarEntry, _ reader: inout TarReader) throws(BundleError) {
        try countFile()
        let path = try EntryPath(entry.path)
        var metadata = Metadata(entry)
        if !metadata.attributes.isEmpty {
            AccessList.translate(&metadata.attributes) { accounts.number(of: $0, isGroup: $1) }
        }
        if path.name.isEmpty {
            guard entry.kind == .directory else { throw BundleError("\(shown(entry.path)) is no name of a file") }
            return try makeRoot(metadata)
        }
        do throws(SystemError) {
            let parent = try parent(path.directory)
            note(path.name, in: parent)
            let name = ByteName(path.name)
            switch entry.kind {
            case .directory: return try makeDirectory(path, name, in: parent, metadata)
            case .regular: break
            case .symbolicLink:
                guard !entry.link.isEmpty else { throw SystemError("symlinkat", "without a target", .invalid) }
                try replacing(name, in: parent) { () throws(SystemError) in
                    try parent.descriptor.makeSymbolicLink(name, to: ByteName(entry.link))
                }
                return try setter.apply(metadata, to: name, in: parent.descriptor, isLink: true, at: entry.path)
            case .fifo, .characterDevice, .blockDevice:
                return try makeNode(entry, name, in: parent, metadata)
            case .hardLink: break
            }
        } catch {
            throw BundleError("cannot make \(shown(entry.path))", error)
        }
        if entry.kind == .hardLink { return try makeHardLink(entry, path) }
        try makeFile(entry, path, metadata, &reader)
    }

    /// Sets what had to wait until everything is there.
    func finish() throws(BundleError) {
        try pending.apply(directories, &setter)
        var losses = setter.losses
        losses.devices = devicesLeftOut
        losses.tell(work)
    }

    // MARK: - Layers

    /// From now on it is remembered what is made.
    func beginLayer(isFirst: Bool) { made = isFirst ? nil : [] }

    func isOfThisLayer(_ name: ByteName, in directory: UInt64) -> Bool {
        made?.contains(Self.key(name.bytes, in: directory)) ?? true
    }

    private func note(_ name: [UInt8], in directory: OpenDirectory) {
        made?.insert(Self.key(name, in: directory.inode))
    }

    /// Swift seeds its hashes at random in each process: nobody can make two names meet.
    private static func key(_ name: [UInt8], in directory: UInt64) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(directory)
        hasher.combine(name)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    func countFile() throws(BundleError) {
        try work.count(files: 1)
        sinceCheckpoint += 1
        if sinceCheckpoint >= 64 {
            sinceCheckpoint = 0
            try work.checkpoint()
        }
    }

    // MARK: - Directories

    private func makeRoot(_ metadata: Metadata) throws(BundleError) {
        do throws(SystemError) {
            guard let root = try directories.existing([]) else { return }
            pending.set([], inode: root.inode, metadata)
        } catch {
            throw BundleError("cannot open the root filesystem", error)
        }
    }

    /// The directory at `path`, made with all above it where it is missing.
    private func parent(_ path: [UInt8]) throws(SystemError) -> OpenDirectory {
        if let directory = try directories.existing(path) { return directory }
        var missing: [EntryPath] = []
        var rest = path
        var found: OpenDirectory?
        while found == nil {
            guard !rest.isEmpty else { throw SystemError("openat2", "/", .noEntry) }
            let slash = rest.lastIndex(of: UInt8(ascii: "/"))
            let above = slash.map { Array(rest[..<$0]) } ?? []
            missing.append(EntryPath(directory: above, name: Array(rest[(slash.map { $0 + 1 } ?? 0)...])))
            found = try directories.existing(above)
            rest = above
        }
        var directory = found!
        for path in missing.reversed() {
            try directory.descriptor.makeDirectory(ByteName(path.name), mode: 0o700)
            note(path.name, in: directory)
            directory = try open(path, in: directory)
            pending.set(path.full, inode: directory.inode, .unlisted)
        }
        return directory
    }

    private func open(_ path: EntryPath, in parent: OpenDirectory) throws(SystemError) -> OpenDirectory {
        directories.remember(
            try OpenDirectory(path.full, try parent.descriptor.open(ByteName(path.name), .directory)))
    }

    private func makeDirectory(
        _ path: EntryPath, _ name: ByteName, in parent: OpenDirectory, _ metadata: Metadata
    ) throws(SystemError) {
        do throws(SystemError) {
            try parent.descriptor.makeDirectory(name, mode: 0o700)
        } catch {
            guard error.errno == .exists else { throw error }
            // One that is there already is described anew and keeps what is in it.
            if try parent.descriptor.status(of: name)?.isDirectory != true {
                try removeEntry(name, in: parent)
                try parent.descriptor.makeDirectory(name, mode: 0o700)
            }
        }
        let directory = try open(path, in: parent)
        pending.set(path.full, inode: directory.inode, metadata)
    }

    // MARK: - Files

    /// Makes an entry, in the place of what is there.
    private func replacing<Result: ~Copyable>(
        _ name: ByteName, in parent: OpenDirectory, _ make: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        do throws(SystemError) {
            return try make()
        } catch {
            guard error.errno == .exists else { throw error }
        }
        try removeEntry(name, in: parent)
        return try make()
    }

    func removeEntry(_ name: ByteName, in parent: OpenDirectory) throws(SystemError) {
        guard let status = try parent.descriptor.status(of: name) else { return }
        switch status.kind {
        case .directory:
            directories.forget()
            let inner = try parent.descriptor.open(name, .directory)
            try removeByteTree(in: inner)
            try parent.descriptor.remove(name, directory: true)
        case .symbolicLink:
            directories.forget()
            try parent.descriptor.remove(name)
        default:
            try parent.descriptor.remove(name)
        }
    }

    private func makeNode(
        _ entry: TarEntry, _ name: ByteName, in parent: OpenDirectory, _ metadata: Metadata
    ) throws(SystemError) {
        if entry.kind != .fifo && !(work.request.devices && !work.isRootless) {
            devicesLeftOut += 1
            // What was there would not be any more.
            return try removeEntry(name, in: parent)
        }
        let kind: FileStatus.Kind =
            switch entry.kind {
            case .fifo: .fifo
            case .blockDevice: .blockDevice
            default: .characterDevice
            }
        let number = DeviceNumber(major: entry.major, minor: entry.minor)
        try replacing(name, in: parent) { () throws(SystemError) in
            try parent.descriptor.makeNode(name, kind, number, mode: 0)
        }
        try setter.apply(metadata, to: name, in: parent.descriptor, isLink: false, at: entry.path)
    }

    private func makeHardLink(_ entry: TarEntry, _ path: EntryPath) throws(BundleError) {
        let target = try EntryPath(entry.link)
        do throws(SystemError) {
            let parent = try parent(path.directory)
            let name = ByteName(path.name)
            let other = ByteName(target.name)
            guard !target.name.isEmpty, let place = try directories.existing(target.directory),
                let status = try place.descriptor.status(of: other), !status.isDirectory
            else { throw SystemError("linkat", "", .noEntry) }
            // Linking a file to itself must not remove it first.
            if let there = try parent.descriptor.status(of: name), there.isSameFile(as: status) { return }
            try replacing(name, in: parent) { () throws(SystemError) in
                try parent.descriptor.makeHardLink(name, to: other, in: place.descriptor)
            }
        } catch {
            if error.errno == .noEntry {
                throw BundleError(
                    "the hard link \(shown(entry.path)) is to \(shown(entry.link)), which is no file of the image")
            }
            throw BundleError("cannot make the hard link \(shown(entry.path)) to \(shown(entry.link))", error)
        }
    }

    private func makeFile(
        _ entry: TarEntry, _ path: EntryPath, _ metadata: Metadata, _ reader: inout TarReader
    ) throws(BundleError) {
        let mode = setter.mode(metadata) & 0o777
        let file = try explain("cannot make \(shown(entry.path))") { () throws(SystemError) in
            let parent = try parent(path.directory)
            let name = ByteName(path.name)
            return try replacing(name, in: parent) { () throws(SystemError) in
                try parent.descriptor.open(name, [.writeOnly, .create, .exclusive], mode: mode)
            }
        }
        try writeContent(of: entry, &reader, to: file, work)
        try explain("cannot set what belongs to \(shown(entry.path))") { () throws(SystemError) in
            try setter.apply(metadata, to: file, at: entry.path, madeWithMode: true)
        }
    }
}
