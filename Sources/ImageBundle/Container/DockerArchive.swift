internal import RuntimeSpec

/// An archive of `docker save` or `podman save`: manifest.json names, for each image, its configuration and its layers in the
/// archive.
struct DockerArchive {
    let store: ImageStore
    private let entries: [DockerArchiveEntry]

    init(_ store: ImageStore) throws(BundleError) {
        self.store = store
        guard let text = try store.read("manifest.json") else {
            throw BundleError("is no docker-archive: there is no manifest.json in it")
        }
        entries = try [DockerArchiveEntry].decode(text, name: "manifest.json")
    }

    func choose(_ request: BundleRequest) throws(BundleError) -> ContainerImage {
        var found = entries
        if let reference = request.reference {
            found = entries.filter { $0.tags.contains { $0 == reference || ImageName.matches($0, reference) } }
        }
        guard let entry = found.first else {
            guard let reference = request.reference else { throw BundleError("there is no image in the archive") }
            throw BundleError("has no image named \"\(reference)\"", hint: "it has \(list(entries))")
        }
        guard found.count == 1 else {
            throw BundleError("has \(found.count) images: \(list(found))", hint: "choose with --ref NAME")
        }
        return try image(entry)
    }

    private func image(_ entry: DockerArchiveEntry) throws(BundleError) -> ContainerImage {
        guard let text = try store.read(entry.config) else {
            throw BundleError("the configuration \(shown(entry.config.utf8)) is not in the archive")
        }
        // It is named after its digest; how, has changed over the years.
        let last = entry.config.split(separator: "/").last.map(String.init) ?? ""
        let stem = last.hasSuffix(".json") ? String(last.dropLast(5)) : last
        if let digest = Digest(hex: stem.utf8), SHA256.digest(of: text) != digest { throw ImageStore.mismatch(digest) }
        let configuration = try ImageConfiguration.decode(text, name: "the configuration \(shown(entry.config.utf8))")
        return try ContainerImage(
            name: entry.tags.first, configuration: configuration, layers: entry.layers.map { ($0, nil) })
    }

    private func list(_ entries: [DockerArchiveEntry]) -> String {
        let names = entries.prefix(20).map { oneLine($0.tags.first ?? $0.config) }
        return names.joined(separator: ", ") + (entries.count > 20 ? ", ..." : "")
    }

    /// For `--layout`: a line for each image.
    func describe() throws(BundleError) -> String {
        var text = ""
        for entry in entries {
            let image = try image(entry)
            let names = entry.tags.isEmpty ? "(no name)" : entry.tags.map(oneLine).joined(separator: " ")
            text += "\(names)  \(oneLine(image.platform.description))  \(image.layers.count) layers\n"
        }
        return text
    }
}
