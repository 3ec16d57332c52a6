internal import LinuxSystem
package import RuntimeSpec

/// Reads a seccomp profile from a file of its own, such as `--seccomp-record` writes.
package func readSeccompProfile(_ path: String) throws(RuntimeError) -> Seccomp {
    let text = try explain("cannot read the seccomp profile") { () throws(SystemError) in
        try readFile(path, limit: Config.maximumDocumentSize)
    }
    do throws(SpecError) {
        return try SeccompProfile.decode(text).seccomp
    } catch {
        throw RuntimeError("\(path) is no seccomp profile: \(error)")
    }
}

extension Seccomp {
    /// Allows a call whatever its arguments are.
    package mutating func allow(_ name: String) {
        var target: Int?
        for index in syscalls.indices where syscalls[index].args.isEmpty {
            if syscalls[index].action == .allow {
                if syscalls[index].names.contains(name) { return }
                target = target ?? index
            } else {
                // Two rules for the same call would contradict each other.
                syscalls[index].names.removeAll { $0 == name }
            }
        }
        if let target {
            syscalls[target].names.append(name)
        } else {
            syscalls.append(SeccompSyscall(names: [name], action: .allow))
        }
        syscalls.removeAll { $0.names.isEmpty }
    }
}
