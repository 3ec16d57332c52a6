/// A resource that the kernel accounts and limits by cgroup.
enum Controller: Equatable, Sendable {
    case cpu, cpuset, memory, pids, blockIO, hugetlb, netClass, netPriority, rdma
    /// Of the unified hierarchy, known only by its name there.
    case other(String)

    /// The word in /proc/cgroups and in mount options.
    var v1Name: String? {
        switch self {
        case .cpu: "cpu"
        case .cpuset: "cpuset"
        case .memory: "memory"
        case .pids: "pids"
        case .blockIO: "blkio"
        case .hugetlb: "hugetlb"
        case .netClass: "net_cls"
        case .netPriority: "net_prio"
        case .rdma: "rdma"
        case .other: nil
        }
    }

    /// The word in `cgroup.controllers`; nil for what v2 does by other means.
    var v2Name: String? {
        switch self {
        case .blockIO: "io"
        case .netClass, .netPriority: nil
        case .other(let name): name
        default: v1Name
        }
    }

    /// What gives a host the controller.
    var provider: String {
        switch self {
        case .cpu: "a kernel with CONFIG_CGROUP_SCHED"
        case .cpuset: "a kernel with CONFIG_CPUSETS"
        case .memory: "a kernel with CONFIG_MEMCG that was not started with cgroup_disable=memory"
        case .pids: "a kernel with CONFIG_CGROUP_PIDS"
        case .blockIO: "a kernel with CONFIG_BLK_CGROUP"
        case .hugetlb: "a kernel with CONFIG_CGROUP_HUGETLB"
        case .netClass: "mount -t cgroup -o net_cls, with CONFIG_CGROUP_NET_CLASSID"
        case .netPriority: "mount -t cgroup -o net_prio, with CONFIG_CGROUP_NET_PRIO"
        case .rdma: "a kernel with CONFIG_CGROUP_RDMA"
        case .other(let name): "a kernel with the cgroup controller \(name)"
        }
    }
}

/// Which generation of control files a controller of the container has.
enum CgroupVersion: Equatable, Sendable { case v1, v2 }

/// What gives a kernel a control file that it does not have.
func provider(ofFile file: String) -> String? {
    let table: [(prefix: String, provider: String)] = [
        ("memory.memsw.", "start the kernel with swapaccount=1"),
        ("memory.swap.", "CONFIG_SWAP gives it, and before kernel 5.8 swapaccount=1"),
        ("memory.kmem.", "this kernel counts kernel memory to memory.limit"),
        ("cpu.cfs_burst", "kernel 5.14 and later have it"),
        ("cpu.max.burst", "kernel 5.14 and later have it"),
        ("cpu.cfs_", "CONFIG_CFS_BANDWIDTH gives it"),
        ("cpu.max", "CONFIG_CFS_BANDWIDTH gives it"),
        ("cpu.rt_", "CONFIG_RT_GROUP_SCHED gives it"),
        ("cpu.idle", "kernel 5.15 and later have it"),
        ("blkio.throttle.", "CONFIG_BLK_DEV_THROTTLING gives it"),
        ("io.max", "CONFIG_BLK_DEV_THROTTLING gives it"),
        ("blkio.leaf_weight", "kernels before 5.0 with the scheduler cfq have it"),
        ("blkio.", "the I/O scheduler bfq gives it: modprobe bfq"),
        ("io.bfq.", "the I/O scheduler bfq gives it: modprobe bfq"),
        ("io.weight", "the I/O scheduler bfq (modprobe bfq) or CONFIG_BLK_CGROUP_IOCOST gives it"),
        ("hugetlb.", "the page sizes of this host are in /sys/kernel/mm/hugepages"),
    ]
    return table.first { file.hasPrefix($0.prefix) }?.provider
}
