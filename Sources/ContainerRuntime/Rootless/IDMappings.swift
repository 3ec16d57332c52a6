internal import Glibc
internal import LinuxSystem
internal import RuntimeSpec

/// Gives the user namespace of process `pid` its mappings (user_namespaces(7)). Who has no privilege over the ids may map
/// its own user and group; for more there are newuidmap(1) and newgidmap(1), which ask subuid(5) whether it may.
func writeIDMappings(_ uid: [IDMapping], _ gid: [IDMapping], of pid: Int32) throws(RuntimeError) {
    try write(.users, uid, of: pid)
    try write(.groups, gid, of: pid)
}

private struct IDKind {
    let file: String
    let configPath: String
    /// A program that may write what this process may not.
    let program: String
    let grants: String
    let option: String
    let ownID: UInt32

    static var users: IDKind {
        IDKind(
            file: "uid_map", configPath: "linux.uidMappings", program: "newuidmap", grants: "/etc/subuid",
            option: "--add-subuids", ownID: effectiveUserID())
    }

    static var groups: IDKind {
        IDKind(
            file: "gid_map", configPath: "linux.gidMappings", program: "newgidmap", grants: "/etc/subgid",
            option: "--add-subgids", ownID: effectiveGroupID())
    }
}

private func write(_ kind: IDKind, _ mappings: [IDMapping], of pid: Int32) throws(RuntimeError) {
    do throws(SystemError) {
        try writeFile("/proc/\(pid)/\(kind.file)", idMapText(mappings))
    } catch {
        guard error.errno == .notPermitted else { throw refused(kind, error) }
        let isOwn = mappings.count == 1 && mappings[0].size == 1 && mappings[0].hostID == kind.ownID
        if !isOwn { return try runMappingProgram(kind, mappings, of: pid) }
        guard kind.file == "gid_map" else { throw refused(kind, error) }
        // Without privilege over the groups outside, only who gives up setgroups(2) may map one.
        try explain("cannot deny setgroups", at: kind.configPath) { () throws(SystemError) in
            try writeFile("/proc/\(pid)/setgroups", "deny")
        }
        do throws(SystemError) { try writeFile("/proc/\(pid)/gid_map", idMapText(mappings)) } catch {
            throw refused(kind, error)
        }
    }
}

private func refused(_ kind: IDKind, _ error: SystemError) -> RuntimeError {
    RuntimeError(
        at: kind.configPath, "cannot write the id mappings", error,
        hint: "ranges must not overlap, and must be mapped in the namespace of the runtime")
}

private func runMappingProgram(_ kind: IDKind, _ mappings: [IDMapping], of pid: Int32) throws(RuntimeError) {
    guard let program = findProgram(kind.program) else {
        throw RuntimeError(
            at: kind.configPath,
            "\(kind.program) is missing: without it, user \(effectiveUserID()) may map only its own id",
            hint: "install it (Debian, Ubuntu: uidmap; Fedora: shadow-utils), or map id \(kind.ownID) alone, with "
                + "size 1")
    }
    let numbers = mappings.flatMap { ["\($0.containerID)", "\($0.hostID)", "\($0.size)"] }
    let result = try explain("cannot run \(program)", at: kind.configPath) { () throws(SystemError) in
        try runProgram(kind.program, ["\(pid)"] + numbers)
    }
    guard result.end != .exited(0) else { return }
    let output = String(decoding: result.output.prefix(1000), as: UTF8.self)
        .split(whereSeparator: \.isNewline).joined(separator: "; ")
    let said = output.isEmpty ? "" : ": \(output)"
    throw RuntimeError(
        at: kind.configPath, "\(program) refuses the id mappings\(said)", hint: whyRefused(program, kind, mappings))
}

/// What has to change so that the program does what it is asked.
private func whyRefused(_ program: String, _ kind: IDKind, _ mappings: [IDMapping]) -> String? {
    let uid = effectiveUserID()
    let granted = SubordinateIDs(ofUser: uid, in: kind.grants).ranges
    let missing = mappings.first { mapping in
        let isOwn = mapping.size == 1 && mapping.hostID == kind.ownID
        let isGranted = granted.contains {
            $0.first <= mapping.hostID
                && UInt64(mapping.hostID) + UInt64(mapping.size) <= UInt64($0.first) + UInt64($0.count)
        }
        return !isOwn && !isGranted
    }
    let name = userName(uid)
    if let missing {
        let last = UInt64(missing.hostID) + UInt64(missing.size) - 1
        let user = name.isEmpty ? "\(uid)" : name
        return "\(kind.grants) does not grant \(missing.hostID) to \(last) to user \(user): add the line "
            + "\(user):\(missing.hostID):\(missing.size) to it (usermod \(kind.option) \(missing.hostID)-\(last) \(user))"
    }
    if name.isEmpty { return "user \(uid) has no entry in /etc/passwd, which \(kind.program) needs" }
    if let status = try? fileStatus(program), status.mode & UInt32(S_ISUID) == 0, !hasFileCapabilities(program) {
        return "\(program) has lost its privilege: reinstall it (Debian, Ubuntu: uidmap), or chmod u+s \(program)"
    }
    if cannotGainPrivileges() {
        return "\(program) gains no privilege here: this process has no_new_privs set"
    }
    return "\(program) gains no privilege here if its file system is mounted with nosuid"
}
