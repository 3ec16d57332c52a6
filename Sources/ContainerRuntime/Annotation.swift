internal import RuntimeSpec

/// The annotations by which config.json asks for what the specification has no property for. Each has a meaning of crun's
/// or runc's, which engines and users rely on; `features` lists them all.
package enum Annotation: String, CaseIterable, Sendable {
    /// Files to which hooks print (`HookRunner`).
    case hooksStdout = "run.oci.hooks.stdout"
    case hooksStderr = "run.oci.hooks.stderr"
    /// Lines such as "boottime 3600 0", where `linux.timeOffsets` has none (`enterTimeNamespace`).
    case timeOffsets = "run.oci.timens_offset"
    /// "1": the process keeps the supplementary groups of the runtime's caller.
    case keepOriginalGroups = "run.oci.keep_original_groups"
    /// How `linux.mountLabel` is meant: context, fscontext, defcontext or rootcontext.
    case mountContextType = "run.oci.mount_context_type"
    /// Any value but "0" and "false": a system call that libseccomp does not know is an error.
    case failUnknownSystemCall = "run.oci.seccomp_fail_unknown_syscall"
    /// The filter itself, in base64, in place of `linux.seccomp`.
    case seccompProgram = "run.oci.seccomp_bpf_data"
    /// The socket of the agent, where `linux.seccomp.listenerPath` has none.
    case seccompReceiver = "run.oci.seccomp.receiver"
    /// A socket that is sent a pidfd of the container's process, as with `--pidfd-socket`.
    case pidfdReceiver = "run.oci.pidfd_receiver"
    /// The name of a cgroup in the scope that systemd makes: the container gets it in place of the scope's own.
    case scopeSubgroup = "run.oci.systemd.subgroup"
    /// The name of a cgroup below the container's, without limits of its own, in which its first process starts.
    case delegatedCgroup = "run.oci.delegate-cgroup"
    /// A mount point: what is mounted there becomes the hierarchy of version 1 that older systemds need.
    case systemdHierarchy = "run.oci.systemd.force_cgroup_v1"
    /// A file with more options for criu.
    case criuConfig = "org.criu.config"
    /// `SecureBits`
    case secureBits = "org.swrun.securebits"
}

extension [KeyValue] {
    package subscript(annotation: Annotation) -> String? { self[annotation.rawValue] }

    /// The name of one cgroup; nil without the annotation, or where it is empty.
    func cgroupName(_ annotation: Annotation) throws(RuntimeError) -> String? {
        guard let name = self[annotation], !name.isEmpty else { return nil }
        if name == "." || name == ".." || name.utf8.contains(UInt8(ascii: "/")) || name.utf8.count > 255 {
            throw RuntimeError(
                at: "annotations[\"\(annotation.rawValue)\"]", "\"\(name)\" is no name of a cgroup", nil,
                hint: "expected one name, without a slash")
        }
        return name
    }

    /// Whether an annotation is set to something that does not mean no.
    package func isSet(_ annotation: Annotation) -> Bool {
        guard let value = self[annotation] else { return false }
        return value != "0" && value != "false"
    }
}
