internal import LinuxSystem
internal import RuntimeSpec

extension ImageFacts {
    /// What a tree tells that comes without a configuration.
    static func ofTree(
        _ rootfs: borrowing FileDescriptor, _ work: Work, format: SourceKind
    ) throws(BundleError) -> ImageFacts {
        let root = RootDirectory(
            try explain("cannot look at the root filesystem") { () throws(SystemError) in try rootfs.duplicate() })
        var facts = try ofSystem(root, work.request, unifiedCgroups: hasUnifiedCgroups())
        facts.annotations = [
            KeyValue("swrun.source.path", work.request.image), KeyValue("swrun.source.format", format.rawValue),
        ]
        return facts
    }
}
