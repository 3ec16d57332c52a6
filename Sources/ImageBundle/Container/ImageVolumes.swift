internal import LinuxSystem

/// The places of an image that are for data, `Volumes` of its configuration: image-spec, conversion.md. Each becomes a directory
/// of the bundle, with what the image has there, that is mounted in its place: data is not written to the root filesystem.
enum ImageVolumes {
    private static let directory = "volumes"
    private static let most = 100

    /// - Parameter rootfs: the unpacked tree, in the bundle's directory
    static func make(
        _ paths: [String], _ rootfs: borrowing FileDescriptor, _ work: Work
    ) throws(BundleError) -> [ImageFacts.Volume] {
        guard !paths.isEmpty else { return [] }
        guard paths.count <= most else { throw BundleError("the image has more than \(most) volumes") }
        let volumes = try explain("cannot make \(directory) in the bundle") {
            [number = rootfs.rawValue] () throws(SystemError) in
            let bundle = try FileDescriptor.open("..", .directory, at: number)
            try bundle.makeDirectory(directory)
            return try FileDescriptor.open(directory, [.directory, .noFollow], at: bundle.rawValue)
        }
        var made: [ImageFacts.Volume] = []
        // A volume in another one comes after it.
        for path in paths.sorted() {
            guard let destination = normalized(path) else {
                throw BundleError("the volume \(shown(path.utf8)) of the image is no place in it")
            }
            let what = "cannot make the volume \(shown(path.utf8))"
            let root = RootDirectory(try explain(what) { () throws(SystemError) in try rootfs.duplicate() })
            let name = "\(made.count)"
            let source = try explain(what) { () throws(SystemError) in
                closeNow(try root.openMaking(.directory, destination))
                return try root.open(destination, .directory)
            }
            let target = try explain(what) { () throws(SystemError) in
                try volumes.makeDirectory(name, mode: 0o700)
                return try FileDescriptor.open(name, [.directory, .noFollow], at: volumes.rawValue)
            }
            try TreeCopy(work, targetRoot: target.rawValue).copy(from: source, to: target)
            made.append(ImageFacts.Volume(destination: destination, source: "\(directory)/\(name)"))
        }
        return made
    }

    private static func normalized(_ path: String) -> String? {
        let parts = path.split(separator: "/").filter { $0 != "." }
        guard path.utf8.first == UInt8(ascii: "/"), !parts.isEmpty, !parts.contains("..") else { return nil }
        return "/" + parts.joined(separator: "/")
    }
}
