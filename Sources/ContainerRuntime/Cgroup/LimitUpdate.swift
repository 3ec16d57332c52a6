internal import LinuxSystem
internal import RuntimeSpec

/// Changes the limits of a container that is there.
extension ContainerCgroup {
    /// What is nil or empty in `resources` stays as it is. When one change is refused, those made before it are taken
    /// back.
    ///
    /// - Parameter devices: the rules that hold until now
    func update(_ resources: Resources, devices: [DeviceRule]) throws(RuntimeError) {
        if directories.isEmpty {
            if resources == Resources() { return }
            throw RuntimeError(
                "the container has no cgroup to be limited by", nil,
                hint: "it was created without one (--cgroup-manager disabled, or rootless without delegation)")
        }
        let writes = try ControlWrites.of(resources, version: version) { file in
            guard let unified, let bytes = try? readControl("\(unified.path)/\(file)") else { return nil }
            return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
        try checkUsage(resources.memory)
        try enableControllers(for: writes)
        var before = ControlRollback()
        do throws(RuntimeError) {
            try apply(writes) { directory, choice in before.note(choice, in: directory) }
            try updateDevices(resources.devices, before: devices)
            try updateScope(writes, resources.devices, before: devices)
        } catch {
            before.run()
            throw error
        }
    }

    /// systemd has to know of it, or it would undo it some day. It takes all of the properties or none, so that it comes
    /// last: then there is nothing that it would have to take back.
    private func updateScope(
        _ writes: [ControlWrite], _ devices: [DeviceRule], before: [DeviceRule]
    ) throws(RuntimeError) {
        guard let scope else { return }
        let areNew = !devices.isEmpty && devices != before
        let rules = areNew ? try ScopeLimits.devices(try DevicePolicy(devices), self) : []
        if writes.isEmpty && rules.isEmpty { return }
        do throws(RuntimeError) {
            try scope.update(writes, devices: rules)
        } catch {
            if areNew { try? updateDevices(before, before: devices) }
            throw error
        }
        // A v1 list it has written anew at once, in its own coarser words.
        if !rules.isEmpty { try updateDevices(devices, before: before) }
    }

    /// v1 refuses a limit below what is used; v2 would kill for it (config-linux.md, "checkBeforeUpdate").
    private func checkUsage(_ memory: Memory?) throws(RuntimeError) {
        guard let memory, memory.checkBeforeUpdate == true, let limit = memory.limit, limit > 0,
            version(.memory) == .v2, let unified, let bytes = try? readControl(unified.path + "/memory.current"),
            let usage = Int64(String(decoding: bytes.dropLast(), as: UTF8.self)), usage > limit
        else { return }
        throw RuntimeError(
            at: "linux.resources.memory.limit", "rejecting memory limit \(limit) < usage \(usage)", nil,
            hint: "free memory in the container first, or drop checkBeforeUpdate")
    }
}

/// What control files said before they were written.
struct ControlRollback {
    private var steps: [(path: String, text: String)] = []

    /// Call it before the file is written.
    mutating func note(_ choice: ControlWrite.Choice, in directory: String) {
        let path = "\(directory)/\(choice.file)"
        guard let bytes = try? readControl(path) else { return }
        let text = Self.text(toUndo: choice, before: String(decoding: bytes, as: UTF8.self))
        if let text { steps.append((path, text)) }
    }

    /// Some values are acceptable only once others are back, as on the way there: the last change is undone first, and
    /// what is refused is tried again when the others are.
    func run() {
        var pending = Array(steps.reversed())
        while !pending.isEmpty {
            let refused = pending.filter { (try? writeControl($0.path, $0.text.utf8)) == nil }
            if refused.count == pending.count { return }
            pending = refused
        }
    }

    /// - Parameter before: the whole content of the file
    static func text(toUndo choice: ControlWrite.Choice, before: String) -> String? {
        let lines = before.split(separator: "\n")
        if choice.file == "memory.oom_control" {
            return lines.first.flatMap { $0.split(separator: " ").last }.map(String.init)
        }
        let words = choice.text.split(separator: " ", maxSplits: 1)
        let isTable = lines.count > 1 || words.count > 1
        guard isTable, choice.file != "cpu.max" else { return lines.first.map(String.init) ?? "\n" }
        // A file with a line for each device, or for each of something else.
        let key = words.count > 1 ? words[0] : "default"
        if let line = lines.first(where: { $0.hasPrefix("\(key) ") }) { return String(line) }
        let nothing =
            switch choice.file {
            case "io.max": "rbps=max wbps=max riops=max wiops=max"
            case "rdma.max": "hca_handle=max hca_object=max"
            case "io.weight": "default"
            default: "0"
            }
        return words.count > 1 ? "\(key) \(nothing)" : nil
    }
}
