internal import Glibc
internal import LinuxSystem
internal import RuntimeSpec

/// The content of an image as one file: qemu-storage-daemon, shut in, shows it over FUSE.
///
/// The daemon has mount, network, process and IPC namespaces of its own. In its root there are its program and libraries,
/// the files of the image read-only, and `/dev/fuse`; it cannot open another file, whatever an image may name. Its FUSE
/// mount is in there too: the host reaches the one file through a descriptor and sees no mount.
final class QemuExport {
    /// The daemon's process id.
    let pid: Int32
    private let pidfd: Int32
    /// The content, open for reading.
    let descriptor: Int32
    let size: UInt64
    /// Whether the daemon goes on when this process ends.
    private let isDetached: Bool

    static let program = "/usr/bin/qemu-storage-daemon"

    /// - Parameter detached: the daemon outlives this process (`--mode mount`); otherwise it dies with it
    /// - Parameter place: moves the daemon to another cgroup, before it runs
    init(
        _ chain: ImageChain, image: String, detached: Bool = false, _ interruption: Int32,
        place: (Int32) throws(BundleError) -> Void = { _ in }
    ) throws(BundleError) {
        try Self.requireProgram(image, chain.links[0].kind)
        let overlay = try chain.links[0].snapshot.map { snapshot throws(BundleError) in
            try SnapshotOverlay.make(chain.links[0], snapshot)
        }
        let arguments = Self.arguments(chain, hasOverlay: overlay != nil)
        isDetached = detached
        let started: (Int32, Int32, Int32)
        do throws(SystemError) {
            started = try QemuJail.start(
                Self.program, arguments, images: chain.links.map(\.descriptor), patch: overlay, detached: detached)
        } catch {
            throw BundleError(
                "\(image): cannot start qemu-storage-daemon", error,
                hint: error.errno == .notPermitted
                    ? "reading \(chain.links[0].kind.rawValue) needs root; an ordinary user can read raw images with ext4"
                    : nil)
        }
        pid = started.0
        pidfd = started.1
        let errors = FileDescriptor(owning: started.2)
        do throws(BundleError) {
            try place(pid)
            descriptor = try Self.waitForExport(pid, pidfd, errors, image, interruption)
        } catch {
            Self.end(pid, pidfd)
            throw error
        }
        let descriptor = descriptor
        do throws(SystemError) {
            let status = try descriptorSize(descriptor)
            size = UInt64(status)
        } catch {
            closeDescriptor(descriptor)
            Self.end(pid, pidfd)
            throw BundleError("\(image): cannot look at the export of qemu-storage-daemon", error)
        }
    }

    /// Ends the daemon. To be called when nothing is mounted of it any more.
    func end() { Self.end(pid, pidfd) }

    deinit { closeDescriptor(descriptor) }

    private static func requireProgram(_ image: String, _ kind: SourceKind) throws(BundleError) {
        if (try? FileDescriptor.open(program, .path)) != nil { return }
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
    private static func arguments(_ chain: ImageChain, hasOverlay: Bool) -> [String] {
        var words = ["qemu-storage-daemon"]
        func add(_ members: [JSON.Member]) {
            words += ["--blockdev", JSON.object(members + [JSON.Member("read-only", .bool(true))]).serialized()]
        }
        func file(_ name: String, _ path: String) {
            add([
                .init("driver", .string("file")), .init("node-name", .string(name)), .init("filename", .string(path)),
            ])
        }
        for (index, link) in chain.links.enumerated().reversed() {
            file("file\(index)", "\(QemuJail.imagePath)\(index)")
            var below = "file\(index)"
            if index == 0, hasOverlay {
                add([
                    .init("driver", .string("raw")), .init("node-name", .string("whole")),
                    .init("file", .string(below)),
                ])
                file("patch", "\(QemuJail.imagePath)\(chain.links.count)")
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
        words += [
            "--export", "type=fuse,id=export,node-name=image0,mountpoint=\(QemuJail.exportPath),writable=off",
        ]
        return words
    }

    // MARK: - Waiting

    /// Waits until the daemon has mounted its file, and opens it.
    private static func waitForExport(
        _ pid: Int32, _ pidfd: Int32, _ errors: borrowing FileDescriptor, _ image: String, _ interruption: Int32
    ) throws(BundleError) -> Int32 {
        let path = "/proc/\(pid)/root\(QemuJail.exportPath)"
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
            // Until the mount is there, the place is a file of tmpfs without content.
            if let file = try? FileDescriptor.open(path, .readOnly), (try? file.filesystemMagic()) == fuseMagic {
                return file.release()
            }
        }
    }

    private static let fuseMagic: Int64 = 0x6573_5546

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
