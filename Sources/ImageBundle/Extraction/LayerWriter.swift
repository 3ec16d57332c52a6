internal import LinuxSystem

/// Applies one layer of a container image to the tree of those below: image-spec, layer.md. Its whiteouts hide what lower
/// layers made, never what the layer itself makes, in whichever order it lists them.
struct LayerWriter {
    private let tree: TreeWriter
    private let isFirst: Bool

    private static let prefix = Array(".wh.".utf8)
    /// AUFS's own notes, of which only the mark of opaque directories became part of the format.
    private static let metaPrefix = Array(".wh..wh.".utf8)
    private static let opaque = Array(".wh..wh..opq".utf8)

    init(_ tree: TreeWriter, isFirst: Bool) {
        self.tree = tree
        self.isFirst = isFirst
        tree.beginLayer(isFirst: isFirst)
    }

    func apply(_ reader: inout TarReader) throws(BundleError) {
        while let entry = try reader.next() {
            let path = try EntryPath(entry.path)
            if path.name == Self.opaque {
                try hide(in: path.directory)
            } else if path.name.starts(with: Self.metaPrefix) || path.directory.starts(with: Self.metaPrefix) {
                continue
            } else if path.name.starts(with: Self.prefix) {
                try hide(Array(path.name.dropFirst(Self.prefix.count)), in: path.directory)
            } else {
                try tree.add(entry, &reader)
            }
        }
    }

    /// Hides everything that lower layers have in a directory.
    private func hide(in path: [UInt8]) throws(BundleError) {
        try tree.countFile()
        guard !isFirst else { return }
        try explain("cannot empty the directory \(shown(path))") { () throws(SystemError) in
            guard let directory = try tree.directories.existing(path) else { return }
            _ = try prune(directory)
        }
    }

    private func hide(_ name: [UInt8], in path: [UInt8]) throws(BundleError) {
        try tree.countFile()
        guard !isFirst else { return }
        let dots = [[UInt8(ascii: ".")], [UInt8(ascii: "."), UInt8(ascii: ".")], []]
        guard !dots.contains(name) else { throw BundleError("a whiteout in \(shown(path)) names no file") }
        try explain("cannot remove \(shown(name)) in \(shown(path))") { () throws(SystemError) in
            guard let directory = try tree.directories.existing(path) else { return }
            try prune(ByteName(name), in: directory)
        }
    }

    /// Removes what is not of this layer; whether anything is left.
    private func prune(_ directory: OpenDirectory) throws(SystemError) -> Bool {
        var isEmpty = true
        let list = try FileDescriptor.open(".", .directory, at: directory.descriptor.rawValue)
        for entry in try byteEntries(list.rawValue) where try !prune(entry.name, in: directory) { isEmpty = false }
        return isEmpty
    }

    /// Whether the entry is gone.
    @discardableResult
    private func prune(_ name: ByteName, in parent: OpenDirectory) throws(SystemError) -> Bool {
        let isKept = tree.isOfThisLayer(name, in: parent.inode)
        guard let status = try parent.descriptor.status(of: name) else { return true }
        if status.isDirectory {
            let inner = try OpenDirectory([], try parent.descriptor.open(name, .directory))
            guard try prune(inner), !isKept else { return false }
            tree.directories.forget()
            try parent.descriptor.remove(name, directory: true)
            return true
        }
        guard !isKept else { return false }
        if status.kind == .symbolicLink { tree.directories.forget() }
        try parent.descriptor.remove(name)
        return true
    }
}
