internal import LinuxSystem
internal import RuntimeSpec

/// The file in which a recording ends up: a seccomp profile, the object that `linux.seccomp` in config.json is.
package struct RecordingFile: Equatable, Sendable {
    /// Absolute and without links at its end: what is written takes the place of the file itself.
    private let path: String
    private let merges: Bool

    /// Sees to it that the file can be written, before a container runs for it.
    ///
    /// - Parameter merging: keep the profile that is there, and add to it
    package init(_ path: String, merging: Bool) throws(RuntimeError) {
        merges = merging
        let existing = try explain("--seccomp-record") { () throws(SystemError) in try fileStatus(path) }
        self.path = try explain("--seccomp-record") { () throws(SystemError) in
            existing == nil ? try absolutePath(path) : try hostPath(of: try FileDescriptor.open(path, .path))
        }
        if let existing, existing.kind != .regular {
            throw RuntimeError("--seccomp-record: \(path) is not a regular file", hint: "name a file for the profile")
        }
        try explain("--seccomp-record: the profile cannot be written") { () throws(SystemError) in
            try checkAccess(directory, 3)
        }
        if existing != nil, merging { _ = try read() }
    }

    private var directory: String { String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) + "/" }
    private var name: String { String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]) }

    /// Puts the profile in its place, whole or not at all.
    func write(_ recording: SystemCallRecording) throws(RuntimeError) {
        let folder = try explain("cannot write the recorded profile") { () throws(SystemError) in
            let folder = try FileDescriptor.open(directory, [.readOnly, .directory])
            // Recordings that end at the same time merge into one another.
            _ = try folder.lock(waiting: true)
            return folder
        }
        let before = merges && (try? fileStatus(path)) != nil ? try read() : nil
        let text = recording.profile(addedTo: before).json.serialized(indent: "  ") + "\n"
        let temporary = ".\(name).\(currentProcessID())"
        do throws(SystemError) {
            let file = try FileDescriptor.open(
                temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644, at: folder.rawValue)
            try file.write(text, subject: path)
            try folder.rename(temporary, to: name)
        } catch {
            try? folder.remove(temporary)
            throw RuntimeError("cannot write the recorded profile \(path)", error)
        }
    }

    var description: String { path }

    private func read() throws(RuntimeError) -> Seccomp {
        do throws(RuntimeError) {
            return try readSeccompProfile(path)
        } catch {
            throw RuntimeError("--seccomp-merge: \(error.message)", hint: "name another file, or do not merge")
        }
    }
}
