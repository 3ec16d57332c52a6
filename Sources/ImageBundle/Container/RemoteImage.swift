internal import LinuxSystem

/// An image that is not in a file of its own: in a registry, in the storage of an engine. skopeo, which knows all of those,
/// copies it to an OCI layout beside the bundle; from there on it is an image like others, and verified like them.
final class RemoteImage: ImageSource {
    private let inner: ContainerImageSource
    /// The directory that has the copy, and where it is.
    private let place: TemporaryDirectory

    init(_ image: String, _ work: Work) throws(BundleError) {
        let program = try HostProgram.find("skopeo", package: "skopeo")
        let place = try TemporaryDirectory.make(for: work.request.output, work.request.registry)
        do throws(BundleError) {
            let platform = try Platform.wanted(by: work.request)
            var arguments = ["--override-os", platform.os, "--override-arch", platform.architecture]
            if let variant = platform.variant { arguments += ["--override-variant", variant] }
            arguments += ["copy", "--quiet", image, "oci:\(place.path)/image:image"]
            work.progress.begin("fetching", total: nil)
            try program.run(arguments, work)
            work.progress.finish()
            let layout = try explain("cannot open what skopeo made") { () throws(SystemError) in
                try FileDescriptor.open("\(place.path)/image", .directory)
            }
            inner = try ContainerImageSource(layout: ImageStore(directory: layout), .remote)
        } catch {
            place.remove(work.warn)
            throw error
        }
        self.place = place
        warn = work.warn
    }

    private let warn: (String) -> Void

    func layout(_ work: Work) throws(BundleError) -> String { try inner.layout(work) }

    func produce(in rootfs: borrowing FileDescriptor, _ work: Work) throws(BundleError) -> ImageFacts {
        try inner.produce(in: rootfs, work)
    }

    func release() { place.remove(warn) }
}

/// A directory of this process's own that goes away again.
struct TemporaryDirectory {
    let path: String
    private let registry: ImageRegistry?

    /// Beside the bundle, where there is room for what is in an image; without a bundle in /var/tmp.
    static func make(for output: String, _ registry: ImageRegistry?) throws(BundleError) -> TemporaryDirectory {
        let path = output.isEmpty ? "/var/tmp/swrun-fetch-\(try randomText())" : "\(output).fetch-\(try randomText())"
        return try explain("cannot make the temporary directory \(path)") { () throws(SystemError) in
            let absolute = try absolutePath(path)
            registry?.add(.scratch, absolute)
            try makeDirectory(absolute, mode: 0o700)
            return TemporaryDirectory(path: absolute, registry: registry)
        }
    }

    func remove(_ warn: (String) -> Void) {
        do throws(SystemError) {
            try removeOwnTree(path)
            registry?.remove(path)
        } catch {
            warn("cannot remove the temporary directory \(path): \(error.text)")
        }
    }
}
