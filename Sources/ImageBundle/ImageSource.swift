package import LinuxSystem
package import RuntimeSpec

/// Something a bundle can be made from.
package protocol ImageSource: AnyObject {
    /// What was found in the image, for `--layout`: lines of text, each ending in a newline.
    func layout(_ work: Work) throws(BundleError) -> String

    /// Makes the root filesystem in the empty directory `rootfs`, and tells what config.json is to say. Where it throws,
    /// the caller removes what is in the directory.
    func produce(in rootfs: borrowing FileDescriptor, _ work: Work) throws(BundleError) -> ImageFacts

    /// Gives back everything that lives outside of the bundle: mounts, devices, processes, temporary files. Called once,
    /// after success and after failure.
    func release()
}

/// What an image says about the container to be made of it: the content of config.json that differs from image to image.
package struct ImageFacts: Equatable, Sendable {
    /// Empty: a shell.
    package var args: [String] = []
    package var env: [String] = []
    package var cwd = "/"
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var additionalGids: [UInt32] = []
    package var terminal = false
    package var hostname: String?
    /// Keys are unique; labels of an image, and what tells where the tree comes from.
    package var annotations: [KeyValue] = []
    /// Whether the program is an init system, which wants directories of its own in memory.
    package var isInitSystem = false
    /// What is mounted from the bundle.
    package var volumes: [Volume] = []

    package struct Volume: Equatable, Sendable {
        /// In the container.
        package var destination: String
        /// Relative to the bundle.
        package var source: String
    }

    package init() {}
}

extension SourceKind {
    /// Opens the image as what it is. Nothing is made yet but what `release` gives back.
    func open(_ work: Work) throws(BundleError) -> any ImageSource {
        switch self {
        case .raw, .qcow2, .vmdk, .vdi, .vhdx, .vhd, .iso:
            return try DiskSource.open(self, work)
        case .oci, .ociArchive, .dockerArchive, .tar, .remote:
            return try ArchiveImage.open(self, work)
        case .directory:
            return try DirectorySource(work)
        }
    }
}
