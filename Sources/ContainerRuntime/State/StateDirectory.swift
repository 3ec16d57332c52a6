package import LinuxSystem

/// The directory that holds the state of every container, one subdirectory each (`--root`).
package struct StateRoot: Sendable {
    package let path: String
    /// Who knows bundles whose root filesystem is not simply there.
    package var rootfsProvider: (any RootfsProvider)?

    package init(path: String) { self.path = path }

    var seccompCache: SeccompCache { SeccompCache(directory: "\(path)/\(SeccompCache.directoryName)") }

    /// /run/swrun, or for an ordinary user swrun in the directory that the login made for the session.
    package static func standard(rootless: Bool) -> StateRoot {
        if rootless, let runtime = environmentVariable("XDG_RUNTIME_DIR"), !runtime.isEmpty {
            return StateRoot(path: runtime + "/swrun")
        }
        return StateRoot(path: "/run/swrun")
    }

    /// Makes the directory of a new container and locks it.
    package func create(_ id: ContainerID) throws(RuntimeError) -> StateDirectory {
        let hint = "choose another place with --root"
        let path = self.path
        // The lock keeps two creates of one id from taking each other's new directory for a leftover.
        let root = try explain("cannot open the state root \(path)", hint: hint) { () throws(SystemError) in
            let root = try openMakingDirectories(path)
            _ = try root.lock(waiting: true)
            return root
        }
        do {
            try root.makeDirectory(id.text, mode: 0o711)
        } catch {
            guard error.errno == .exists else {
                throw RuntimeError("cannot make the state directory \(path)/\(id.text)", error, hint: hint)
            }
            guard try removeLeftover(id, in: root) else { throw .idIsTaken }
            try explain("cannot make the state directory \(path)/\(id.text)") { () throws(SystemError) in
                try root.makeDirectory(id.text, mode: 0o711)
            }
        }
        return try explain("cannot open the state directory \(path)/\(id.text)") { () throws(SystemError) in
            let directory = try FileDescriptor.open(id.text, .directoryItself, at: root.rawValue)
            _ = try directory.lock(waiting: false)
            return StateDirectory(root: self, id: id, descriptor: directory)
        }
    }

    /// Whether there is a directory of this id, be it of a container or a leftover.
    func exists(_ id: ContainerID) -> Bool {
        ((try? fileStatus("\(path)/\(id.text)", followLinks: false)) ?? nil) != nil
    }

    /// Opens the directory of an existing container.
    package func open(_ id: ContainerID) throws(RuntimeError) -> StateDirectory {
        let directory: FileDescriptor
        do throws(SystemError) {
            directory = try FileDescriptor.open("\(path)/\(id.text)", .directoryItself)
        } catch {
            if error.errno == .noEntry { throw .noContainer }
            throw RuntimeError("cannot open the state directory \(path)/\(id.text)", error)
        }
        try requireOwn(directory, "\(path)/\(id.text)")
        return StateDirectory(root: self, id: id, descriptor: directory)
    }

    /// What is in a state directory is believed: processes are killed, directories removed and hooks run because it says so.
    /// So nobody else may be able to write it.
    private func requireOwn(_ directory: borrowing FileDescriptor, _ path: String) throws(RuntimeError) {
        let status = try explain("cannot look at \(path)") { () throws(SystemError) in try directory.status() }
        guard status.uid == effectiveUserID(), status.mode & 0o022 == 0 else {
            throw RuntimeError(
                "the state directory \(path) is not to be trusted: it belongs to user \(status.uid), or others may write it",
                hint: "use a --root that only user \(effectiveUserID()) can write")
        }
    }

    /// The ids of all containers, sorted.
    package func containerIDs() throws(RuntimeError) -> [ContainerID] {
        do {
            let root = try FileDescriptor.open(path, .directory)
            var ids: [ContainerID] = []
            for name in try directoryEntries(root).sorted() {
                if let id = try? ContainerID(name), !name.hasPrefix(".") { ids.append(id) }
            }
            return ids
        } catch {
            if error.errno == .noEntry { return [] }
            throw RuntimeError("cannot read the state root \(path)", error)
        }
    }

    /// A create that was killed leaves a directory without a lock and without a container: it is cleared, so that the
    /// next create of that id succeeds. False when a container is there, or one is being created.
    private func removeLeftover(_ id: ContainerID, in root: borrowing FileDescriptor) throws(RuntimeError) -> Bool {
        guard let directory = try? FileDescriptor.open(id.text, .directoryItself, at: root.rawValue) else {
            return false
        }
        try requireOwn(directory, "\(path)/\(id.text)")
        let state = StateDirectory(root: self, id: id, descriptor: directory)
        var patience = 20
        while true {
            guard try state.isLeftover() else { return false }
            if (try? state.descriptor.lock(waiting: false)) == true { break }
            // Of a create that was killed, the process it has just made holds the lock for another moment.
            guard patience > 0 else { return false }
            sleep(milliseconds: 10)
            patience -= 1
        }
        // It may have come to its end before it gave up the lock.
        guard try state.isLeftover() else { return false }
        try state.clearLeftover()
        return true
    }

    /// The same for a create that has not made its state yet, because what was left is in its way: init in the cgroup.
    ///
    /// - Throws: when the id is a container's
    func clearLeftover(_ id: ContainerID) throws(RuntimeError) {
        let path = self.path
        let root = try explain("cannot open the state root \(path)") { () throws(SystemError) in
            let root = try FileDescriptor.open(path, .directory)
            _ = try root.lock(waiting: true)
            return root
        }
        guard try removeLeftover(id, in: root) else { throw .idIsTaken }
    }
}

/// The state of one container: `state.json`, the copy of its `config.json`, and `exec.fifo` until it is started.
package struct StateDirectory: ~Copyable {
    package let root: StateRoot
    package let id: ContainerID
    package let descriptor: FileDescriptor

    package var path: String { "\(root.path)/\(id.text)" }

    static let recordName = "state.json"
    static let configName = "config.json"

    /// Waits for whoever changes the container just now, and keeps others from changing it until this process ends.
    package borrowing func lock() throws(RuntimeError) {
        let path = self.path
        let directory = descriptor.rawValue
        let locked = try explain("cannot lock \(path)") { () throws(SystemError) in
            for _ in 0..<1000 {
                if try flock(directory, waiting: false) { return true }
                sleep(milliseconds: 10)
            }
            return false
        }
        guard locked else {
            throw RuntimeError("container \(id.text) is busy", hint: "another command has been changing it for 10 s")
        }
    }

    package borrowing func unlock() { LinuxSystem.unlock(descriptor) }

    /// Replaces `name` as a whole: readers see the old content or the new one.
    borrowing func write(_ name: String, _ bytes: [UInt8], replacing: Bool) throws(RuntimeError) {
        guard replacing else { return try fill(name, bytes) }
        try prepare(name, bytes)
        try publish(name)
    }

    /// What takes the place of `name` when it is published.
    borrowing func prepare(_ name: String, _ bytes: [UInt8]) throws(RuntimeError) { try fill(".\(name)", bytes) }

    borrowing func publish(_ name: String) throws(RuntimeError) {
        do throws(SystemError) {
            try descriptor.rename(".\(name)", to: name)
        } catch {
            throw RuntimeError("cannot write \(path)/\(name)", error)
        }
    }

    private borrowing func fill(_ name: String, _ bytes: [UInt8]) throws(RuntimeError) {
        let path = self.path
        do {
            let file = try FileDescriptor.open(name, .newContent, mode: 0o600, at: descriptor.rawValue)
            try file.write(bytes, subject: "\(path)/\(name)")
        } catch {
            throw RuntimeError(
                "cannot write \(path)/\(name)", error,
                hint: error.errno == .noSpace ? "the filesystem of the state root is full" : nil)
        }
    }

    borrowing func read(_ name: String, limit: Int = 1 << 26) throws(RuntimeError) -> [UInt8] {
        guard let bytes = try readIfPresent(name, limit: limit) else {
            throw RuntimeError("cannot read \(path)/\(name)", SystemError("open", name, .noEntry))
        }
        return bytes
    }

    borrowing func readIfPresent(_ name: String, limit: Int = 1 << 26) throws(RuntimeError) -> [UInt8]? {
        do throws(SystemError) {
            return try readFile(name, at: descriptor.rawValue, limit: limit)
        } catch {
            if error.errno == .noEntry { return nil }
            throw RuntimeError("cannot read \(path)/\(name)", error)
        }
    }

    /// A copy of config.json as it was read: later changes to the bundle have no effect on the container.
    borrowing func writeConfig(_ text: [UInt8]) throws(RuntimeError) {
        try write(Self.configName, text, replacing: false)
    }

    /// Makes the fifos that `start` opens.
    borrowing func makeExecFIFO() throws(RuntimeError) -> ExecFIFO.Ends {
        let path = self.path
        return try explain("cannot make \(path)/\(ExecFIFO.name)") { () throws(SystemError) in
            try ExecFIFO.make(in: descriptor)
        }
    }

    borrowing func makeNotifyDirectory() throws(RuntimeError) {
        let path = self.path
        try explain("cannot make \(path)/\(NotifySocket.directoryName)") { () throws(SystemError) in
            try descriptor.makeDirectory(NotifySocket.directoryName, mode: 0o755)
        }
    }

    borrowing func exists(_ name: String) -> Bool {
        ((try? fileStatus(name, at: descriptor.rawValue, followLinks: false)) ?? nil) != nil
    }

    /// Undoes what a killed create did. Its init may be waiting to be started: the record was written before there was
    /// one, so that it is found in the cgroup, where that is the one which this create made.
    borrowing func clearLeftover() throws(RuntimeError) {
        do throws(RuntimeError) { try clear(try readRecord()) } catch {
            guard error == .noContainer else { throw error }
        }
        try remove()
    }

    private borrowing func clear(_ record: ContainerRecord) throws(RuntimeError) {
        try record.cgroup.killAll(9)
        try record.cgroup.remove()
        record.resourceControl?.undo()
        root.rootfsProvider?.release(record.bundle, record.annotations) { _ in }
    }

    /// Removes the directory with all that is in it.
    package borrowing func remove() throws(RuntimeError) {
        let path = self.path
        do {
            do throws(SystemError) {
                try removeTree(in: descriptor)
            } catch  where error.errno == .crossDevice {
                // A restore that was killed has left it; what it shows is the user's root filesystem.
                try unmountCriuRoot()
                try removeTree(in: descriptor)
            }
            let rootDirectory = try FileDescriptor.open(root.path, .place)
            try rootDirectory.remove(id.text, directory: true)
        } catch {
            if error.errno == .noEntry { return }
            throw RuntimeError("cannot remove \(path)", error)
        }
    }
}

extension Optional where Wrapped == StateDirectory {
    var descriptorNumber: Int32? {
        switch self {
        case .some(let state): state.descriptor.rawValue
        case .none: nil
        }
    }
}
