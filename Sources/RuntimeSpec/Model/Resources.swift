/// Limits for the container's cgroup (config-linux.md, Control groups), and the document `update --resources` takes.
///
/// A nil member means "leave as it is", so that the same type serves `create` and `update`.
package struct Resources: Equatable, Sendable {
    /// Applied in the listed order.
    package var devices: [DeviceRule]
    package var memory: Memory?
    package var cpu: CPU?
    package var pids: Pids?
    package var blockIO: BlockIO?
    package var hugepageLimits: [HugepageLimit]
    package var network: Network?
    package var rdma: [RDMA]
    /// File name in the unified hierarchy and the text to write, in document order.
    package var unified: [KeyValue]

    package init(
        devices: [DeviceRule] = [], memory: Memory? = nil, cpu: CPU? = nil, pids: Pids? = nil, blockIO: BlockIO? = nil,
        hugepageLimits: [HugepageLimit] = [], network: Network? = nil, rdma: [RDMA] = [], unified: [KeyValue] = []
    ) {
        self.devices = devices
        self.memory = memory
        self.cpu = cpu
        self.pids = pids
        self.blockIO = blockIO
        self.hugepageLimits = hugepageLimits
        self.network = network
        self.rdma = rdma
        self.unified = unified
    }
}

/// One entry of the allowed device list.
package struct DeviceRule: Equatable, Sendable {
    package var allow: Bool
    /// `.all` when absent.
    package var type: DeviceRuleType
    /// nil, or the -1 that engines write, means every number.
    package var major: Int64?
    package var minor: Int64?
    /// `.all` when absent or empty.
    package var access: DeviceAccess

    package init(
        allow: Bool, type: DeviceRuleType = .all, major: Int64? = nil, minor: Int64? = nil, access: DeviceAccess = .all
    ) {
        self.allow = allow
        self.type = type
        self.major = major
        self.minor = minor
        self.access = access
    }
}

/// Bytes; -1 is unlimited.
package struct Memory: Equatable, Sendable {
    package var limit: Int64?
    package var reservation: Int64?
    /// Memory and swap together.
    package var swap: Int64?
    package var kernel: Int64?
    package var kernelTCP: Int64?
    /// 0 to 100 (checked by `validate()`).
    package var swappiness: UInt64?
    package var disableOOMKiller: Bool?
    package var useHierarchy: Bool?
    package var checkBeforeUpdate: Bool?

    package init(
        limit: Int64? = nil, reservation: Int64? = nil, swap: Int64? = nil, kernel: Int64? = nil,
        kernelTCP: Int64? = nil, swappiness: UInt64? = nil, disableOOMKiller: Bool? = nil, useHierarchy: Bool? = nil,
        checkBeforeUpdate: Bool? = nil
    ) {
        self.limit = limit
        self.reservation = reservation
        self.swap = swap
        self.kernel = kernel
        self.kernelTCP = kernelTCP
        self.swappiness = swappiness
        self.disableOOMKiller = disableOOMKiller
        self.useHierarchy = useHierarchy
        self.checkBeforeUpdate = checkBeforeUpdate
    }
}

/// Times in microseconds.
package struct CPU: Equatable, Sendable {
    package var shares: UInt64?
    package var quota: Int64?
    package var burst: UInt64?
    package var period: UInt64?
    package var realtimeRuntime: Int64?
    package var realtimePeriod: UInt64?
    /// Lists such as `0-3,7`.
    package var cpus: String?
    package var mems: String?
    package var idle: Int64?

    package init(
        shares: UInt64? = nil, quota: Int64? = nil, burst: UInt64? = nil, period: UInt64? = nil,
        realtimeRuntime: Int64? = nil, realtimePeriod: UInt64? = nil, cpus: String? = nil, mems: String? = nil,
        idle: Int64? = nil
    ) {
        self.shares = shares
        self.quota = quota
        self.burst = burst
        self.period = period
        self.realtimeRuntime = realtimeRuntime
        self.realtimePeriod = realtimePeriod
        self.cpus = cpus
        self.mems = mems
        self.idle = idle
    }
}

package struct Pids: Equatable, Sendable {
    /// -1 is no limit; 0 is a limit of none. nil when absent (the text makes it optional).
    package var limit: Int64?

    package init(limit: Int64? = nil) {
        self.limit = limit
    }
}

package struct BlockIO: Equatable, Sendable {
    package var weight: UInt16?
    package var leafWeight: UInt16?
    package var weightDevice: [WeightDevice]
    /// Bytes per second.
    package var throttleReadBpsDevice: [ThrottleDevice]
    package var throttleWriteBpsDevice: [ThrottleDevice]
    /// Operations per second.
    package var throttleReadIOPSDevice: [ThrottleDevice]
    package var throttleWriteIOPSDevice: [ThrottleDevice]

    package init(
        weight: UInt16? = nil, leafWeight: UInt16? = nil, weightDevice: [WeightDevice] = [],
        throttleReadBpsDevice: [ThrottleDevice] = [], throttleWriteBpsDevice: [ThrottleDevice] = [],
        throttleReadIOPSDevice: [ThrottleDevice] = [], throttleWriteIOPSDevice: [ThrottleDevice] = []
    ) {
        self.weight = weight
        self.leafWeight = leafWeight
        self.weightDevice = weightDevice
        self.throttleReadBpsDevice = throttleReadBpsDevice
        self.throttleWriteBpsDevice = throttleWriteBpsDevice
        self.throttleReadIOPSDevice = throttleReadIOPSDevice
        self.throttleWriteIOPSDevice = throttleWriteIOPSDevice
    }
}

package struct WeightDevice: Equatable, Sendable {
    package var major: Int64
    package var minor: Int64
    /// At least one of the two (checked by `validate()`).
    package var weight: UInt16?
    package var leafWeight: UInt16?

    package init(major: Int64, minor: Int64, weight: UInt16? = nil, leafWeight: UInt16? = nil) {
        self.major = major
        self.minor = minor
        self.weight = weight
        self.leafWeight = leafWeight
    }
}

package struct ThrottleDevice: Equatable, Sendable {
    package var major: Int64
    package var minor: Int64
    package var rate: UInt64

    package init(major: Int64, minor: Int64, rate: UInt64) {
        self.major = major
        self.minor = minor
        self.rate = rate
    }
}

package struct HugepageLimit: Equatable, Sendable {
    /// `64KB`, `2MB`, `1GB`: the name in the control file, units of 1024.
    package var pageSize: String
    /// Bytes.
    package var limit: UInt64

    package init(pageSize: String, limit: UInt64) {
        self.pageSize = pageSize
        self.limit = limit
    }
}

/// net_cls and net_prio, cgroup v1 only.
package struct Network: Equatable, Sendable {
    package var classID: UInt32?
    package var priorities: [InterfacePriority]

    package init(classID: UInt32? = nil, priorities: [InterfacePriority] = []) {
        self.classID = classID
        self.priorities = priorities
    }
}

package struct InterfacePriority: Equatable, Sendable {
    package var name: String
    package var priority: UInt32

    package init(name: String, priority: UInt32) {
        self.name = name
        self.priority = priority
    }
}

/// One member of `rdma`: the device is the member's name.
package struct RDMA: Equatable, Sendable {
    package var device: String
    /// At least one of the two (checked by `validate()`).
    package var hcaHandles: UInt32?
    package var hcaObjects: UInt32?

    package init(device: String, hcaHandles: UInt32? = nil, hcaObjects: UInt32? = nil) {
        self.device = device
        self.hcaHandles = hcaHandles
        self.hcaObjects = hcaObjects
    }
}
