internal import LinuxSystem
internal import RuntimeSpec

/// The container's root as the host knows it, where a user namespace makes another user of it. Criu has become that user
/// when it reads most of the images, and when it opens the standard streams anew.
struct MappedRoot {
    private let uid: UInt32
    private let gid: UInt32

    /// nil without a user namespace of the container's own.
    init?(_ config: Config) {
        guard let linux = config.linux, linux.namespaces.contains(where: { $0.type == .user && $0.path == nil }),
            let uid = linux.uidMappings.host(of: 0), let gid = linux.gidMappings.host(of: 0), uid != 0
        else { return nil }
        self.uid = uid
        self.gid = gid
    }

    /// Lets its group read a directory of images, as far as not everybody may.
    func giveImages(_ directory: borrowing FileDescriptor) throws(SystemError) {
        try give(directory, 0o050)
        for name in try directoryEntries(directory) where name.utf8.suffix(4).elementsEqual(".img".utf8) {
            try give(try FileDescriptor.open(name, [.readOnly, .noFollow], at: directory.rawValue), 0o040)
        }
    }

    private func give(_ file: borrowing FileDescriptor, _ access: UInt32) throws(SystemError) {
        let status = try descriptorStatus(file.rawValue)
        if status.mode & access >> 3 == access >> 3 { return }
        try file.changeOwner(uid: .max, gid: gid)
        try file.changeMode(status.mode & 0o7777 | access)
    }

    /// Pipes were made for this container; files and devices of the host keep their owner.
    func giveStreams(_ numbers: [Int32]) {
        for number in numbers where (try? descriptorStatus(number))?.kind == .fifo {
            try? changeDescriptorOwner(number, uid: uid)
        }
    }
}
