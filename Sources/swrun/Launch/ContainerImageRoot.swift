internal import ContainerRuntime
internal import ImageBundle
internal import LinuxSystem
internal import RuntimeSpec

/// The root filesystem of a container image, unpacked for one container (`--image`).
enum ContainerImageRoot {
    /// Unpacks the image into a directory of its own. What the image says of its program fills in what the flags leave open.
    ///
    /// - Parameter warn: hears what of the image was lost.
    static func attach(
        _ image: String, _ wishes: inout LaunchWishes, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> AttachedRoot {
        let place = try prefix + name()
        var request = BundleRequest(image: image, output: place)
        request.mapsOwnIDsOnly = wishes.mapsOwnIDsOnly
        try unpack(request, warn)
        let root = AttachedRoot(path: place + "/rootfs") { remove(place, warn) }
        do throws(RuntimeError) {
            wishes.take(process: try process(of: place))
        } catch {
            root.detach()
            throw error
        }
        return root
    }

    private static let prefix = "/var/tmp/swrun-launch-"

    /// - Parameter rootfs: of a container whose launch was killed; nothing is done if it was not unpacked for that one
    static func removeAbandoned(_ rootfs: String, _ warn: (String) -> Void) {
        let end = "/rootfs"
        guard rootfs.hasPrefix(prefix), rootfs.hasSuffix(end) else { return }
        let place = String(rootfs.dropLast(end.utf8.count))
        if place.dropFirst(prefix.count).contains("/") { return }
        remove(place, warn)
    }

    /// In a process of its own: an ordinary user unpacks as root of a user namespace, which a process cannot leave again.
    private static func unpack(
        _ request: BundleRequest, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) {
        // An interruption is the child's to notice, which then undoes everything.
        let before = blockSignals(SignalSet([1, 2, 3, 15]))
        defer { setBlockedSignals(before) }
        let message: [UInt8]
        let end: ProcessEnd
        do throws(SystemError) {
            let messages = try Pipe()
            switch try clone() {
            case .child:
                try? dieWithParent(signal: 15)
                exitNow(run(request, messages.write.rawValue, warn))
            case .parent(let child):
                message = try messages.reader().readToEnd(limit: 64 << 10)
                end = try waitForEnd(of: child.pid)
            }
        } catch {
            throw RuntimeError("cannot unpack the image \(request.image)", error)
        }
        guard end != .exited(0) else { return }
        let text =
            message.isEmpty ? "cannot unpack the image \(request.image)" : String(decoding: message, as: UTF8.self)
        throw RuntimeError(text, exitCode: end.shellStatus)
    }

    private static func run(
        _ request: BundleRequest, _ messages: Int32, _ warn: @escaping (String) -> Void
    ) -> Int32 {
        let progress = ProgressDisplay(choice: nil)
        defer { progress.clear() }
        do throws(BundleError) {
            try MakeBundle.run(try Work(request, progress, warn))
            return 0
        } catch {
            try? writeAll(Array(error.message.utf8), to: messages)
            return error.exitCode
        }
    }

    /// What config.json of the bundle says of the program.
    private static func process(of bundle: String) throws(RuntimeError) -> Process {
        let text: [UInt8]
        do throws(SystemError) {
            text = try readFile(bundle + "/config.json", limit: Config.maximumDocumentSize)
        } catch {
            throw RuntimeError("cannot read what the image says of its program", error)
        }
        do throws(SpecError) {
            return try Config.decode(text).process ?? Process(cwd: "/")
        } catch {
            throw RuntimeError("cannot read what the image says of its program: \(error)")
        }
    }

    private static func remove(_ place: String, _ warn: (String) -> Void) {
        do throws(SystemError) {
            try removeOwnTree(place)
        } catch {
            warn("cannot remove the unpacked image \(place): \(error.text)")
        }
    }

    private static func name() throws(RuntimeError) -> String {
        do throws(BundleError) { return try randomText() } catch { throw RuntimeError(error) }
    }
}

extension LaunchWishes {
    /// The program of an image, where the flags ask for nothing else.
    mutating func take(process: Process) {
        if commandText == nil, command.isEmpty { command = process.args }
        for entry in process.env {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { take(default: KeyValue(String(parts[0]), String(parts[1]))) }
        }
        if workingDirectory == "/" { workingDirectory = process.cwd }
        if user == User() { user = process.user }
    }
}
