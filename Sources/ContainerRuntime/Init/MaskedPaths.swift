internal import LinuxSystem

/// Hides paths of the container (config-linux.md, "Masked Paths") and makes others read-only ("Readonly Paths"). What
/// does not exist needs neither.
struct MaskedPaths {
    let masked: [String]
    let readOnly: [String]

    func run(in root: borrowing RootDirectory) throws(RuntimeError) {
        if !readOnly.isEmpty { try makeReadOnly(in: root) }
        if !masked.isEmpty { try mask(in: root) }
    }

    private func makeReadOnly(in root: borrowing RootDirectory) throws(RuntimeError) {
        for (index, path) in readOnly.enumerated() {
            try explain("cannot make \(path) read-only", at: "linux.readonlyPaths[\(index)]") {
                () throws(SystemError) in
                guard let place = try root.openIfPresent(path) else { return }
                let copy = try DetachedMount.clone(of: place, recursive: true, subject: path)
                try copy.descriptor.setMountAttributes(set: .readOnly, recursive: true, subject: path)
                try copy.attach(to: place, subject: path)
            }
        }
    }

    private func mask(in root: borrowing RootDirectory) throws(RuntimeError) {
        // Files are covered by the host's null device, whose identity is checked: an image could bring another
        // /dev/null. Directories are all covered by one empty, read-only tmpfs.
        let null = try explain("cannot open /dev/null") { () throws(SystemError) in
            let null = try FileDescriptor.open("/dev/null", .entry)
            guard try null.status().isNullDevice else { throw SystemError("open", "/dev/null is not 1:3", .noDevice) }
            return null
        }
        var emptyDirectory: Int32 = -1  // where the tmpfs was attached first
        defer { if emptyDirectory >= 0 { closeDescriptor(emptyDirectory) } }
        for (index, path) in masked.enumerated() {
            try explain("cannot mask \(path)", at: "linux.maskedPaths[\(index)]") { () throws(SystemError) in
                guard let place = try root.openIfPresent(path) else { return }
                guard try place.status().isDirectory else {
                    return try DetachedMount.clone(of: null, subject: "/dev/null").attach(to: place, subject: path)
                }
                if emptyDirectory < 0 {
                    let mount = try makeEmptyDirectory()
                    try mount.attach(to: place, subject: path)
                    emptyDirectory = try mount.descriptor.duplicate().release()
                } else {
                    try DetachedMount.clone(ofDescriptor: emptyDirectory).attach(to: place, subject: path)
                }
            }
        }
    }

    private func makeEmptyDirectory() throws(SystemError) -> DetachedMount {
        let context = try FilesystemContext(type: "tmpfs")
        try context.set(option: "nr_blocks=1")
        try context.set(option: "nr_inodes=1")
        return try context.mount(.inert)
    }
}

extension FileStatus {
    fileprivate var isNullDevice: Bool { kind == .characterDevice && target == DeviceNumber(major: 1, minor: 3) }
}
