internal import ContainerRuntime
internal import ImageBundle
internal import LinuxSystem
internal import RuntimeSpec

/// Bundles of `swrun bundle --mode mount`: their root filesystem appears when a container is created and goes with it.
final class ImageRootfs: RootfsProvider {
    private let registry: ImageRegistry

    init(registry: ImageRegistry) { self.registry = registry }

    func prepare(
        _ bundle: String, _ annotations: [KeyValue], _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) {
        guard Self.isMounted(annotations) else { return }
        do throws(BundleError) { try AttachedImage.attach(bundle, in: registry, warn) } catch {
            throw RuntimeError(error)
        }
    }

    func release(_ bundle: String, _ annotations: [KeyValue], _ warn: (String) -> Void) {
        guard Self.isMounted(annotations) else { return }
        do throws(BundleError) { _ = try AttachedImage.detach(bundle, in: registry) } catch { warn(error.message) }
    }

    private static func isMounted(_ annotations: [KeyValue]) -> Bool {
        annotations[MakeBundle.modeAnnotation] == "mount"
    }
}

/// A root filesystem that is there only while it is needed.
struct AttachedRoot {
    /// The directory.
    let path: String
    /// Takes it away again; the container has ended.
    let detach: () -> Void
}

/// The root filesystem of a disk image as a directory (`-Q`).
enum DiskImageRoot {
    /// - Parameters:
    ///   - readOnly: nothing is to be written to the image. Nothing ever is: what the container writes is gone with it.
    ///   - stateRoot: where the directory is made
    static func attach(
        _ image: String, readOnly: Bool, in stateRoot: StateRoot, _ warn: @escaping (String) -> Void
    ) throws(RuntimeError) -> AttachedRoot {
        do throws(BundleError) {
            let made = try TemporaryBundle.make(of: image, in: stateRoot.path, warn)
            return AttachedRoot(path: made.rootfs) {
                do throws(BundleError) { try made.remove() } catch { warn(error.message) }
            }
        } catch {
            throw RuntimeError(error)
        }
    }
}
