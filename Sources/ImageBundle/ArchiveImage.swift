internal import LinuxSystem

/// Archives and container images as sources: says which image an error is about.
final class ArchiveImage: ImageSource {
    private let inner: any ImageSource
    private let image: String

    private init(_ inner: any ImageSource, _ image: String) {
        self.inner = inner
        self.image = image
    }

    static func open(_ kind: SourceKind, _ work: Work) throws(BundleError) -> any ImageSource {
        let image = work.request.image
        return try about(image) { () throws(BundleError) in
            switch kind {
            case .remote: return ArchiveImage(try RemoteImage(image, work), image)
            case .oci:
                let directory = try explain("cannot open the layout") { () throws(SystemError) in
                    try FileDescriptor.open(image, .directory)
                }
                let store = ImageStore(directory: directory)
                return ArchiveImage(try ContainerImageSource(layout: store, .oci), image)
            case .ociArchive, .dockerArchive:
                return ArchiveImage(try ArchiveSource.open(image, kind, work), image)
            default:
                let format = work.request.format == .tar ? SourceKind.tar : nil
                return ArchiveImage(try ArchiveSource.open(image, format, work), image)
            }
        }
    }

    func layout(_ work: Work) throws(BundleError) -> String {
        try Self.about(image) { () throws(BundleError) in try inner.layout(work) }
    }

    func produce(in rootfs: borrowing FileDescriptor, _ work: Work) throws(BundleError) -> ImageFacts {
        // What a program may by its file's capabilities, such as ping, and whose a file is, only root can say; where the
        // kernel lets users be root of their own, this process is.
        if work.isRootless { work.becomeRoot() }
        do throws(BundleError) {
            return try inner.produce(in: rootfs, work)
        } catch {
            throw Self.error(error, about: image)
        }
    }

    func release() { inner.release() }

    private static func about<Result>(
        _ image: String, _ body: () throws(BundleError) -> Result
    ) throws(BundleError) -> Result {
        do throws(BundleError) { return try body() } catch { throw Self.error(error, about: image) }
    }

    /// Signals are not the image's fault; limits name the image already.
    static func isAboutMore(_ error: BundleError, than image: String) -> Bool {
        error.exitCode > 128 || error.message.hasPrefix("\(image): ")
    }

    private static func error(_ error: BundleError, about image: String) -> BundleError {
        if isAboutMore(error, than: image) { return error }
        return BundleError("\(image): \(error.message)", exitCode: error.exitCode)
    }
}
