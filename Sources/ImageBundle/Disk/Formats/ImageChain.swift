internal import LinuxSystem

/// An image file and the files below it that it may read, all opened once and judged. The last is the lowest.
final class ImageChain {
    struct Link {
        let path: String
        let kind: SourceKind
        let descriptor: Int32
        let size: UInt64
        var snapshot: Qcow2Header.Snapshot?
        var header: Qcow2Header?
    }

    private(set) var links: [Link] = []
    private static let deepest = 16

    deinit { for link in links { closeDescriptor(link.descriptor) } }

    /// - Parameter kind: of the image itself
    init(_ request: BundleRequest, _ kind: SourceKind) throws(BundleError) {
        var path = request.image
        let file = try explain("cannot open the image") { () throws(SystemError) in
            try openRegularFile(try FileDescriptor.open(path, .path), path)
        }
        try add(file, path, kind)
        if let name = request.snapshot {
            guard let header = links[0].header else {
                throw BundleError("\(path): only qcow2 images have internal snapshots")
            }
            let found = try describe(path) { () throws(BundleError) in try header.snapshot(name, bytes(links[0])) }
            links[0].snapshot = found
        }
        while let backing = links[links.count - 1].header?.backing {
            guard !request.allowedBacking.isEmpty else {
                throw BundleError(
                    "\(path): refers to backing file \"\(backing.name)\"; refused (use --allow-backing DIR)")
            }
            guard links.count < Self.deepest else {
                throw BundleError("\(path): more than \(Self.deepest) backing files")
            }
            let parent = try Self.open(backing, of: path, allowed: request.allowedBacking)
            let file = FileDescriptor(owning: parent.descriptor)
            path = parent.path
            let found: SourceKind
            switch backing.format {
            case "raw": found = .raw
            case "qcow2": found = .qcow2
            case "": found = try SourceKind.detect(path)
            default: throw BundleError("\(path): a backing file of the format \"\(backing.format)\" is not supported")
            }
            guard found == .raw || found == .qcow2 else {
                throw BundleError("\(path): a backing file of the format \(found.rawValue) is not supported")
            }
            try add(file, path, found)
        }
    }

    private func add(_ file: consuming FileDescriptor, _ path: String, _ kind: SourceKind) throws(BundleError) {
        let status = try explain("cannot look at \(path)") { () throws(SystemError) in try file.status() }
        for link in links {
            let other = try explain("cannot look at \(path)") { () throws(SystemError) in
                try descriptorStatus(link.descriptor)
            }
            if other.isSameFile(as: status) { throw BundleError("\(path): is its own backing file") }
        }
        let size = try explain("cannot look at \(path)") { () throws(SystemError) in UInt64(try file.size()) }
        var link = Link(path: path, kind: kind, descriptor: file.release(), size: size)
        links.append(link)
        let source = bytes(link)
        try describe(path) { () throws(BundleError) in
            switch kind {
            case .qcow2: link.header = try Qcow2Header(source)
            case .vmdk: try VMDKHeader.check(source)
            case .vdi: try VDIHeader.check(source)
            case .vhdx: try VHDXHeader.check(source)
            case .vhd: try VHDHeader.check(source)
            default: break
            }
        }
        links[links.count - 1] = link
    }

    private func bytes(_ link: Link) -> FileBytes { FileBytes(link.descriptor, size: link.size, name: link.path) }

    /// Opens a backing file where the user allows them.
    ///
    /// The name is a path and nothing else: QEMU would take `json:{...}` and `nbd://host` for more than that. A relative
    /// one begins in the directory of the image that names it.
    private static func open(
        _ backing: Qcow2Header.Backing, of path: String, allowed: [String]
    ) throws(BundleError) -> (descriptor: Int32, path: String) {
        let name = backing.name
        let refusal = BundleError(
            "\(path): refers to backing file \"\(name)\", which is not in a directory of --allow-backing")
        guard !name.isEmpty, !name.utf8.contains(0), !name.utf8.contains(UInt8(ascii: ":")) else { throw refusal }
        let (image, target): (String, String)
        do throws(SystemError) {
            image = try absolutePath(path)
            let directory = image[..<(image.lastIndex(of: "/") ?? image.startIndex)]
            target = try absolutePath(name.hasPrefix("/") ? name : "\(directory)/\(name)")
        } catch {
            throw BundleError("\(path): cannot find the backing file \"\(name)\"", error)
        }
        for directory in allowed {
            let root = (try? absolutePath(directory)) ?? directory
            guard target.hasPrefix(root == "/" ? root : root + "/") else { continue }
            let rest = String(target.dropFirst(root == "/" ? 1 : root.count + 1))
            do throws(SystemError) {
                let place = try RootDirectory(try FileDescriptor.open(root, .place)).openBeneath(rest)
                return (try openRegularFile(place, target).release(), target)
            } catch {
                throw BundleError("\(path): cannot open the backing file \"\(name)\"", error)
            }
        }
        throw refusal
    }

    private func describe<Result>(
        _ path: String, _ body: () throws(BundleError) -> Result
    ) throws(BundleError) -> Result {
        do throws(BundleError) {
            return try body()
        } catch {
            throw error.message.hasPrefix(path)
                ? error : BundleError("\(path): \(error.message)", exitCode: error.exitCode)
        }
    }
}
