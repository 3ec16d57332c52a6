internal import ContainerRuntime
internal import ImageBundle
internal import LinuxSystem

extension Option {
    static let output = Option("output", "o", .directory("DIR"), help: "make the bundle DIR, which must not exist yet")
    static let imageMode = Option(
        "mode", nil, .choice("copy|mount"),
        help: "copy what is in the image, or run from the image itself, whose files must stay (default: copy)")
    static let imageFormat = Option(
        "format", nil, .text("FORMAT"),
        help: "take the image for raw, qcow2, vmdk, vdi, vhdx, vhd, iso, oci, oci-archive, docker-archive, tar or "
            + "directory (default: auto, what its content tells)")
    static let imageRoot = Option(
        "root", nil, .text("PART[:SUBVOL]"),
        help: "take the root filesystem from this partition, and of btrfs from this subvolume")
    static let imageLayout = Option("layout", help: "print what is in the image, and make nothing")
    static let imageSnapshot = Option(
        "snapshot", nil, .text("NAME"), help: "read this internal snapshot of a qcow2 image")
    static let imageReference = Option(
        "ref", nil, .text("NAME"), help: "take this image from a layout or an archive that has several")
    static let imagePlatform = Option(
        "platform", nil, .text("OS/ARCH[/VARIANT]"),
        help: "take the image for this platform (default: that of this machine)")
    static let imageFstab = Option(
        "fstab", nil, .choice("auto|none"),
        help: "add what the image's own /etc/fstab mounts from other partitions of the image (default: auto)")
    static let keepFstab = Option("keep-fstab", help: "leave the image's /etc/fstab as it is")
    static let allowBacking = Option(
        "allow-backing", nil, .directory("DIR"), repeats: true,
        help: "let the image refer to backing files in DIR")
    static let imageInit = Option(
        "init", nil, .text("COMMAND"),
        help: "run COMMAND in the container; auto: what fits the image (default: auto)")
    static let imageHostname = Option("hostname", nil, .text("NAME"), help: "the container's host name")
    static let noSetUserID = Option(
        "nosuid", help: "leave out set-user-id and set-group-id bits and file capabilities")
    static let keepDevices = Option("devices", help: "make the image's device nodes too, which are left out otherwise")
    static let maximumSize = Option(
        "max-size", nil, .text("SIZE"), help: "refuse an image that unpacks to more, as in 500M or 2T (default: 64G)")
    static let maximumFiles = Option(
        "max-files", nil, .text("NUMBER"), help: "refuse an image with more files, as in 300k or 10M (default: 5M)")
    static let progress = Option(
        "progress", nil, .choice("auto|plain|json|none"),
        help: "show progress as a bar on a terminal and as lines elsewhere, as lines, as JSON, or not (default: auto)")
}

extension Option {
    static let clearImages = Option(
        "gc", help: "clear what killed commands have left: unfinished bundles, and images attached for nobody")
    static let removeBundle = Option(
        "remove", nil, .directory("DIR"),
        help: "remove the bundle DIR, with the files in it that belong to the caller's subordinate ids")
    static let bundleIDMap = Option(
        "id-map", nil, .choice("auto|self"),
        help: "give files that are not root's to the caller's subordinate ids, if it has any, or to the caller as well "
            + "(default: auto)")
}

extension Command {
    static let bundle = Command(
        verb: .bundle,
        summary: "make a bundle from a disk image, a container image or files",
        details: [
            "IMAGE is a disk image (raw, qcow2, vmdk, vdi, vhdx, vhd), an ISO image, a container image (an OCI layout, an "
                + "archive of docker save or of an OCI layout), a tar archive or a directory; or a reference such as "
                + "docker://debian:12, which skopeo fetches.",
            "With --mode mount nothing is copied: the root filesystem is attached when a container is created, what the "
                + "container writes is kept in DIR/.image, and delete takes it away. Other files that an image refers to are "
                + "refused. An ordinary user can copy raw disk images with ext2, ext3 or ext4 through fuse2fs; device "
                + "nodes are lost.",
            "An image of a layout or an archive that has several is chosen with --ref, or named behind it as in "
                + "oci:DIR:NAME, oci-archive:FILE:NAME and docker-archive:FILE:NAME. Digests and sizes are verified.",
            "The bundle is made beside DIR and gets its name when it is whole. An interrupted command leaves nothing.",
            "Of an image that an ordinary user unpacks or copies, root's files are the user's, and those of "
                + "others belong to the subordinate ids that /etc/subuid and /etc/subgid grant, through newuidmap and "
                + "newgidmap; config.json maps them. swrun bundle --remove DIR removes such a bundle again.",
        ],
        operands: [Operand(name: "IMAGE", kind: .other, presence: .optional)],
        options: [
            .output, .imageMode, .imageFormat, .imageRoot, .imageLayout, .imageSnapshot, .imageReference,
            .imagePlatform, .imageFstab, .keepFstab, .allowBacking, .imageInit, .imageHostname, .noSetUserID,
            .keepDevices, .bundleIDMap, .maximumSize, .maximumFiles, .progress, .clearImages, .removeBundle,
        ],
        examples: [
            Example(
                command: "swrun bundle nginx.tar -o /srv/nginx", meaning: "unpack what docker save wrote"),
            Example(
                command: "swrun bundle docker://debian:12 -o /srv/debian", meaning: "fetch an image with skopeo"),
            Example(command: "swrun bundle vm.qcow2 --layout", meaning: "print the partitions and what is on them"),
            Example(
                command: "swrun bundle vm.qcow2 -o /srv/vm", meaning: "copy the machine's files into the bundle /srv/vm"
            ),
        ],
        run: BundleCommand.run)
}

enum BundleCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        if call.arguments.has(.clearImages) { return try clear(call) }
        if let bundle = call.arguments[.removeBundle] { return try remove(bundle, call) }
        var request = try BundleRequest(call.arguments)
        request.registry = ImageRegistry(stateRoot: call.global.stateRoot.path)
        let layout: String?
        let progress = ProgressDisplay(choice: call.arguments[.progress])
        defer { progress.clear() }
        do throws(BundleError) {
            let work = try Work(request, progress) {
                progress.clear()
                call.report.warning($0)
            }
            if call.arguments.has(.imageLayout) {
                layout = try MakeBundle.layout(work)
            } else {
                layout = nil
                try MakeBundle.run(work)
            }
        } catch {
            throw RuntimeError(error)
        }
        if let layout { try swrun.output(layout) }
        return 0
    }

    /// Undoes what killed commands have left: the containers of launches, and then what there is of images.
    ///
    /// - Returns: a line for each thing that was cleared
    static func clearAbandoned(
        in root: StateRoot, _ warn: (String) -> Void
    ) throws(RuntimeError) -> [String] {
        let containers = AbandonedContainers.remove(from: root, warn)
        let lines = containers.map { "removed the container \($0), whose launch was killed" }
        do throws(BundleError) {
            return lines
                + (try ImageRegistry(stateRoot: root.path).clear {
                    var used: [String] = []
                    for id in (try? root.containerIDs()) ?? [] {
                        guard let record = try? root.open(id).readRecord() else { continue }
                        used += [record.bundle, record.rootfs]
                    }
                    return used
                })
        } catch {
            throw RuntimeError(error)
        }
    }

    private static func remove(_ bundle: String, _ call: Invocation) throws(RuntimeError) -> Int32 {
        let path: String
        do throws(SystemError) { path = try absolutePath(bundle) } catch {
            throw RuntimeError("cannot find the bundle \(bundle)", error)
        }
        let root = call.global.stateRoot
        for id in try root.containerIDs() where (try? root.open(id).readRecord())?.bundle == path {
            throw RuntimeError("\(path): the container \(id.text) uses the bundle", hint: "delete it first")
        }
        do throws(BundleError) {
            try RemoveBundle.run(path, ImageRegistry(stateRoot: root.path))
        } catch {
            throw RuntimeError(error)
        }
        return 0
    }

    private static func clear(_ call: Invocation) throws(RuntimeError) -> Int32 {
        let lines = try clearAbandoned(in: call.global.stateRoot) { call.report.warning($0) }
        for line in lines { try swrun.output(line + "\n") }
        return 0
    }
}

extension RuntimeError {
    init(_ error: BundleError) { self.init(error.message, exitCode: error.exitCode) }
}

extension BundleRequest {
    init(_ arguments: Arguments) throws(RuntimeError) {
        guard let image = arguments.operands.first, !image.isEmpty else {
            throw RuntimeError("bundle: requires exactly 1 argument: IMAGE; see 'swrun bundle --help'")
        }
        let output = arguments[.output]
        guard output != nil || arguments.has(.imageLayout) else {
            throw RuntimeError("bundle: needs the place of the bundle", hint: "give --output DIR")
        }
        self.init(image: image, output: output ?? "")
        mode = arguments[.imageMode].flatMap(Mode.init(rawValue:)) ?? .copy
        if let name = arguments[.imageFormat], name != "auto" {
            format = SourceKind(rawValue: name)
            guard format != nil, format != .remote else {
                throw RuntimeError("option --format names no format of images: \"\(name)\"")
            }
        }
        root = arguments[.imageRoot]
        snapshot = arguments[.imageSnapshot]
        reference = arguments[.imageReference] ?? reference
        platform = arguments[.imagePlatform]
        mergesFstab = arguments[.imageFstab] != "none"
        keepsFstab = arguments.has(.keepFstab)
        allowedBacking = arguments.all(.allowBacking)
        initCommand = arguments[.imageInit]
        hostname = arguments[.imageHostname]
        noSetUserID = arguments.has(.noSetUserID)
        devices = arguments.has(.keepDevices)
        mapsOwnIDsOnly = arguments[.bundleIDMap] == "self"
        maximumBytes = try Self.amount(arguments, .maximumSize, thousand: 1024) ?? maximumBytes
        maximumFiles = try Self.amount(arguments, .maximumFiles, thousand: 1000) ?? maximumFiles
    }

    /// A number with one of the letters k, M, G, T.
    private static func amount(
        _ arguments: Arguments, _ option: Option, thousand: UInt64
    ) throws(RuntimeError) -> UInt64? {
        guard let text = arguments[option] else { return nil }
        var digits = text[...]
        var factor: UInt64 = 1
        if let last = text.uppercased().last, let index = "KMGT".firstIndex(of: last) {
            digits = digits.dropLast()
            for _ in 0...("KMGT".distance(from: "KMGT".startIndex, to: index)) { factor *= thousand }
        }
        guard let number = UInt64(digits), case (let value, false) = number.multipliedReportingOverflow(by: factor)
        else { throw RuntimeError("option \(option.dashed) needs a number such as 64G, not \"\(text)\"") }
        return value
    }
}
