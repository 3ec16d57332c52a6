internal import LinuxSystem
internal import RuntimeSpec

/// What is under way or attached, for `--gc`: a directory with a file for each thing that a killed command could leave half
/// made or attached, written before it is made. Without a place to write, bundles are made all the same.
package struct ImageRegistry: Sendable {
    private let stateRoot: String
    /// Put together when it is needed: every command of an engine makes a registry, and hardly one uses it.
    var path: String { stateRoot + "/.images" }

    package init(stateRoot: String) { self.stateRoot = stateRoot }

    struct Entry: JSONEncodable, JSONDecodable, Equatable {
        enum Kind: String {
            /// A bundle in the making: its directory is removed.
            case partial
            /// A bundle that runs from its image: what is attached is taken away, and the bundle stays.
            case attached
            /// As `attached`, of a directory that was made for one container.
            case temporary
            /// A directory that a command needs while it runs.
            case scratch
        }

        var kind: Kind
        var directory: String
        /// Who wrote it.
        var process: ProcessMark? = .current

        init(_ kind: Kind, _ directory: String) {
            self.kind = kind
            self.directory = directory
        }

        var json: JSON {
            .members {
                $0.add("kind", kind.rawValue)
                $0.add("directory", directory)
                $0.add("process", process)
            }
        }

        init(json: JSONValue) throws(SpecError) {
            let object = try json.object()
            kind = Kind(rawValue: try object.required("kind")) ?? .partial
            directory = try object.required("directory")
            process = try object.mark("process", start: "processStart")
        }
    }

    /// A name that follows from the directory: FNV-1a, 64 bits.
    private static func name(_ directory: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in directory.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hexadecimal(hash, width: 16)
    }

    /// Notes a directory that this process is going to make for one container.
    package func addTemporary(_ directory: String) { add(.temporary, directory) }

    func add(_ kind: Entry.Kind, _ directory: String) {
        // Somebody may remove the place because it is empty, before it is not.
        for _ in 0..<10 {
            guard let place = try? openMakingDirectories(path), (try? flock(place.rawValue, waiting: true)) != nil
            else { return }
            do throws(SystemError) {
                let file = try FileDescriptor.open(
                    Self.name(directory), [.writeOnly, .create, .truncate, .noFollow], mode: 0o600, at: place.rawValue)
                return try file.write(Entry(kind, directory).json.bytes())
            } catch {
                guard error.errno == .noEntry else { return }
            }
        }
    }

    package func remove(_ directory: String) {
        guard let place = try? FileDescriptor.open(path, .directory) else { return }
        try? place.remove(Self.name(directory))
        removeIfEmpty()
    }

    private func removeIfEmpty() {
        guard let parent = try? FileDescriptor.open(path + "/..", .place) else { return }
        try? parent.remove(".images", directory: true)
    }

    func entries() -> [Entry] {
        guard let place = try? FileDescriptor.open(path, .directoryItself),
            let status = try? place.status(), status.uid == effectiveUserID(), status.mode & 0o022 == 0,
            (try? flock(place.rawValue, waiting: true)) != nil
        else { return [] }
        var found: [Entry] = []
        for name in ((try? directoryEntries(place)) ?? []).sorted() {
            if let text = try? readFile(name, at: place.rawValue), let entry = try? Entry.decode(text) {
                found.append(entry)
            } else {
                // Nobody is writing it: who began to was killed, and has made nothing yet.
                try? place.remove(name)
            }
        }
        if found.isEmpty { removeIfEmpty() }
        return found
    }

    // MARK: - Clearing

    /// Undoes what killed commands have left.
    ///
    /// - Parameter inUse: finds the bundles and root filesystems of the containers that there are
    /// - Returns: a line for each thing that was cleared
    /// - Throws: the first thing that could not be cleared, when all else is
    package func clear(inUse: () throws(BundleError) -> [String]) throws(BundleError) -> [String] {
        // Who wrote it may be at work still.
        let entries = entries().filter { $0.process?.isAlive != true }
        guard !entries.isEmpty else { return [] }
        let used = try inUse()
        var lines: [String] = []
        var failure: BundleError?
        for entry in entries {
            let inside = entry.directory + "/"
            guard !used.contains(where: { $0 == entry.directory || $0.hasPrefix(inside) }) else { continue }
            do throws(BundleError) {
                if let line = try Self.clear(entry) { lines.append(line) }
                remove(entry.directory)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return lines
    }

    /// - Returns: nil when there was nothing to do
    private static func clear(_ entry: Entry) throws(BundleError) -> String? {
        let directory = entry.directory
        guard (try? fileStatus(directory, followLinks: false)) != nil else { return nil }
        switch entry.kind {
        case .partial:
            guard PartialBundle.isMarked(directory) else { return nil }
            try removeDirectory(directory)
            return "removed the unfinished bundle \(directory)"
        case .scratch:
            try removeDirectory(directory)
            return "removed the temporary directory \(directory)"
        case .attached, .temporary:
            guard AttachedImage.ownerHasEnded(directory) != false else { return nil }
            let line = try AttachedImage.detach(directory) ? "detached the image of \(directory)" : nil
            guard entry.kind == .temporary else { return line }
            try removeDirectory(directory)
            return line ?? "removed the temporary directory \(directory)"
        }
    }

    static func removeDirectory(_ path: String) throws(BundleError) {
        do throws(SystemError) {
            try removeOwnTree(path)
        } catch {
            if error.errno == .noEntry { return }
            throw BundleError("cannot remove \(path)", error)
        }
    }
}
