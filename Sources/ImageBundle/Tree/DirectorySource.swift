internal import LinuxSystem
internal import RuntimeSpec

/// A directory of the host as a source: its tree is copied.
final class DirectorySource: ImageSource {
    private let directory: FileDescriptor

    init(_ work: Work) throws(BundleError) {
        let path = work.request.image
        directory = try explain("cannot open the directory \(path)") { () throws(SystemError) in
            try FileDescriptor.open(path, .directory)
        }
    }

    func layout(_ work: Work) throws(BundleError) -> String { "\(work.request.image): a directory\n" }

    func produce(in rootfs: borrowing FileDescriptor, _ work: Work) throws(BundleError) -> ImageFacts {
        let image = work.request.image
        guard try !contains(rootfs) else {
            throw BundleError(
                "\(image): the bundle would lie in the directory that is copied", hint: "put it elsewhere")
        }
        work.progress.begin("copying", total: nil)
        let copy = TreeCopy(work, targetRoot: rootfs.rawValue)
        try copy.copy(from: directory, to: rootfs)
        work.progress.finish()
        copy.skipped.tell(work)
        return try ImageFacts.ofTree(rootfs, work, format: .directory)
    }

    func release() {}

    /// Whether the way up from `place` leads through the directory.
    private func contains(_ place: borrowing FileDescriptor) throws(BundleError) -> Bool {
        try explain("cannot look at the directories above the bundle") { () throws(SystemError) in
            let wanted = try directory.status()
            var current = try place.duplicate()
            while true {
                let status = try current.status()
                if status.isSameFile(as: wanted) { return true }
                let above = try FileDescriptor.open("..", .place, at: current.rawValue)
                if try above.status().isSameFile(as: status) { return false }
                current = above
            }
        }
    }
}
