internal import LinuxSystem
internal import RuntimeSpec

/// What is under way or attached, for `--gc`: a directory with a file for each bundle that a killed command could leave half
/// made or attached. Without a place to write, bundles are made all the same.
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
        }

        var kind: Kind
        var directory: String
        /// Who wrote it.
        var process: Int32 = currentProcessID()
        var processStart: UInt64 = LinuxSystem.processStartTime(currentProcessID()) ?? 0

        init(_ kind: Kind, _ directory: String) {
            self.kind = kind
            self.directory = directory
        }

        var json: JSON {
            .members {
                $0.add("kind", kind.rawValue)
                $0.add("directory", directory)
                $0.add("process", Int(process))
                $0.add("processStart", .uint(processStart))
            }
        }

        init(json: JSONValue) throws(SpecError) {
            let object = try json.object()
            kind = Kind(rawValue: try object.required("kind")) ?? .partial
            directory = try object.required("directory")
            process = try object.required("process")
            processStart = try object.required("processStart")
        }
    }

    /// A name that follows from the directory: FNV-1a, 64 bits.
    private static func name(_ directory: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in directory.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return hexadecimal(hash, width: 16)
    }

    func add(_ kind: Entry.Kind, _ directory: String) {
        guard let place = try? openMakingDirectories(path),
            let file = try? FileDescriptor.open(
                Self.name(directory), [.writeOnly, .create, .truncate, .noFollow], mode: 0o600, at: place.rawValue)
        else { return }
        try? file.write(Entry(kind, directory).json.bytes())
    }

    func remove(_ directory: String) {
        guard let place = try? FileDescriptor.open(path, .directory) else { return }
        try? place.remove(Self.name(directory))
        // Gone when it was the last one.
        guard let parent = try? FileDescriptor.open(path + "/..", .place) else { return }
        try? parent.remove(".images", directory: true)
    }

    func entries() -> [Entry] {
        guard let place = try? FileDescriptor.open(path, .directoryItself),
            let status = try? place.status(), status.uid == effectiveUserID(), status.mode & 0o022 == 0
        else { return [] }
        var found: [Entry] = []
        for name in ((try? directoryEntries(place)) ?? []).sorted() {
            if let text = try? readFile(name, at: place.rawValue), let entry = try? Entry.decode(text) {
                found.append(entry)
            }
        }
        return found
    }

    // MARK: - Clearing

    /// Undoes what killed commands have left.
    ///
    /// - Parameter used: whether a container of that bundle exists
    /// - Returns: a line for each thing that was cleared
    package func clear(used: (String) -> Bool) throws(BundleError) -> [String] {
        var lines: [String] = []
        for entry in entries() {
            // Who wrote it may be at work still.
            if LinuxSystem.processStartTime(entry.process) == entry.processStart { continue }
            switch entry.kind {
            case .partial:
                guard PartialBundle.isMarked(entry.directory) else { continue }
                try Self.removeDirectory(entry.directory)
                lines.append("removed the unfinished bundle \(entry.directory)")
            case .attached, .temporary:
                if used(entry.directory) || AttachedImage.ownerHasEnded(entry.directory) == false { continue }
                if (try? fileStatus(entry.directory, followLinks: false)) != nil {
                    if try AttachedImage.detach(entry.directory) {
                        lines.append("detached the image of \(entry.directory)")
                    }
                    if entry.kind == .temporary { try Self.removeDirectory(entry.directory) }
                }
            }
            remove(entry.directory)
        }
        return lines
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
