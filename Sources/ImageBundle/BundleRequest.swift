/// What `swrun bundle` is asked for.
package struct BundleRequest: Sendable {
    package enum Mode: String, Sendable { case copy, mount }

    /// The image: a path, or a reference with a transport such as `docker://debian:12`.
    package var image: String
    /// The bundle's directory, which must not exist yet; empty when only the layout is asked for.
    package var output: String
    package var mode = Mode.copy
    /// nil: the content tells.
    package var format: SourceKind?
    /// `--root PART[:SUBVOL]`
    package var root: String?
    /// `--snapshot`: the name or id of an internal snapshot of a qcow2 image.
    package var snapshot: String?
    /// `--ref`: which image of an OCI layout or an archive.
    package var reference: String?
    /// `--platform`: "os/architecture[/variant]"; nil is this machine's.
    package var platform: String?
    /// Whether the image's own fstab says what is mounted where.
    package var mergesFstab = true
    package var keepsFstab = false
    /// Directories in which backing files of an image may lie.
    package var allowedBacking: [String] = []
    /// `--init`: "auto", a path in the image, or a command with its arguments.
    package var initCommand: String?
    package var hostname: String?
    /// Whether set-user-id and set-group-id bits and file capabilities are left out.
    package var noSetUserID = false
    /// Whether device nodes are made; without, they are left out.
    package var devices = false
    /// Whether an ordinary user's files get no other owner, though he has subordinate ids.
    package var mapsOwnIDsOnly = false
    /// Limits on what an image unpacks to.
    package var maximumBytes: UInt64 = 64 << 30
    package var maximumFiles: UInt64 = 5_000_000

    /// Where it is noted what a killed command would leave behind; nil: nowhere.
    package var registry: ImageRegistry?

    /// - Parameter image: a path, or `TRANSPORT:PATH[:NAME]` with the transports of containers-transports(5) that lead to files
    ///   and directories.
    package init(image: String, output: String) {
        self.image = image
        self.output = output
        for (transport, format) in [
            ("oci:", SourceKind.oci), ("oci-archive:", .ociArchive), ("docker-archive:", .dockerArchive),
            ("tar:", .tar),
        ] where image.hasPrefix(transport) {
            let parts = image.utf8.dropFirst(transport.utf8.count)
                .split(
                    separator: UInt8(ascii: ":"), maxSplits: format == .tar ? 0 : 1, omittingEmptySubsequences: false)
            self.image = parts.first.map { String(Substring($0)) } ?? ""
            self.format = format
            if parts.count > 1, !parts[1].isEmpty { reference = String(Substring(parts[1])) }
        }
    }

    /// What `--init` asks for; nil when that is left to the image.
    var command: [String]? {
        guard let initCommand, initCommand != "auto" else { return nil }
        let words = initCommand.split(separator: " ").map(String.init)
        return words.isEmpty ? nil : words
    }
}
