internal import ContainerRuntime

/// A root filesystem that is there only while it is needed.
struct AttachedRoot {
    /// The directory.
    let path: String
    /// Takes it away again; the container has ended.
    let detach: () -> Void
}

/// The root filesystem of a disk image as a directory (`-Q`).
enum DiskImageRoot {
    /// - Parameter readOnly: nothing is to be written to the image
    static func attach(_ image: String, readOnly: Bool) throws(RuntimeError) -> AttachedRoot {
        throw RuntimeError(
            "--qcow2: this version of swrun cannot open disk images",
            hint: "mount \(image) with other tools and give the directory with --path")
    }
}
