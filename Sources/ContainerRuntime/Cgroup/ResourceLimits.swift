internal import Glibc
internal import LinuxSystem
internal import RuntimeSpec

/// Writes limits to a container's control files.
extension ContainerCgroup {
    /// What is written for `resources` to a new cgroup.
    ///
    /// - Throws: for what none of its hierarchies can limit.
    func writes(for resources: Resources) throws(RuntimeError) -> [ControlWrite] {
        let writes = try ControlWrites.of(resources, version: version)
        if directories.isEmpty { return writes }
        for write in writes where !write.isDispensable && directory(limiting: write.controller) == nil {
            throw missingController(write)
        }
        return writes
    }

    /// Limits of a cgroup that has just been made.
    ///
    /// - Throws: named by the property of config.json. Some limits may be written by then; the cgroup is good for nothing
    ///   but removal.
    func setLimits(_ writes: [ControlWrite]) throws(RuntimeError) {
        try enableControllers(for: writes)
        try apply(writes)
    }

    /// The directory that limits `controller`, v1 where the host has it there.
    func directory(limiting controller: Controller) -> CgroupDirectory? {
        controller.v1Name.flatMap { directory(of: $0) } ?? unified
    }

    func version(_ controller: Controller) -> CgroupVersion {
        directory(limiting: controller)?.isUnified == true ? .v2 : .v1
    }

    func enableControllers(for writes: [ControlWrite]) throws(RuntimeError) {
        guard let unified else { return }
        var required: [(name: String, property: String)] = []
        for write in writes where !write.isDispensable && directory(limiting: write.controller) == unified {
            guard let name = write.controller.v2Name, name != "cgroup" else { continue }
            if !required.contains(where: { $0.name == name }) { required.append((name, write.property)) }
        }
        // On a hybrid host the v1 hierarchies have what every container gets.
        if required.isEmpty && directories.count > 1 { return }
        try UnifiedControllers.enable(required, in: unified.path)
    }

    /// Some values are acceptable only once others are written: a quota below the old burst, a memory limit above the
    /// old one for memory and swap. What is refused as invalid is tried again as long as anything else succeeds.
    ///
    /// - Parameter willChange: is told before a file is written.
    func apply(
        _ writes: [ControlWrite], _ willChange: ((_ directory: String, _ choice: ControlWrite.Choice) -> Void)? = nil
    ) throws(RuntimeError) {
        var pending = writes
        while !pending.isEmpty {
            var refused: [ControlWrite] = []
            var reason: RuntimeError?
            for write in pending {
                guard let directory = directory(limiting: write.controller) else {
                    if write.isDispensable { continue }
                    throw missingController(write)
                }
                guard let (choice, error) = attempt(write, in: directory, willChange) else { continue }
                let explained = refusal(write, choice, directory, error)
                guard error.errno == .invalid else { throw explained }
                reason = reason ?? explained
                refused.append(write)
            }
            if let reason, refused.count == pending.count { throw reason }
            pending = refused
        }
    }

    /// - Returns: why the write failed, nil when it did not. ENOENT: none of the files exists.
    private func attempt(
        _ write: ControlWrite, in directory: CgroupDirectory,
        _ willChange: ((_ directory: String, _ choice: ControlWrite.Choice) -> Void)?
    ) -> (ControlWrite.Choice, SystemError)? {
        var failure: (ControlWrite.Choice, SystemError)?
        for choice in write.choices {
            let path = "\(directory.path)/\(choice.file)"
            willChange?(directory.path, choice)
            do throws(SystemError) {
                try writeControl(path, choice.text.utf8)
                if choice.file == "memory.kmem.limit_in_bytes", choice.text != "-1" { try requireEffect(path) }
                return nil
            } catch {
                if error.errno != .noEntry {
                    return write.isDispensable && isBeyondKernel(error) ? nil : (choice, error)
                }
                failure = failure ?? (choice, error)
            }
        }
        return write.isDispensable ? nil : failure
    }

    /// Since 5.16 the kernel takes every limit of kernel memory, and keeps none.
    private func requireEffect(_ path: String) throws(SystemError) {
        if try readControl(path).starts(with: "9223372036854771712".utf8) {
            throw SystemError("write", path, .notSupported)
        }
    }

    /// A file that is there for the sake of old programs only.
    private func isBeyondKernel(_ error: SystemError) -> Bool { error.errno == .notSupported }
}

// MARK: - Refusals

extension ContainerCgroup {
    private func missingController(_ write: ControlWrite) -> RuntimeError {
        if case .other = write.controller {
            return RuntimeError(
                at: write.property, "cannot be set: this host has no cgroup v2", nil,
                hint: "use the properties for cgroup v1, or mount cgroup v2")
        }
        let name = write.controller.v1Name ?? ""
        return RuntimeError(
            at: write.property, "needs the cgroup controller \(name), which is mounted nowhere", nil,
            hint: "\(write.controller.provider) has it")
    }

    private func missingFile(_ write: ControlWrite, _ directory: CgroupDirectory) -> RuntimeError {
        let file = write.choices[0].file
        return RuntimeError(
            at: write.property, "cannot be set: there is no \(directory.path)/\(file)", nil,
            hint: provider(ofFile: file) ?? "\(write.controller.provider) has it")
    }

    private func refusal(
        _ write: ControlWrite, _ choice: ControlWrite.Choice, _ directory: CgroupDirectory, _ error: SystemError
    ) -> RuntimeError {
        if error.errno == .noEntry { return missingFile(write, directory) }
        return RuntimeError(
            at: write.property, "cannot set \(choice.file) to \"\(choice.text)\"", error,
            hint: hint(choice.file, directory, error.errno))
    }

    private func hint(_ file: String, _ directory: CgroupDirectory, _ errno: Errno) -> String? {
        let above = parentPath(directory.path)
        switch (file, errno) {
        case ("memory.limit_in_bytes", .busy):
            return "in use: \(number(directory, "memory.usage_in_bytes")) bytes, at most so far: "
                + number(directory, "memory.max_usage_in_bytes")
        case ("memory.limit_in_bytes", .invalid), ("memory.memsw.limit_in_bytes", .invalid):
            return "memory.swap counts memory and swap together, and must not be below memory.limit"
        case ("memory.use_hierarchy", .invalid):
            return "drop it: the memory of a cgroup is always counted to those above it"
        case ("cpu.rt_runtime_us", .invalid), ("cpu.rt_period_us", .invalid):
            return "it must fit into cpu.rt_runtime_us of \(above)"
        case ("cpuset.cpus", _), ("cpuset.mems", _):
            return "the cgroup above has \(number(CgroupDirectory(controllers: [], path: above), file))"
        case (_, .notSupported): return provider(ofFile: file)
        case (_, .noDevice): return "there is no such device"
        case (_, .accessDenied), (_, .notPermitted): return "the file belongs to another user; delegate the cgroup"
        case (_, .invalid): return "the kernel takes no such value"
        default: return nil
        }
    }

    private func number(_ directory: CgroupDirectory, _ file: String) -> String {
        guard let bytes = try? readControl("\(directory.path)/\(file)") else { return "unknown" }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
