internal import LinuxSystem
internal import RuntimeSpec

/// `swrun bundle`: a root filesystem and a config.json from an image.
package enum MakeBundle {
    /// The annotation that tells how a bundle was made: "copy" or "mount".
    package static let modeAnnotation = "swrun.mode"

    /// Makes the bundle, or nothing: where it throws, or a signal ends it, nothing is left.
    package static func run(_ work: Work) throws(BundleError) {
        let source = try open(work)
        defer { source.release() }
        let bundle = try PartialBundle.make(at: work.request.output, work.request.registry)
        do throws(BundleError) {
            let facts: ImageFacts
            if work.request.mode == .mount {
                guard let disk = source as? DiskSource else {
                    throw BundleError(
                        "\(work.request.image): only disk images and ISO images can be mounted", hint: "use --mode copy"
                    )
                }
                facts = try disk.prepareMount(in: bundle.directory, work)
            } else {
                facts = try source.produce(in: bundle.rootfs, work)
            }
            try work.checkpoint()
            try write(facts, to: bundle.directory, work)
            try bundle.complete()
        } catch {
            bundle.undo(work.warn)
            throw error
        }
    }

    /// `--layout`: what was found in the image.
    package static func layout(_ work: Work) throws(BundleError) -> String {
        let source = try open(work)
        defer { source.release() }
        return try source.layout(work)
    }

    private static func open(_ work: Work) throws(BundleError) -> any ImageSource {
        if let format = work.request.format { return try format.open(work) }
        return try SourceKind.detect(work.request.image).open(work)
    }

    private static func write(
        _ facts: ImageFacts, to directory: borrowing FileDescriptor, _ work: Work
    ) throws(BundleError) {
        let config = facts.config(
            ownIDs: work.isRootless ? work.ownIDs : nil, unifiedCgroups: hasUnifiedCgroups())
        do throws(SystemError) {
            let file = try FileDescriptor.open(
                "config.json", [.writeOnly, .create, .exclusive], mode: 0o644, at: directory.rawValue)
            try file.write(config.json.serialized(indent: "    ") + "\n", subject: "config.json")
        } catch {
            throw BundleError("cannot write config.json", error)
        }
    }
}
