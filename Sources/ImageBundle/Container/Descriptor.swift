internal import RuntimeSpec

/// What names a blob: image-spec, descriptor.md.
struct Descriptor: Sendable {
    var mediaType: String
    var digest: Digest
    var size: UInt64
    var platform: Platform?
    var annotations: [KeyValue]
}

extension Descriptor: JSONDecodable {
    init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        mediaType = try object.text("mediaType") ?? ""
        digest = try object.required("digest") { (json) throws(SpecError) in try Digest(json: json) }
        size = try object.required("size")
        platform = try object.optional("platform")
        annotations = try object.strings("annotations")
    }
}

extension Digest: JSONDecodable {
    init(json: JSONValue) throws(SpecError) {
        let text = try String(json: json)
        do throws(BundleError) {
            self = try Digest(parsing: text)
        } catch {
            throw SpecError(.invalid, error.message)
        }
    }
}

/// What a layer may be, and why not. The compression is told by the bytes.
enum LayerMediaType {
    private static let notDistributed = [
        "application/vnd.oci.image.layer.nondistributable.", "application/vnd.docker.image.rootfs.foreign.",
    ]

    static func check(_ mediaType: String) throws(BundleError) {
        let what = "a layer of type \(shown(mediaType.utf8))"
        for stem in notDistributed where mediaType.hasPrefix(stem) {
            throw BundleError("\(what) is not distributed with its image", hint: "such images cannot be unpacked")
        }
        if mediaType.hasSuffix("+encrypted") {
            throw BundleError(
                "\(what) is encrypted", hint: "decrypt the image first, with skopeo copy --decryption-key")
        }
        let stems = ["application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"]
        for stem in stems where mediaType.hasPrefix(stem) {
            let suffix = mediaType.dropFirst(stem.count)
            let compression =
                suffix.utf8.first == UInt8(ascii: "+") || suffix.utf8.first == UInt8(ascii: ".")
                ? Compression(rawValue: String(suffix.dropFirst())) : nil
            if suffix.isEmpty || compression != nil { return }
        }
        throw BundleError("\(what) is no layer of files", hint: "is this a container image?")
    }
}
