internal import LinuxSystem

/// Why the kernel made no user namespace, and what allows it: the switches that kernels and distributions have for it.
///
/// - Parameters:
///   - errno: what clone3(2) said to a process without privileges
///   - setting: reads a file below /proc/sys; nil where the kernel has none
func userNamespaceRefusal(_ errno: Errno, setting: (String) -> String? = kernelSetting) -> String {
    if errno == .invalid, setting("user/max_user_namespaces") == nil {
        return "this kernel has no user namespaces (CONFIG_USER_NS)"
    }
    if errno == .noSpace {
        let limit = setting("user/max_user_namespaces")
        return limit == "0"
            ? "user namespaces are switched off here: sysctl -w user.max_user_namespaces=15000 allows them"
            : "there are as many user namespaces as the limit (\(limit ?? "unknown")) allows "
                + "(sysctl user.max_user_namespaces), or they are nested more than 32 deep"
    }
    if setting("kernel/unprivileged_userns_clone") == "0" {
        return "only root may make user namespaces here: sysctl -w kernel.unprivileged_userns_clone=1 allows them to "
            + "everybody"
    }
    if setting("kernel/apparmor_restrict_unprivileged_userns") == "1" {
        return "AppArmor restricts user namespaces here: give swrun a profile with the rule \"userns,\", or "
            + "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    }
    return "are user namespaces forbidden here, by a security module, by the system call filter of a container around "
        + "this one, or by a chroot?"
}

func kernelSetting(_ name: String) -> String? {
    guard let text = try? readFile("/proc/sys/\(name)", limit: 256) else { return nil }
    return String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
}
