internal import RuntimeSpec

/// index.json, an image index, or a manifest list of Docker: image-index.md.
struct ImageIndex: JSONDecodable {
    var manifests: [Descriptor]

    init(json: JSONValue) throws(SpecError) {
        manifests = try json.object().required("manifests")
    }
}

/// manifest.md, and Docker's manifest of version 2, schema 2.
struct ImageManifest: JSONDecodable {
    var config: Descriptor
    var layers: [Descriptor]
    var annotations: [KeyValue]

    init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        if let version: Int = try object.optional("schemaVersion"), version != 2 {
            throw SpecError(
                .invalid, at: "schemaVersion", "version \(version) of the manifest", expected: "only version 2 is known"
            )
        }
        config = try object.required("config")
        layers = try object.list("layers")
        annotations = try object.strings("annotations")
    }
}

/// The manifest or the index that a descriptor may mean; the media type does not always tell.
enum ManifestOrIndex: JSONDecodable {
    case manifest(ImageManifest)
    case index(ImageIndex)

    init(json: JSONValue) throws(SpecError) {
        let isIndex: Bool = try json.object().optional("manifests") { (_) throws(SpecError) in true } ?? false
        if isIndex {
            self = .index(try ImageIndex(json: json))
        } else {
            self = .manifest(try ImageManifest(json: json))
        }
    }
}

/// oci-layout, image-layout.md.
struct LayoutVersion: JSONDecodable {
    init(json: JSONValue) throws(SpecError) {
        let version: String = try json.object().required("imageLayoutVersion")
        guard version.hasPrefix("1.") else {
            throw SpecError(.invalid, at: "imageLayoutVersion", "unknown version \(shown(version.utf8))")
        }
    }
}

/// An image in manifest.json of `docker save`.
struct DockerArchiveEntry: JSONDecodable {
    var config: String
    var tags: [String]
    var layers: [String]

    init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        config = try object.required("Config")
        tags = try object.list("RepoTags")
        layers = try object.list("Layers")
    }
}

/// config.md: what is to be run, and what the layers are when unpacked. The members of `config` are next to those of the image.
struct ImageConfiguration: JSONDecodable {
    var platform: Platform
    var osVersion: String?
    var osFeatures: [String]
    var author: String?
    var created: String?
    var diffIDs: [Digest]

    var user: String?
    var exposedPorts: [String] = []
    var env: [String] = []
    var entrypoint: [String] = []
    var command: [String] = []
    var volumes: [String] = []
    var workingDirectory: String?
    var labels: [KeyValue] = []
    var stopSignal: String?

    init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        platform = try Platform(json: json)
        osVersion = try object.text("os.version")
        osFeatures = try object.list("os.features")
        author = try object.text("author")
        created = try object.text("created")
        diffIDs = try object.required("rootfs") { (json) throws(SpecError) in try json.object().list("diff_ids") }
        _ = try object.optional("config") { (json) throws(SpecError) in try readExecution(json.object()) }
    }

    private mutating func readExecution(_ object: JSONObject) throws(SpecError) {
        user = try object.text("User")
        exposedPorts = try object.map("ExposedPorts") { (key, _) in key }
        env = try object.list("Env")
        entrypoint = try object.list("Entrypoint")
        command = try object.list("Cmd")
        volumes = try object.map("Volumes") { (key, _) in key }
        workingDirectory = try object.text("WorkingDir")
        labels = try object.strings("Labels")
        stopSignal = try object.text("StopSignal")
    }
}

extension JSONDecodable {
    /// Decodes a document of an image.
    ///
    /// - Parameter name: the document's, for the error.
    static func decode(_ text: [UInt8], name: String) throws(BundleError) -> Self {
        do throws(SpecError) {
            return try decode(text)
        } catch {
            throw BundleError("\(name): \(error)")
        }
    }
}
