internal import LinuxSystem

/// What the image's own fstab mounts below its root: volumes of the same image, and nothing else.
struct MergePlan {
    struct Merged {
        /// Absolute, without "." and "..".
        let mountPoint: String
        let volume: Disk.Volume
        let mounted: MountedVolume
        let subvolume: String?
        /// Paths below the mount point at which others are mounted.
        var hidden: [String] = []
    }

    private(set) var merged: [Merged] = []
    /// Mount points of what could not be merged.
    private(set) var skipped: [String] = []
    /// The bytes in use of all volumes that are copied.
    private(set) var usedBytes: UInt64

    private static let most = 64

    init(_ root: RootSearch.Candidate, _ search: RootSearch, _ work: Work) throws(BundleError) {
        usedBytes = root.mounted.usedBytes
        guard work.request.mergesFstab else { return }
        for entry in root.fstab where entry.isMounted && entry.mountPoint != "/" {
            guard let point = Self.normalized(entry.mountPoint), !Self.isKernels(point) else {
                throw BundleError(
                    "\(work.request.image): /etc/fstab has the mount point \"\(entry.mountPoint)\"; refused",
                    hint: "--fstab none leaves out what it mounts")
            }
            guard merged.count < Self.most else {
                throw BundleError("\(work.request.image): /etc/fstab mounts too much")
            }
            guard let place = search.resolve(entry), place.volume.probe?.driver != nil else {
                skipped.append(point)
                continue
            }
            let isRoot = place.volume == root.volume && place.subvolume == root.subvolume
            guard !isRoot, !merged.contains(where: { $0.mountPoint == point }) else { continue }
            try Self.requireNoLink(point, root, work)
            let mounted = try search.mount(place.volume)
            if place.volume != root.volume { usedBytes += mounted.usedBytes }
            merged.append(
                Merged(mountPoint: point, volume: place.volume, mounted: mounted, subvolume: place.subvolume))
        }
        // What is mounted below another mount point comes after it.
        merged.sort { $0.mountPoint.utf8.count < $1.mountPoint.utf8.count }
        for index in merged.indices {
            let prefix = merged[index].mountPoint + "/"
            merged[index].hidden = merged.filter { $0.mountPoint.hasPrefix(prefix) }
                .map { String($0.mountPoint.dropFirst(prefix.count)) }
        }
    }

    private static func normalized(_ path: String) -> String? {
        let parts = path.split(separator: "/").filter { $0 != "." }
        if parts.isEmpty || parts.contains("..") || path.utf8.count > 1024 { return nil }
        return "/" + parts.joined(separator: "/")
    }

    /// Where a container has what the kernel shows.
    private static func isKernels(_ path: String) -> Bool {
        for place in ["/proc", "/sys", "/dev"] where path == place || path.hasPrefix(place + "/") { return true }
        return false
    }

    /// Links on the way to a mount point lead elsewhere than the file says.
    private static func requireNoLink(
        _ point: String, _ root: RootSearch.Candidate, _ work: Work
    ) throws(BundleError) {
        guard let directory = try? root.mounted.directory(root.subvolume) else { return }
        var linked = false
        do throws(SystemError) {
            _ = try directory.openIfPresent(point, .entry, .noLinks)
            linked = try directory.openIfPresent(point, .entry)?.status().kind == .symbolicLink
        } catch {
            linked = error.errno == .loop
        }
        if linked {
            throw BundleError(
                "\(work.request.image): the mount point \(point) of /etc/fstab is reached through a link; refused",
                hint: "--fstab none leaves out what it mounts")
        }
    }
}
