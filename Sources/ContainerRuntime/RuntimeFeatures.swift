internal import CLibcap
internal import CLibseccomp
internal import LinuxSystem
package import RuntimeSpec

/// What this build can do on this kernel, for the `features` document (features.md). Nothing is a list of its own here:
/// the answers come from the tables and the libraries that do the work.
package enum RuntimeFeatures {
    /// - Parameters:
    ///   - libraries: names and versions of what is linked in
    ///   - annotations: those that mean something outside of this module
    package static func describe(
        version: String, commit: String, libraries: [KeyValue], annotations: [String]
    ) -> Features {
        Features(
            capabilities: capabilities, cgroup: cgroup, seccomp: seccomp, apparmor: true, selinux: true,
            intelRdt: Features.IntelRdtSupport(schemata: true, monitoring: true),
            memoryPolicy: true, idmapMounts: true, netDevices: true,
            annotations: [
                KeyValue("org.opencontainers.swrun.version", version),
                KeyValue("org.opencontainers.swrun.commit", commit),
                // The name under which engines ask runc and crun as well.
                KeyValue("org.opencontainers.runc.checkpoint.enabled", Criu.isInstalled ? "true" : "false"),
            ] + libraries,
            potentiallyUnsafeConfigAnnotations: Annotation.allCases.map(\.rawValue)
                + [ScopeAnnotations.prefix, BridgeNetwork.annotation, StopSignal.annotation] + annotations)
    }

    /// The names that `process.capabilities` may have: libcap's.
    private static var capabilities: [String] {
        (0...CAP_LAST_CAP).compactMap { number in
            guard let name = cap_to_name(cap_value_t(number)) else { return nil }
            defer { cap_free(name) }
            return String(cString: name).uppercased()
        }
    }

    private static var cgroup: Features.Cgroup {
        Features.Cgroup(v1: true, v2: true, systemd: true, systemdUser: true, rdma: true)
    }

    private static var seccomp: Features.SeccompSupport {
        Features.SeccompSupport(
            architectures: SeccompArchitecture.allCases.filter { seccomp_arch_resolve_name($0.libseccompName) != 0 },
            supportedFlags: SeccompFlag.allCases.filter(SeccompFilter.kernelKnows))
    }
}
