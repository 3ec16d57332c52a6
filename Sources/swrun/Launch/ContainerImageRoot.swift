internal import ContainerRuntime
internal import ImageBundle
internal import LinuxSystem
internal import RuntimeSpec

/// The root filesystem of a container image, unpacked for one container (`--image`).
enum ContainerImageRoot {
    /// Unpacks the image into a directory of its own. What the image says of its program fills in what the flags leave open.
    ///
    /// - Parameters:
    ///   - registry: where it is noted that the directory is this launch's
    ///   - warn: hears what of the image was lost.
    static func attach(
        _ image: String, _ wishes: inout LaunchWishes, _ registry: ImageRegistry, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> AttachedRoot {
        let place = try "/var/tmp/swrun-launch-\(name())"
        var request = BundleRequest(image: image, output: place)
        request.mapsOwnIDsOnly = wishes.mapsOwnIDsOnly
        request.registry = registry
        registry.addTemporary(place)
        let root = AttachedRoot(path: place + "/rootfs") {
            remove(place, warn)
            registry.remove(place)
        }
        do throws(RuntimeError) {
            try unpack(request, warn)
            wishes.take(try configuration(of: place), in: place)
        } catch {
            root.detach()
            throw error
        }
        return root
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
            switch try cloneHelper(signal: 15) {
            case .child:
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

    private static func configuration(of bundle: String) throws(RuntimeError) -> Config {
        let text: [UInt8]
        do throws(SystemError) {
            text = try readFile(bundle + "/config.json", limit: Config.maximumDocumentSize)
        } catch {
            throw RuntimeError("cannot read what the image says of its program", error)
        }
        do throws(SpecError) {
            return try Config.decode(text)
        } catch {
            throw RuntimeError("cannot read what the image says of its program: \(error)")
        }
    }

    private static func remove(_ place: String, _ warn: (String) -> Void) {
        do throws(SystemError) {
            try removeOwnTree(place)
        } catch {
            // Nothing was unpacked.
            if error.errno == .noEntry { return }
            warn("cannot remove the unpacked image \(place): \(error.text)")
        }
    }

    private static func name() throws(RuntimeError) -> String {
        do throws(BundleError) { return try randomText() } catch { throw RuntimeError(error) }
    }
}

extension LaunchWishes {
    /// The program of an image, where the flags ask for nothing else; and the places of the image that are for data.
    ///
    /// - Parameter bundle: the directory of that configuration
    mutating func take(_ config: Config, in bundle: String) {
        let process = config.process ?? Process(cwd: "/")
        // The init of a system is the system's.
        if !boots {
            if commandText == nil, command.isEmpty { command = process.args }
            user = user ?? process.user
            stopSignal = config.annotations[StopSignal.annotation]
        }
        for entry in process.env {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { take(default: KeyValue(String(parts[0]), String(parts[1]))) }
        }
        workingDirectory = workingDirectory ?? process.cwd
        for mount in config.mounts {
            guard mount.type == "bind", let source = mount.source, source.utf8.first != UInt8(ascii: "/"),
                !volumes.contains(where: { $0.destination == mount.destination })
            else { continue }
            var volume = mount
            volume.source = "\(bundle)/\(source)"
            imageVolumes.append(volume)
        }
    }
}
