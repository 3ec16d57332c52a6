internal import LinuxSystem
internal import RuntimeSpec

/// A container image as a source of bundles, wherever its parts lie.
final class ContainerImageSource: ImageSource {
    private enum Kind {
        case layout(OCILayout)
        case docker(DockerArchive)
    }

    private let kind: Kind
    private let format: SourceKind

    init(layout store: ImageStore, _ format: SourceKind) throws(BundleError) {
        kind = .layout(try OCILayout(store))
        self.format = format
    }

    init(docker store: ImageStore) throws(BundleError) {
        kind = .docker(try DockerArchive(store))
        format = .dockerArchive
    }

    func layout(_ work: Work) throws(BundleError) -> String {
        switch kind {
        case .layout(let layout): try layout.describe()
        case .docker(let archive): try archive.describe()
        }
    }

    func produce(in rootfs: borrowing FileDescriptor, _ work: Work) throws(BundleError) -> ImageFacts {
        let image: ContainerImage
        let store: ImageStore
        switch kind {
        case .layout(let layout): (image, store) = (try layout.choose(work.request), layout.store)
        case .docker(let archive): (image, store) = (try archive.choose(work.request), archive.store)
        }
        try image.checkPlatform(work.request, work.warn)
        let tree = try TreeWriter(rootfs, work)
        work.progress.begin("unpacking", total: try total(of: image, in: store))
        for (index, layer) in image.layers.enumerated() {
            do throws(BundleError) {
                try unpack(layer, from: store, to: LayerWriter(tree, isFirst: index == 0), work)
            } catch {
                if ArchiveImage.isAboutMore(error, than: work.request.image) { throw error }
                throw BundleError(
                    "layer \(index + 1) of \(image.layers.count): \(error.message)", exitCode: error.exitCode)
            }
        }
        try tree.finish()
        var facts = try image.facts(rootfs, work, format: format)
        facts.volumes = try ImageVolumes.make(image.configuration.volumes, rootfs, work)
        work.progress.finish()
        return facts
    }

    func release() {}

    private func total(of image: ContainerImage, in store: ImageStore) throws(BundleError) -> UInt64 {
        var sum: UInt64 = 0
        for layer in image.layers {
            guard let part = try store.open(layer.path) else {
                throw layer.blob.map { ImageStore.missing($0.digest) }
                    ?? BundleError("the layer \(shown(layer.path.utf8)) is not in the archive")
            }
            if let blob = layer.blob, blob.size != part.extent.count {
                throw BundleError(
                    "the blob \(blob.digest) has \(part.extent.count) bytes, not the \(blob.size) it should have")
            }
            sum += part.extent.count
        }
        return sum
    }

    private func unpack(
        _ layer: ContainerImage.Layer, from store: ImageStore, to writer: LayerWriter, _ work: Work
    ) throws(BundleError) {
        guard let part = try store.open(layer.path) else {
            throw BundleError("the layer \(shown(layer.path.utf8)) is not in the image any more")
        }
        let archive = try ArchiveInput(part.descriptor, part.extent, work, sums: true)
        var reader = TarReader(archive.stream)
        try writer.apply(&reader)
        guard let sums = try archive.finish() else { throw BundleError("the layer was not summed up") }
        if let blob = layer.blob, blob.digest != sums.compressed { throw ImageStore.mismatch(blob.digest) }
        guard sums.plain == layer.diffID else {
            throw BundleError("the layer is not the one of the configuration, \(layer.diffID)")
        }
    }
}
