internal import RuntimeSpec

/// An OCI image layout: image-layout.md. A directory, or an archive of one.
struct OCILayout {
    let store: ImageStore
    private let index: ImageIndex

    /// Indexes in indexes: the specification sets no limit, a hostile image none either.
    private static let maximumDepth = 8

    init(_ store: ImageStore) throws(BundleError) {
        self.store = store
        guard let layout = try store.read("oci-layout", limit: 64 << 10) else {
            throw BundleError("is no OCI layout: there is no file oci-layout in it")
        }
        _ = try LayoutVersion.decode(layout, name: "oci-layout")
        guard let text = try store.read("index.json") else {
            throw BundleError("is no OCI layout: there is no index.json in it")
        }
        index = try ImageIndex.decode(text, name: "index.json")
    }

    /// The image that `--ref` and `--platform` mean.
    func choose(_ request: BundleRequest) throws(BundleError) -> ContainerImage {
        let platform = try Platform.wanted(by: request)
        let named = try candidates(request.reference)
        let leaf = try choose(among: named, platform, isAmbiguous: request.reference == nil, depth: 0)
        let manifest = leaf.manifest
        guard Self.configTypes.contains(manifest.config.mediaType) else {
            throw BundleError(
                "holds \(shown(manifest.config.mediaType.utf8)), not a container image",
                hint: "only images with layers of files can be unpacked")
        }
        for layer in manifest.layers { try LayerMediaType.check(layer.mediaType) }
        let configuration = try ImageConfiguration.decode(
            try store.read(manifest.config), name: "the configuration \(manifest.config.digest)")
        return try ContainerImage(
            name: Self.name(of: leaf.descriptor) ?? request.reference, configuration: configuration,
            layers: manifest.layers.map { (ImageStore.path(of: $0.digest), $0) }, annotations: manifest.annotations,
            digest: leaf.descriptor.digest)
    }

    private static let configTypes = [
        "application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json",
    ]

    // MARK: - Names

    /// What tools call an image in a layout: the tag alone, or the whole name with containerd's annotation.
    private static func names(of descriptor: Descriptor) -> [String] {
        ["org.opencontainers.image.ref.name", "io.containerd.image.name"].compactMap { descriptor.annotations[$0] }
    }

    private static func name(of descriptor: Descriptor) -> String? { names(of: descriptor).last }

    private func candidates(_ reference: String?) throws(BundleError) -> [Descriptor] {
        guard !index.manifests.isEmpty else { throw BundleError("there is no image in the layout") }
        guard let reference else { return index.manifests }
        let found = index.manifests.filter { descriptor in
            descriptor.digest.description == reference || Self.names(of: descriptor).contains(reference)
                || Self.names(of: descriptor).contains { ImageName.matches($0, reference) }
        }
        guard !found.isEmpty else {
            throw BundleError("has no image named \"\(reference)\"", hint: "it has \(Self.list(index.manifests))")
        }
        return found
    }

    private static func list(_ descriptors: [Descriptor]) -> String {
        let shown = descriptors.prefix(20).map { descriptor in
            (name(of: descriptor) ?? descriptor.digest.description)
                + (descriptor.platform.map { " (\($0))" } ?? "")
        }
        return shown.joined(separator: ", ") + (descriptors.count > 20 ? ", ..." : "")
    }

    // MARK: - Platforms

    private typealias Leaf = (descriptor: Descriptor, manifest: ImageManifest)

    private func choose(
        among descriptors: [Descriptor], _ platform: Platform, isAmbiguous: Bool, depth: Int
    ) throws(BundleError) -> Leaf {
        guard depth < Self.maximumDepth else { throw BundleError("has indexes in indexes without end") }
        var best: [Descriptor] = []
        var distance = Int.max
        for descriptor in descriptors {
            // An index, or a manifest whose platform only its configuration tells, may fit.
            let own = descriptor.platform.map { platform.distance(to: $0) } ?? 0
            guard let own, own <= distance else { continue }
            if own < distance { best = [] }
            distance = own
            if !best.contains(where: { $0.digest == descriptor.digest }) { best.append(descriptor) }
        }
        guard let first = best.first else {
            throw BundleError("has no image for \(platform)", hint: "it has \(Self.list(descriptors))")
        }
        guard best.count == 1 else {
            throw BundleError(
                "has \(best.count) images: \(Self.list(best))",
                hint: isAmbiguous ? "choose with --ref NAME" : "choose with --ref DIGEST")
        }
        let text = try store.read(first)
        switch try ManifestOrIndex.decode(text, name: "the manifest \(first.digest)") {
        case .manifest(let manifest): return (first, manifest)
        case .index(let index):
            var leaf = try choose(among: index.manifests, platform, isAmbiguous: false, depth: depth + 1)
            // The name is that of the outermost index.
            if !first.annotations.isEmpty { leaf.descriptor.annotations = first.annotations }
            return leaf
        }
    }

    /// For `--layout`: a line for each image.
    func describe() throws(BundleError) -> String {
        var text = ""
        for descriptor in index.manifests {
            text += try describe(descriptor, indent: "", depth: 0)
        }
        return text
    }

    private func describe(_ descriptor: Descriptor, indent: String, depth: Int) throws(BundleError) -> String {
        var line = indent + descriptor.digest.description
        if let name = Self.name(of: descriptor) { line += "  " + oneLine(name) }
        guard depth < Self.maximumDepth, let text = try? store.read(descriptor) else {
            return line + "  \(descriptor.platform?.description ?? "") (not in this layout)\n"
        }
        switch try ManifestOrIndex.decode(text, name: "the manifest \(descriptor.digest)") {
        case .manifest(let manifest):
            var platform = descriptor.platform
            if platform == nil, let text = try? store.read(manifest.config) {
                platform = (try? ImageConfiguration.decode(text))?.platform
            }
            let size = manifest.layers.reduce(UInt64(0)) { $0 &+ $1.size }
            return line
                + "  \(platform.map { oneLine($0.description) } ?? "")  \(manifest.layers.count) layers, \(size) bytes\n"
        case .index(let index):
            line += "  \(index.manifests.count) images\n"
            for inner in index.manifests.prefix(100) {
                line += try describe(inner, indent: indent + "  ", depth: depth + 1)
            }
            return line
        }
    }
}

/// Text of an image for the terminal: without control characters.
func oneLine(_ text: String) -> String {
    String(
        String.UnicodeScalarView(text.unicodeScalars.prefix(200).map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 })
    )
}

/// Names of images as people write them: "debian" stands for "docker.io/library/debian:latest".
enum ImageName {
    static func matches(_ full: String, _ short: String) -> Bool { normalized(full) == normalized(short) }

    private static func normalized(_ name: String) -> String {
        var rest = name[...]
        for prefix in ["docker.io/", "library/"] where rest.hasPrefix(prefix) {
            rest = rest.dropFirst(prefix.utf8.count)
        }
        if rest.hasPrefix("localhost/") { rest = rest.dropFirst(10) }
        let last = rest.split(separator: "/").last ?? rest
        return String(rest) + (last.contains(":") || last.contains("@") ? "" : ":latest")
    }
}
