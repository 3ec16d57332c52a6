/// The Linux section (config-linux.md).
package struct Linux: Equatable, Sendable {
    package var uidMappings: [IDMapping]
    package var gidMappings: [IDMapping]
    package var timeOffsets: [TimeOffset]
    /// In document order. Names are as written, in either spelling sysctl(8) knows (`net.ipv4.x`, `net/ipv4/x`).
    package var sysctl: [KeyValue]
    package var resources: Resources?
    /// `/absolute`, `relative`, or `slice:prefix:name` for the systemd driver. nil when absent or empty.
    package var cgroupsPath: String?
    package var namespaces: [Namespace]
    package var devices: [Device]
    package var netDevices: [NetDevice]
    package var seccomp: Seccomp?
    package var rootfsPropagation: RootfsPropagation?
    package var maskedPaths: [String]
    package var readonlyPaths: [String]
    package var mountLabel: String?
    package var intelRdt: IntelRdt?
    package var memoryPolicy: MemoryPolicy?
    package var personality: Personality?

    package init(
        uidMappings: [IDMapping] = [], gidMappings: [IDMapping] = [], timeOffsets: [TimeOffset] = [],
        sysctl: [KeyValue] = [], resources: Resources? = nil, cgroupsPath: String? = nil, namespaces: [Namespace] = [],
        devices: [Device] = [], netDevices: [NetDevice] = [], seccomp: Seccomp? = nil,
        rootfsPropagation: RootfsPropagation? = nil, maskedPaths: [String] = [], readonlyPaths: [String] = [],
        mountLabel: String? = nil, intelRdt: IntelRdt? = nil, memoryPolicy: MemoryPolicy? = nil,
        personality: Personality? = nil
    ) {
        self.uidMappings = uidMappings
        self.gidMappings = gidMappings
        self.timeOffsets = timeOffsets
        self.sysctl = sysctl
        self.resources = resources
        self.cgroupsPath = cgroupsPath
        self.namespaces = namespaces
        self.devices = devices
        self.netDevices = netDevices
        self.seccomp = seccomp
        self.rootfsPropagation = rootfsPropagation
        self.maskedPaths = maskedPaths
        self.readonlyPaths = readonlyPaths
        self.mountLabel = mountLabel
        self.intelRdt = intelRdt
        self.memoryPolicy = memoryPolicy
        self.personality = personality
    }
}

/// A namespace to create, or with a path to join. A type that is not listed is inherited from the runtime.
package struct Namespace: Equatable, Sendable {
    package var type: NamespaceType
    /// nil when absent or empty: a new namespace.
    package var path: String?

    package init(_ type: NamespaceType, path: String? = nil) {
        self.type = type
        self.path = path
    }
}

extension [Namespace] {
    /// The entry of a type, or nil when that namespace is inherited.
    package subscript(type: NamespaceType) -> Namespace? {
        for namespace in self where namespace.type == type { return namespace }
        return nil
    }
}

/// One member of `timeOffsets`: the clock is the member's name.
package struct TimeOffset: Equatable, Sendable {
    package var clock: TimeClock
    package var secs: Int64
    package var nanosecs: UInt32

    package init(clock: TimeClock, secs: Int64 = 0, nanosecs: UInt32 = 0) {
        self.clock = clock
        self.secs = secs
        self.nanosecs = nanosecs
    }
}

/// A device node the container must have (config-linux.md, Devices).
package struct Device: Equatable, Sendable {
    package var type: DeviceType
    /// Full path inside the container.
    package var path: String
    /// Required unless the type is `p` (checked by `validate()`), as is `minor`.
    package var major: Int64?
    package var minor: Int64?
    /// Permission bits; file type bits that some engines leave in are ignored by `validate()` and are not to be used.
    package var fileMode: UInt32?
    package var uid: UInt32?
    package var gid: UInt32?

    package init(
        type: DeviceType, path: String, major: Int64? = nil, minor: Int64? = nil, fileMode: UInt32? = nil,
        uid: UInt32? = nil, gid: UInt32? = nil
    ) {
        self.type = type
        self.path = path
        self.major = major
        self.minor = minor
        self.fileMode = fileMode
        self.uid = uid
        self.gid = gid
    }
}

/// One member of `netDevices`: a device of the runtime's network namespace that is moved into the container's.
package struct NetDevice: Equatable, Sendable {
    /// The member's name: what the device is called on the host.
    package var hostName: String
    /// Its name in the container, which may be a template ending in `%d`; nil: the host's name.
    package var name: String?

    package init(hostName: String, name: String? = nil) {
        self.hostName = hostName
        self.name = name
    }
}

/// Intel Resource Director Technology (config-linux.md, IntelRdt).
package struct IntelRdt: Equatable, Sendable {
    /// nil: the container's id. `/`: the root of resctrl.
    package var closID: String?
    /// Lines for the `schemata` file, written after the two below.
    package var schemata: [String]
    package var l3CacheSchema: String?
    package var memBwSchema: String?
    package var enableMonitoring: Bool

    package init(
        closID: String? = nil, schemata: [String] = [], l3CacheSchema: String? = nil, memBwSchema: String? = nil,
        enableMonitoring: Bool = false
    ) {
        self.closID = closID
        self.schemata = schemata
        self.l3CacheSchema = l3CacheSchema
        self.memBwSchema = memBwSchema
        self.enableMonitoring = enableMonitoring
    }
}

/// NUMA memory policy, for set_mempolicy(2).
package struct MemoryPolicy: Equatable, Sendable {
    package var mode: MemoryPolicyMode
    /// A list such as `0-3,7`; nil when absent or empty.
    package var nodes: String?
    package var flags: [MemoryPolicyFlag]

    package init(mode: MemoryPolicyMode, nodes: String? = nil, flags: [MemoryPolicyFlag] = []) {
        self.mode = mode
        self.nodes = nodes
        self.flags = flags
    }
}

package struct Personality: Equatable, Sendable {
    package var domain: PersonalityDomain
    /// No flag is supported by the spec; `validate()` refuses a non-empty list.
    package var flags: [String]

    package init(domain: PersonalityDomain, flags: [String] = []) {
        self.domain = domain
        self.flags = flags
    }
}
