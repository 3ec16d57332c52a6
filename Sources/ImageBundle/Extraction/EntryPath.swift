internal import LinuxSystem

/// A path of an archive, taken apart: where it lies from the root of the tree, without a leading slash, "." and doubled
/// slashes. One with ".." in it is refused: no archive needs it, and those that have it mean harm.
struct EntryPath: Equatable {
    /// The path of the directory; empty for the root.
    let directory: [UInt8]
    /// Empty: the path is the root itself.
    let name: [UInt8]

    init(_ path: [UInt8]) throws(BundleError) {
        let slash = UInt8(ascii: "/")
        var directory: [UInt8] = []
        directory.reserveCapacity(path.count)
        var last: ArraySlice<UInt8> = []
        for component in path.split(separator: slash) where component != [UInt8(ascii: ".")] {
            guard component != [UInt8(ascii: "."), UInt8(ascii: ".")] else {
                throw BundleError("the name \(shown(path)) leads out of the tree with \"..\"")
            }
            if !last.isEmpty {
                if !directory.isEmpty { directory.append(slash) }
                directory += last
            }
            last = component
        }
        self.directory = directory
        name = Array(last)
    }

    init(directory: [UInt8], name: [UInt8]) {
        self.directory = directory
        self.name = name
    }

    /// The path of the entry itself.
    var full: [UInt8] { directory.isEmpty ? name : directory + [UInt8(ascii: "/")] + name }
}

/// A name of an archive as a message shows it: in quotation marks, on one line, at most 80 bytes of it.
func shown(_ name: some Collection<UInt8>) -> String {
    "\"" + ByteName(name.prefix(80)).shown + (name.count > 80 ? "...\"" : "\"")
}
