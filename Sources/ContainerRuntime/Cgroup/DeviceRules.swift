internal import LinuxSystem
internal import RuntimeSpec

/// Applies `linux.resources.devices` to a container: to the list of the v1 controller, or as a program on v2.
extension ContainerCgroup {
    /// The rules of a cgroup that has just been made.
    ///
    /// - Parameter isRootless: in a user namespace the kernel lets nobody make device nodes or attach programs, so that
    ///   there is nothing to restrict and nothing to do it with.
    func setDevices(_ policy: DevicePolicy, isRootless: Bool) throws(RuntimeError) {
        if let directory = directory(of: "devices") {
            try write(DeviceList(policy).lines, in: directory)
        } else if let unified, !isRootless, !policy.allowsEverything {
            try attach(policy, to: unified)
        }
    }

    /// Replaces the rules of a running container; an empty list leaves them as they are. So does one that says what
    /// holds already: engines give the whole of their limits for a change of one, and a hook may have allowed more.
    ///
    /// - Parameter before: what the container has had
    func updateDevices(_ rules: [DeviceRule], before: [DeviceRule]) throws(RuntimeError) {
        guard !rules.isEmpty, rules != before else { return }
        let policy = try DevicePolicy(rules)
        if let directory = directory(of: "devices") {
            let list = try DeviceList(policy)
            let current = try readList(of: directory)
            do throws(RuntimeError) {
                try write(list.changes(from: current) ?? list.lines, in: directory)
            } catch {
                if let lines = try? DeviceList.lines(backTo: current, from: readList(of: directory), before) {
                    try? write(lines, in: directory)
                }
                throw error
            }
        } else if let unified {
            try attach(policy, to: unified)
        }
    }

    private func readList(of directory: CgroupDirectory) throws(RuntimeError) -> [UInt8] {
        try explain("cannot read the container's device list") { () throws(SystemError) in
            try readFile(directory.path + "/devices.list")
        }
    }

    private func attach(_ policy: DevicePolicy, to directory: CgroupDirectory) throws(RuntimeError) {
        try explain(
            "cannot restrict the container's devices", at: "linux.resources.devices",
            hint: "cgroup v2 takes a bpf program for it, which needs CAP_BPF or CAP_SYS_ADMIN, and CONFIG_CGROUP_BPF"
        ) { () throws(SystemError) in
            let cgroup = try FileDescriptor.open(directory.path, .directory)
            if policy.allowsEverything { return try DeviceFilter.detach(from: cgroup) }
            try DeviceFilter(DeviceProgram(policy).instructions).attach(to: cgroup)
        }
    }

    private func write(_ lines: [(file: String, text: String)], in directory: CgroupDirectory) throws(RuntimeError) {
        try explain(
            "cannot restrict the container's devices", at: "linux.resources.devices",
            hint: "a cgroup cannot allow what the one above it, \(parentPath(directory.path)), does not"
        ) { () throws(SystemError) in
            // The kernel takes one rule a write(2).
            let allow = try FileDescriptor.open(directory.path + "/devices.allow", .writeOnly)
            let deny = try FileDescriptor.open(directory.path + "/devices.deny", .writeOnly)
            for (file, text) in lines {
                let isAllow = file == "devices.allow"
                try isAllow
                    ? allow.write(text, subject: "\(file): \(text)") : deny.write(text, subject: "\(file): \(text)")
            }
        }
    }
}
