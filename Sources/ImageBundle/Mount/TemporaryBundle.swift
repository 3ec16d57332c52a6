internal import LinuxSystem
internal import RuntimeSpec

/// The directory of one container that runs from an image and has no bundle (`launch -Q`). What the container writes is
/// gone with it.
package struct TemporaryBundle: Sendable {
    private let path: String
    private let registry: ImageRegistry
    package var rootfs: String { "\(path)/rootfs" }

    /// On a disk, so that what a container writes does not fill the memory, where an overlay can be made there.
    private static let places = ["/var/tmp", "/tmp"]
    private static let overlayMagic: Int64 = 0x794c_7630

    package static func make(
        of image: String, in stateRoot: String, _ warn: @escaping (String) -> Void
    ) throws(BundleError) -> TemporaryBundle {
        let name = "swrun-image-\(try randomText())"
        let registry = ImageRegistry(stateRoot: stateRoot)
        let path = try explain("cannot make a directory for the image") { () throws(SystemError) in
            let parent = try place(or: stateRoot)
            let directory = try openMakingDirectories(parent)
            registry.add(.temporary, "\(parent)/\(name)")
            try directory.makeDirectory(name, mode: 0o700)
            return "\(parent)/\(name)"
        }
        let made = TemporaryBundle(path: path, registry: registry)
        do throws(BundleError) {
            try made.describe(image, warn)
            try AttachedImage.attach(path, forProcess: true, warn)
        } catch {
            try? made.remove()
            throw error
        }
        return made
    }

    private static func place(or stateRoot: String) throws(SystemError) -> String {
        for path in places {
            if let directory = try? FileDescriptor.open(path, .directory),
                (try? directory.filesystemMagic()) != overlayMagic
            {
                return path
            }
        }
        return stateRoot
    }

    private func describe(_ image: String, _ warn: @escaping (String) -> Void) throws(BundleError) {
        var request = BundleRequest(image: image, output: path)
        request.mode = .mount
        let work = try Work(request, SilentProgress(), warn)
        let source = try DiskSource(try SourceKind.detect(image), work)
        defer { source.release() }
        let directory = try explain("cannot open \(path)") { () throws(SystemError) in
            let directory = try FileDescriptor.open(path, .directory)
            try directory.makeDirectory("rootfs")
            return directory
        }
        _ = try source.prepareMount(in: directory, work)
    }

    package func remove() throws(BundleError) {
        try AttachedImage.detach(path)
        try ImageRegistry.removeDirectory(path)
        registry.remove(path)
    }
}
