internal import LinuxSystem

/// A filesystem in a file of another one: live media of Fedora have a squashfs that holds `LiveOS/rootfs.img`.
enum NestedImage {
    static func find(in mounted: MountedVolume, _ image: String) throws(BundleError) -> MountedVolume? {
        for path in ["LiveOS/rootfs.img", "LiveOS/ext3fs.img"] {
            guard let file = try? mounted.root.open(path, [.readOnly, .nonBlocking], .noLinks),
                let status = try? file.status(), status.kind == .regular
            else { continue }
            let size = try explain("\(image): cannot look at \(path)") { () throws(SystemError) in
                UInt64(try file.size())
            }
            let probe = try FilesystemProbe.probe(FileBytes(file.rawValue, size: size, name: "\(image): \(path)"))
            return try MountedVolume.mount(file.rawValue, image, offset: 0, size: 0, probe, name: path)
        }
        return nil
    }
}
