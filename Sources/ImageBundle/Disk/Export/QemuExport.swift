internal import Glibc
internal import LinuxSystem
internal import RuntimeSpec

/// The content of an image as one file: qemu-storage-daemon, shut in, shows it over FUSE.
///
/// The daemon has mount, network, process and IPC namespaces of its own and no privileges. In its root there are its program
/// and libraries and the files of the image, read-only; it cannot open another file, whatever an image may name. The mount of
/// what it serves is attached nowhere: the host reaches the one file through a descriptor.
final class QemuExport {
    /// The daemon's process id.
    let pid: Int32
    private let pidfd: Int32
    /// The content, open for reading; also for writing where there is a scratch file.
    let descriptor: Int32
    let size: UInt64

    static let program = "/usr/bin/qemu-storage-daemon"

    struct Options {
        /// Whether the daemon outlives this process (`--mode mount`); otherwise it dies with it.
        var isDetached = false
        /// A file that takes what is written to the content, which then can be written; the image never is.
        var scratch: Int32?
    }

    /// - Parameter place: moves the daemon to another cgroup, before it runs
    init(
        _ chain: ImageChain, image: String, _ options: Options = Options(), _ interruption: Int32,
        place: (Int32) throws(BundleError) -> Void = { _ in }
    ) throws(BundleError) {
        try Self.requireProgram(image, chain.links[0].kind)
        let overlay = try chain.links[0].snapshot.map { snapshot throws(BundleError) in
            try SnapshotOverlay.make(chain.links[0], snapshot)
        }
        let arguments = Self.arguments(chain, hasOverlay: overlay != nil, isWritable: options.scratch != nil)
        let content = QemuJail.Content(
            images: chain.links.map(\.descriptor), patch: overlay, scratch: options.scratch)
        let started: QemuJail.Daemon
        do throws(SystemError) {
            started = try QemuJail.start(Self.program, arguments, content, isDetached: options.isDetached)
        } catch {
            throw BundleError(
                "\(image): cannot start qemu-storage-daemon", error,
                hint: error.errno == .notPermitted
                    ? "reading \(chain.links[0].kind.rawValue) needs root; an ordinary user can read raw images with ext4"
                    : nil)
        }
        (pid, pidfd) = (started.pid, started.pidfd)
        let errors = FileDescriptor(owning: started.errors)
        let mount = FileDescriptor(owning: started.mount)
        defer {
            closeDescriptor(started.start.reading)
            closeDescriptor(started.start.writing)
        }
        do throws(BundleError) {
            try place(pid)
            try explain("\(image): cannot start qemu-storage-daemon") { () throws(SystemError) in
                try writeAll([1], to: started.start.writing)
            }
            try Self.waitUntilReady(pid, pidfd, errors, image, interruption)
        } catch {
            Self.end(pid, pidfd)
            throw error
        }
        do throws(SystemError) {
            let file = try FileDescriptor.open(
                "/proc/self/fd/\(mount.rawValue)", options.scratch == nil ? .readOnly : .readWrite)
            size = UInt64(try file.size())
            descriptor = file.release()
        } catch {
            Self.end(pid, pidfd)
            throw BundleError("\(image): cannot open the export of qemu-storage-daemon", error)
        }
    }

    /// Ends the daemon. To be called when nothing is mounted of it any more.
    func end() { Self.end(pid, pidfd) }

    deinit { closeDescriptor(descriptor) }

    static var isInstalled: Bool { (try? FileDescriptor.open(program, .path)) != nil }

    private static func requireProgram(_ image: String, _ kind: SourceKind) throws(BundleError) {
        if isInstalled { return }
        throw BundleError(
            "\(image): reading \(kind.rawValue) needs \(program), which is missing",
            hint: "Debian has it in the package qemu-system-common; raw images need nothing")
    }

    private static func end(_ pid: Int32, _ pidfd: Int32) {
        try? signalProcess(pidfd, SignalNumber.kill)
        _ = try? waitForEnd(of: pid)
        closeDescriptor(pidfd)
    }

    // MARK: - The command line

    /// One node for each file and one for its format, named explicitly: the daemon guesses nothing.
    private static func arguments(_ chain: ImageChain, hasOverlay: Bool, isWritable: Bool) -> [String] {
        var words = ["qemu-storage-daemon"]
        func add(_ members: [JSON.Member], isReadOnly: Bool = true) {
            words += ["--blockdev", JSON.object(members + [JSON.Member("read-only", .bool(isReadOnly))]).serialized()]
        }
        func file(_ name: String, _ path: String, isReadOnly: Bool = true) {
            add(
                [
                    .init("driver", .string("file")), .init("node-name", .string(name)),
                    .init("filename", .string(path)),
                ], isReadOnly: isReadOnly)
        }
        for (index, link) in chain.links.enumerated().reversed() {
            file("file\(index)", "\(QemuJail.imagePath)\(index)")
            var below = "file\(index)"
            if index == 0, hasOverlay {
                add([
                    .init("driver", .string("raw")), .init("node-name", .string("whole")),
                    .init("file", .string(below)),
                ])
                file("patch", QemuJail.patchPath)
                add([
                    .init("driver", .string("qcow2")), .init("node-name", .string("patched")),
                    .init("file", .string("patch")), .init("backing", .string("whole")),
                ])
                below = "patched"
            }
            let driver = link.kind == .vhd ? "vpc" : link.kind.rawValue
            var node: [JSON.Member] = [
                .init("driver", .string(driver)), .init("node-name", .string("image\(index)")),
                .init("file", .string(below)),
            ]
            if link.kind == .qcow2 || link.kind == .vmdk {
                let hasBacking = index + 1 < chain.links.count
                node.append(.init("backing", hasBacking ? .string("image\(index + 1)") : .null))
            }
            add(node)
        }
        if isWritable {
            file("scratch", QemuJail.scratchPath, isReadOnly: false)
            add(
                [
                    .init("driver", .string("qcow2")), .init("node-name", .string("written")),
                    .init("file", .string("scratch")), .init("backing", .string("image0")),
                ], isReadOnly: false)
        }
        let (node, writable) = isWritable ? ("written", "on") : ("image0", "off")
        words += [
            "--export",
            "type=fuse,id=export,node-name=\(node),mountpoint=\(QemuJail.exportPath),writable=\(writable)",
            "--pidfile", QemuJail.readyPath,
        ]
        return words
    }

    // MARK: - Waiting

    /// Waits until the daemon answers: before, whoever opens its file waits for it in the kernel, and for good if it hangs.
    private static func waitUntilReady(
        _ pid: Int32, _ pidfd: Int32, _ errors: borrowing FileDescriptor, _ image: String, _ interruption: Int32
    ) throws(BundleError) {
        let path = "/proc/\(pid)/root\(QemuJail.readyPath)"
        let deadline = monotonicMilliseconds() + 20_000
        while true {
            var entries = [
                PollEntry(pidfd, readable: true), PollEntry(interruption, readable: true),
            ]
            _ = try explain("cannot wait for qemu-storage-daemon") { () throws(SystemError) in
                try poll(&entries, milliseconds: 1)
            }
            if entries[0].isReady { throw failure(errors, image) }
            if entries[1].isReady { throw BundleError("interrupted", exitCode: 130) }
            guard monotonicMilliseconds() < deadline else {
                throw BundleError("\(image): qemu-storage-daemon does not get ready")
            }
            if (try? fileStatus(path, followLinks: false)) != nil { return }
        }
    }

    /// What the daemon said before it ended: one line of it.
    private static func failure(_ errors: borrowing FileDescriptor, _ image: String) -> BundleError {
        let said = (try? errors.read(upTo: 4096)) ?? []
        let lines = String(decoding: said, as: UTF8.self).split(separator: "\n")
        var line = String(lines.first ?? "it ended without a word")
        if let range = line.firstRange(of: "qemu-storage-daemon: ") { line.removeSubrange(range) }
        // Its command line, which begins the message, is ours and tells the user nothing.
        if line.hasPrefix("--blockdev"), let end = line.firstRange(of: "}: ") { line = String(line[end.upperBound...]) }
        return BundleError("\(image): qemu-storage-daemon cannot read it: \(line)")
    }
}

extension StringProtocol {
    /// Where the text stands, found byte by byte: what the library has for it brings an engine along.
    fileprivate func firstRange(of wanted: StaticString) -> Range<Index>? {
        let text = utf8
        var start = text.startIndex
        while start != text.endIndex {
            if text[start...].starts(
                with: UnsafeBufferPointer(start: wanted.utf8Start, count: wanted.utf8CodeUnitCount))
            {
                return start..<text.index(start, offsetBy: wanted.utf8CodeUnitCount)
            }
            text.formIndex(after: &start)
        }
        return nil
    }
}
