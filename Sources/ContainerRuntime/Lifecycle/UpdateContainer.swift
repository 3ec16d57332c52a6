internal import LinuxSystem
package import RuntimeSpec

/// Changing the limits of a container that is there, `update`.
package enum UpdateContainer {
    /// - Parameters:
    ///   - resources: valid by `Resources.validate()`; what is nil or empty in it stays as it is
    ///   - rdt: with new lines for the container's class of service
    /// - Throws: for the first change that the kernel refuses; then none is made
    package static func run(
        _ id: ContainerID, in root: StateRoot, _ resources: Resources, _ rdt: IntelRdt
    ) throws(RuntimeError) {
        let state = try root.open(id)
        try state.lock()
        var record = try state.readRecord()
        let status = state.status(of: record)
        if status == .stopped || status == .creating { throw .notRunning }
        let config = try state.readConfig()
        let resources = config.asMeant(resources)
        let devices = try state.readDeviceRules() ?? config.linux?.resources?.devices ?? []
        let undo = try updateClass(rdt, &record, state)
        do throws(RuntimeError) {
            try record.cgroup.update(resources, devices: devices)
        } catch {
            undo()
            throw error
        }
        if !resources.devices.isEmpty, resources.devices != devices { try state.writeDeviceRules(resources.devices) }
    }

    /// - Returns: what takes it back
    private static func updateClass(
        _ rdt: IntelRdt, _ record: inout ContainerRecord, _ state: borrowing StateDirectory
    ) throws(RuntimeError) -> () -> Void {
        if rdt == IntelRdt() { return {} }
        if let group = record.resourceControl {
            let before = try group.schemata()
            let undo = { for line in before { try? group.write([("schemata", line)]) } }
            do throws(RuntimeError) {
                try group.write(rdt.lines)
            } catch {
                undo()
                throw error
            }
            return undo
        }
        // A container that had none gets one of its own; the state knows it before it is there.
        let plan = try ResourceControlPlan(rdt, id: record.id)
        let old = record
        record.resourceControl = plan.group
        try state.writeRecord(record)
        do throws(RuntimeError) {
            try plan.make()
            try plan.group.addAll(of: record)
        } catch {
            try? plan.group.remove()
            try? state.writeRecord(old)
            throw error
        }
        return {}
    }
}

extension ResourceControlGroup {
    /// Processes that are born meanwhile are found in the next round.
    fileprivate func addAll(of record: ContainerRecord) throws(RuntimeError) {
        var known: Set<Int32> = []
        while true {
            let pids = try record.processes().filter { known.insert($0).inserted }
            if pids.isEmpty { return }
            for pid in pids {
                do throws(RuntimeError) {
                    try add(pid)
                } catch {
                    // It may have ended.
                    if processStartTime(pid) != nil { throw error }
                }
            }
        }
    }
}

extension StateDirectory {
    /// The device rules since the last change of them; nil when they are those of config.json.
    borrowing func readDeviceRules() throws(RuntimeError) -> [DeviceRule]? {
        guard exists(Self.deviceRulesName) else { return nil }
        let bytes = try read(Self.deviceRulesName)
        do throws(SpecError) {
            return try Resources.decode(bytes).devices
        } catch {
            throw RuntimeError("\(path)/\(Self.deviceRulesName): \(error)")
        }
    }

    borrowing func writeDeviceRules(_ rules: [DeviceRule]) throws(RuntimeError) {
        try write(Self.deviceRulesName, Resources(devices: rules).json.bytes(), replacing: true)
    }

    private static let deviceRulesName = "devices.json"
}
