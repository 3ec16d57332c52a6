internal import LinuxSystem
internal import RuntimeSpec

/// `swrun bundle --remove`: takes a bundle away with everything in it. An ordinary user may not remove by hand what belongs
/// to his subordinate ids.
package enum RemoveBundle {
    /// What `bundle` writes into each config.json: other directories are not removed.
    private static let marks = ["swrun.source.path", MakeBundle.modeAnnotation]

    package static func run(_ directory: String, _ registry: ImageRegistry) throws(BundleError) {
        let path = try explain("cannot find the bundle \(directory)") { () throws(SystemError) in
            try absolutePath(directory)
        }
        try requireBundle(path)
        _ = try AttachedImage.detach(path, in: registry)
        // From here on it is no bundle any more, and one that a killed command has left can be cleared.
        let partial = "\(path)\(PartialBundle.mark)\(try randomText())"
        registry.add(.partial, partial)
        do throws(SystemError) {
            try FileDescriptor.open("/", .place).rename(path, toNew: partial)
        } catch {
            registry.remove(partial)
            throw BundleError("cannot remove the bundle \(path)", error)
        }
        try ImageRegistry.removeDirectory(partial)
        registry.remove(partial)
    }

    private static func requireBundle(_ path: String) throws(BundleError) {
        let text = try explain("\(path): is no bundle") { () throws(SystemError) in
            let bundle = try FileDescriptor.open(path, .directoryItself)
            return try readFile("config.json", at: bundle.rawValue, limit: Config.maximumDocumentSize)
        }
        let config = try Config.decode(text, name: "\(path)/config.json")
        guard config.annotations.contains(where: { marks.contains($0.key) }) else {
            throw BundleError("\(path): was not made by swrun bundle", hint: "remove it by other means")
        }
    }
}
