internal import LinuxSystem
internal import RuntimeSpec

/// `image.json` in a bundle of `--mode mount`: which image, and what of it.
struct ImageRecord: Equatable {
    static let name = "image.json"

    /// Absolute.
    var image: String
    var format: SourceKind
    /// `PART[:SUBVOL]`, as `--root` takes it.
    var root: String
    var snapshot: String?
    var allowedBacking: [String] = []
    var mergesFstab = true
    /// What the file was when the bundle was made; another file is not what was asked for.
    var size: UInt64
    var inode: UInt64
    var modified: String

    var request: BundleRequest {
        var request = BundleRequest(image: image, output: "")
        request.format = format
        request.root = root
        request.snapshot = snapshot
        request.allowedBacking = allowedBacking
        request.mergesFstab = mergesFstab
        request.mode = .mount
        return request
    }
}

extension ImageRecord: JSONEncodable, JSONDecodable {
    package var json: JSON {
        .members {
            $0.add("image", image)
            $0.add("format", format.rawValue)
            $0.add("root", root)
            $0.add("snapshot", snapshot)
            $0.add("allowedBacking", .strings(allowedBacking))
            $0.add("mergesFstab", mergesFstab)
            $0.add("size", .uint(size))
            $0.add("inode", .uint(inode))
            $0.add("modified", modified)
        }
    }

    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        image = try object.required("image")
        format = SourceKind(rawValue: try object.required("format")) ?? .raw
        root = try object.required("root")
        snapshot = try object.text("snapshot")
        allowedBacking = try object.list("allowedBacking")
        mergesFstab = try object.flag("mergesFstab")
        size = try object.required("size")
        inode = try object.required("inode")
        modified = try object.required("modified")
    }
}

/// `attached.json` in a bundle: what is there while a container runs from the image. Written before the first of it is
/// made, so that whatever happens somebody can find and undo it.
struct AttachmentRecord: Equatable {
    static let name = "attached.json"

    /// qemu-storage-daemon, where there is one.
    var helper: ProcessMark?
    /// The helper's directories in the cgroup hierarchies.
    var cgroups: [String] = []
    /// The paths of mounts in the order of mounting.
    var mounts: [String] = []
    /// The process for which it was attached, when that is no container.
    var owner: ProcessMark?
}

extension AttachmentRecord: JSONEncodable, JSONDecodable {
    package var json: JSON {
        .members {
            $0.add("helper", helper)
            $0.add("cgroups", .strings(cgroups))
            $0.add("mounts", .strings(mounts))
            $0.add("owner", owner)
        }
    }

    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        helper = try object.mark("helper", start: "helperStart")
        cgroups = try object.list("cgroups")
        mounts = try object.list("mounts")
        owner = try object.mark("owner", start: "ownerStart")
    }
}

/// Two members: the number under that name, 0 for none, and the time of start.
extension JSONMembers {
    mutating func add(_ name: String, _ mark: ProcessMark?) {
        add(name, mark?.pid ?? 0)
        add(name + "Start", mark?.startTime ?? 0)
    }
}

extension JSONObject {
    func mark(_ name: StaticString, start: StaticString) throws(SpecError) -> ProcessMark? {
        let pid: Int32 = try required(name)
        let start: UInt64 = try required(start)
        return pid > 0 ? ProcessMark(pid: pid, startTime: start) : nil
    }
}
