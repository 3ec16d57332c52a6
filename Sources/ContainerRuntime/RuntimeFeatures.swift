package import RuntimeSpec

/// What this build can do, for the `features` document (features.md).
package enum RuntimeFeatures {
    package static func describe(version: String) -> Features {
        Features(
            capabilities: [],
            cgroup: Features.Cgroup(v1: true, v2: true, systemd: false, systemdUser: false, rdma: false),
            seccomp: Features.SeccompSupport(architectures: [.x86_64], supportedFlags: []),
            apparmor: true, selinux: true, intelRdt: nil, memoryPolicy: true, idmapMounts: true, netDevices: true,
            annotations: [KeyValue("org.opencontainers.swrun.version", version)],
            potentiallyUnsafeConfigAnnotations: ["run.oci.hooks.stderr", "run.oci.hooks.stdout"])
    }
}
