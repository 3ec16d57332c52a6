internal import RuntimeSpec

/// An image of a store that was chosen: its layers from the lowest up, and what is to be run.
struct ContainerImage {
    struct Layer {
        /// Where it is in the store.
        var path: String
        /// Of the bytes as they are stored; nil in archives of `docker save`, where only the next is known.
        var blob: Descriptor?
        /// Of the tar, unpacked.
        var diffID: Digest
    }

    /// The name it was found by, if it has any.
    var name: String?
    var platform: Platform
    var configuration: ImageConfiguration
    var layers: [Layer]
    var annotations: [KeyValue]
    /// Of the manifest.
    var digest: Digest?

    /// Docker builds 127 at most.
    private static let maximumLayers = 1000

    init(
        name: String?, configuration: ImageConfiguration, layers paths: [(path: String, blob: Descriptor?)],
        annotations: [KeyValue] = [], digest: Digest? = nil
    ) throws(BundleError) {
        guard paths.count == configuration.diffIDs.count else {
            throw BundleError(
                "the image has \(paths.count) layers, its configuration names \(configuration.diffIDs.count)")
        }
        guard paths.count <= Self.maximumLayers else { throw BundleError("the image has too many layers") }
        self.name = name
        platform = configuration.platform
        self.configuration = configuration
        self.annotations = annotations
        self.digest = digest
        layers = []
        for (place, diffID) in zip(paths, configuration.diffIDs) {
            layers.append(Layer(path: place.path, blob: place.blob, diffID: diffID))
        }
    }

    /// Refuses what cannot run, and warns of what runs only where an emulator is set up.
    func checkPlatform(_ request: BundleRequest, _ warn: (String) -> Void) throws(BundleError) {
        // Images of "scratch" made by hand say nothing.
        guard !platform.os.isEmpty, !platform.architecture.isEmpty else { return }
        let wanted = try Platform.wanted(by: request)
        guard wanted.distance(to: platform) == nil else { return }
        if request.platform != nil || platform.os != wanted.os {
            throw BundleError("the image is for \(platform), not for \(wanted)")
        }
        warn("the image is for \(platform), this machine is \(wanted)")
    }
}

extension Platform {
    static func wanted(by request: BundleRequest) throws(BundleError) -> Platform {
        try request.platform.map { (text) throws(BundleError) in try Platform(parsing: text) } ?? .host
    }
}
