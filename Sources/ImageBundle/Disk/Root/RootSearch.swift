internal import LinuxSystem

/// Finds the root filesystem among the volumes of a disk.
final class RootSearch {
    /// A volume, or a subvolume of it, that may be the root.
    struct Candidate {
        let volume: Disk.Volume
        let mounted: MountedVolume
        /// The path of a btrfs subvolume; nil for the filesystem's own root.
        let subvolume: String?
        var score = 0
        /// What the system calls itself; nil without an os-release.
        var system: String?
        var release = OSRelease()
        var fstab: [FstabEntry] = []

        /// `5:@ btrfs "root" (Debian GNU/Linux 12)`
        var summary: String {
            let name = volume.partition.volume ?? "\(volume.partition.number)"
            let label = volume.probe.map { $0.label.isEmpty ? "" : " \"\($0.label)\"" } ?? ""
            return
                "\(name)\(subvolume.map { ":\($0)" } ?? "") \(mounted.probe.kind.rawValue)\(label) (\(system ?? "no os-release"))"
        }
    }

    private let disk: Disk
    private(set) var candidates: [Candidate] = []
    /// Volumes that hold a filesystem and could not be mounted, and why.
    private(set) var failures: [BundleError] = []
    private var mounts: [(volume: Disk.Volume, mounted: MountedVolume)] = []

    /// A system has this much: an init program or a name, a shell at least.
    private static let least = 2

    /// - Parameter judges: looks at every volume; otherwise at those alone that are asked for
    init(_ disk: Disk, _ work: Work, judges: Bool = true) throws(BundleError) {
        self.disk = disk
        guard judges else { return }
        for volume in disk.volumes where volume.probe?.driver != nil {
            try work.checkpoint()
            do throws(BundleError) {
                let mounted = try mount(volume)
                for subvolume in [nil] + Subvolumes.find(mounted) {
                    if let found = try judge(volume, mounted, subvolume) { candidates.append(found) }
                }
            } catch {
                failures.append(error)
            }
        }
        candidates.sort { $0.score > $1.score }
    }

    /// A volume is mounted once.
    func mount(_ volume: Disk.Volume) throws(BundleError) -> MountedVolume {
        for entry in mounts where entry.volume == volume { return entry.mounted }
        var mounted = try disk.mount(volume)
        // Fedora's live media have the filesystem in a file of the squashfs.
        if volume.probe?.kind == .squashfs, let inner = try NestedImage.find(in: mounted, disk.image) {
            mounted = inner
        }
        mounts.append((volume, mounted))
        return mounted
    }

    /// Whether something that is mounted was not shut down.
    var hasDirtyJournal: Bool { mounts.contains { $0.mounted.journal.isDirty } }

    func hasDirtyJournal(_ volume: Disk.Volume) -> Bool {
        mounts.contains { $0.volume == volume && $0.mounted.journal.isDirty } || volume.probe?.isDirty == true
    }

    // MARK: - Judging

    private func judge(
        _ volume: Disk.Volume, _ mounted: MountedVolume, _ subvolume: String?
    ) throws(BundleError) -> Candidate? {
        var found = Candidate(volume: volume, mounted: mounted, subvolume: subvolume)
        let root = try explain("\(disk.image): cannot look into \(volume.partition.name)") { () throws(SystemError) in
            try mounted.directory(subvolume)
        }
        if let text = ImageFile.read("etc/os-release", in: root) ?? ImageFile.read("usr/lib/os-release", in: root) {
            found.release = OSRelease(text)
            found.system = found.release.name
            found.score += 4
        }
        if ImageFile.exists("sbin/init", in: root) || ImageFile.exists("usr/lib/systemd/systemd", in: root) {
            found.score += 3
        }
        if ImageFile.exists("bin/sh", in: root) { found.score += 2 }
        guard found.score >= Self.least else { return nil }
        if let text = ImageFile.read("etc/fstab", in: root) {
            found.fstab = FstabEntry.parse(text)
            for entry in found.fstab where entry.mountPoint == "/" {
                if let place = resolve(entry), place.volume == volume,
                    subvolume == nil || place.subvolume == nil || place.subvolume == subvolume
                {
                    found.score += 5
                    break
                }
            }
        }
        if volume.partition.isMarkedAsRoot { found.score += 6 }
        found.score += volume.rank
        if volume.probe?.label.lowercased() == "root" || volume.partition.label.lowercased() == "root" {
            found.score += 1
        }
        if let subvolume {
            if Subvolumes.isReadOnly(root) || subvolume.utf8.split(separator: UInt8(ascii: "/")).count > 1 {
                found.score -= 4
            }
            if subvolume == "@" || subvolume == "root" { found.score += 1 }
        }
        return found
    }

    // MARK: - Choosing

    /// - Parameter wanted: `PART[:SUBVOL]`; nil: what the image says
    func choose(_ wanted: String?) throws(BundleError) -> Candidate {
        if let wanted { return try find(wanted) }
        guard let best = candidates.first else { throw nothing() }
        let equals = candidates.filter { $0.score == best.score }
        guard equals.count == 1 else {
            let list = equals.map(\.summary).joined(separator: ", ")
            throw BundleError(
                "\(disk.image): \(equals.count) candidates for the root filesystem: \(list)", hint: "choose with --root"
            )
        }
        return best
    }

    private func find(_ wanted: String) throws(BundleError) -> Candidate {
        let parts = wanted.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        var subvolume = parts.count > 1 ? String(parts[1]) : nil
        while subvolume?.hasPrefix("/") == true { subvolume?.removeFirst() }
        if subvolume?.isEmpty == true { subvolume = nil }
        let matching =
            disk.volumes.first { $0.partition.volume == name }
            ?? disk.volumes.first { $0.partition.volume == nil && "\($0.partition.number)" == name }
        guard let volume = matching else {
            throw BundleError(
                "\(disk.image): there is no partition \"\(name)\"", hint: "--layout lists those that are there")
        }
        let mounted = try mount(volume)
        if let known = candidates.first(where: { $0.volume == volume && $0.subvolume == subvolume }) { return known }
        let root: RootDirectory
        do throws(SystemError) {
            root = try mounted.directory(subvolume)
        } catch {
            throw BundleError("\(disk.image): partition \(name) has no subvolume \"\(subvolume ?? "")\"", error)
        }
        var found = Candidate(volume: volume, mounted: mounted, subvolume: subvolume)
        if let text = ImageFile.read("etc/os-release", in: root) { found.release = OSRelease(text) }
        if let text = ImageFile.read("etc/fstab", in: root) { found.fstab = FstabEntry.parse(text) }
        return found
    }

    private func nothing() -> BundleError {
        if let failure = failures.first, failures.count == disk.volumes.count(where: { $0.probe?.driver != nil }) {
            return failure
        }
        var reasons: [String] = disk.refusals
        for volume in disk.volumes {
            let name = "\(volume.partition.name) (\(volume.probe?.kind.rawValue ?? "unknown"))"
            switch volume.probe {
            case .some(let probe) where probe.driver != nil:
                reasons.append("\(name) has neither os-release nor init nor a shell")
            case .some(let probe) where probe.kind == .luks: reasons.append("\(name) is encrypted")
            case .some(let probe) where probe.kind == .lvm: break
            default: reasons.append("\(name) is none")
            }
        }
        // One line that can be read.
        let most = 6
        let more = reasons.count > most ? ", and \(reasons.count - most) more" : ""
        return BundleError("\(disk.image): no root filesystem: \(reasons.prefix(most).joined(separator: ", "))\(more)")
    }

    // MARK: - What a line of fstab names

    /// The volume in this image that an entry means; nil when it means none. Devices of the host are never looked at.
    func resolve(_ entry: FstabEntry) -> (volume: Disk.Volume, subvolume: String?)? {
        guard let volume = disk.volumes.first(where: { entry.source.names($0) }) else { return nil }
        return (volume, volume.probe?.kind == .btrfs ? entry.subvolume : nil)
    }
}
