internal import LinuxSystem

/// The users and groups of the tree that is being written, for access lists that name them. Archives have /etc before what names
/// its users, as far as they go by the alphabet.
final class Accounts {
    private let rootfs: FileDescriptor
    private var database: UserDatabase?

    init(_ rootfs: borrowing FileDescriptor) throws(SystemError) { self.rootfs = try rootfs.duplicate() }

    /// - Returns: nil while the tree does not have it. Its files are read once, as soon as they are there.
    func number(of name: String, isGroup: Bool) -> UInt32? {
        if database == nil, (try? RootDirectory(rootfs.duplicate()).open("etc/passwd")) != nil {
            database = UserDatabase(in: rootfs)
        }
        return isGroup ? database?.group(name) : database?.user(name)
    }
}
