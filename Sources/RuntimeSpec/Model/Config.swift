/// `config.json`: everything the runtime is told about one container.
///
/// The values mirror the document of runtime-spec 1.3.0 (config.md, config-linux.md): property names are the spec's own,
/// whatever is optional *and* whose absence means something other than its zero value is `Optional`, and an absent array
/// is an empty one unless a comment says otherwise. `null` stands for absent, because encoders written in Go emit it.
///
/// A decoded `Config` is *well formed* (types, ranges, required members, known words). Whether it makes sense as a whole
/// is the question `validate()` answers.
package struct Config: Equatable, Sendable {
    /// SemVer 2.0.0, of a version this runtime understands (checked by `validate()`).
    package var ociVersion: String
    package var root: Root?
    package var mounts: [Mount]
    /// Required by `start`, not by `create` (config.md, Process).
    package var process: Process?
    package var hostname: String?
    package var domainname: String?
    package var hooks: Hooks
    package var linux: Linux?
    /// In document order; keys are unique.
    package var annotations: [KeyValue]

    package init(
        ociVersion: String, root: Root? = nil, mounts: [Mount] = [], process: Process? = nil, hostname: String? = nil,
        domainname: String? = nil, hooks: Hooks = Hooks(), linux: Linux? = nil, annotations: [KeyValue] = []
    ) {
        self.ociVersion = ociVersion
        self.root = root
        self.mounts = mounts
        self.process = process
        self.hostname = hostname
        self.domainname = domainname
        self.hooks = hooks
        self.linux = linux
        self.annotations = annotations
    }
}

/// One member of a JSON object whose names are the user's: annotations, sysctl, `unified`.
///
/// Kept as an array in document order, so that what is written to the kernel is written in the order the user chose.
package struct KeyValue: Equatable, Sendable {
    package var key: String
    package var value: String

    package init(_ key: String, _ value: String) {
        self.key = key
        self.value = value
    }
}

extension [KeyValue] {
    /// The value under `key`, or nil. Linear: these maps have a handful of members.
    package subscript(key: String) -> String? {
        for entry in self where entry.key == key { return entry.value }
        return nil
    }
}

/// The container's root filesystem (config.md, Root).
package struct Root: Equatable, Sendable {
    /// Absolute, or relative to the bundle.
    package var path: String
    package var readonly: Bool

    package init(path: String, readonly: Bool = false) {
        self.path = path
        self.readonly = readonly
    }
}

/// One entry of `mounts` (config.md, Mounts). Entries are mounted in the listed order.
package struct Mount: Equatable, Sendable {
    /// Path inside the container. A relative one is taken from `/` (deprecated, yet allowed on Linux).
    package var destination: String
    package var type: String?
    /// A device, a dummy, or for bind mounts a path, absolute or relative to the bundle.
    package var source: String?
    /// As written; `MountOptions(parsing:)` gives them meaning.
    package var options: [String]
    package var uidMappings: [IDMapping]
    package var gidMappings: [IDMapping]

    package init(
        destination: String, type: String? = nil, source: String? = nil, options: [String] = [],
        uidMappings: [IDMapping] = [], gidMappings: [IDMapping] = []
    ) {
        self.destination = destination
        self.type = type
        self.source = source
        self.options = options
        self.uidMappings = uidMappings
        self.gidMappings = gidMappings
    }
}

/// One line of a uid_map or gid_map (config-linux.md, User namespace mappings).
package struct IDMapping: Equatable, Sendable {
    package var containerID: UInt32
    package var hostID: UInt32
    package var size: UInt32

    package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
        self.containerID = containerID
        self.hostID = hostID
        self.size = size
    }
}

/// The six lists of hooks (config.md, POSIX-platform Hooks), each in calling order.
package struct Hooks: Equatable, Sendable {
    package var prestart: [Hook]
    package var createRuntime: [Hook]
    package var createContainer: [Hook]
    package var startContainer: [Hook]
    package var poststart: [Hook]
    package var poststop: [Hook]

    package init(
        prestart: [Hook] = [], createRuntime: [Hook] = [], createContainer: [Hook] = [], startContainer: [Hook] = [],
        poststart: [Hook] = [], poststop: [Hook] = []
    ) {
        self.prestart = prestart
        self.createRuntime = createRuntime
        self.createContainer = createContainer
        self.startContainer = startContainer
        self.poststart = poststart
        self.poststop = poststop
    }
}

package struct Hook: Equatable, Sendable {
    /// Absolute (checked by `validate()`).
    package var path: String
    /// The whole argv. Empty when absent: the path is then the only argument.
    package var args: [String]
    /// nil when absent, which differs from an empty environment.
    package var env: [String]?
    /// Seconds, at least 1. nil: no limit.
    package var timeout: Int?

    package init(path: String, args: [String] = [], env: [String]? = nil, timeout: Int? = nil) {
        self.path = path
        self.args = args
        self.env = env
        self.timeout = timeout
    }
}
