extension Linux {
    /// Paths in errors are relative to the section.
    func validate() throws(SpecError) {
        try validateNamespaces()
        try validateMappings()
        try validateTimeOffsets()
        try validateSysctl()
        try validateDevices()
        try validateNetDevices()
        for (index, path) in maskedPaths.enumerated() { try requireAbsolute(path, at: "maskedPaths[\(index)]") }
        for (index, path) in readonlyPaths.enumerated() { try requireAbsolute(path, at: "readonlyPaths[\(index)]") }
        if let path = cgroupsPath,
            path.utf8.split(separator: UInt8(ascii: "/")).contains(where: { $0.elementsEqual("..".utf8) })
        {
            throw SpecError(
                .invalid, at: "cgroupsPath", "leads upwards:", quoted(path), expected: "expected a path without ..")
        }
        do throws(SpecError) { try resources?.validate() } catch { throw error.inside("resources") }
        do throws(SpecError) { try seccomp?.validate() } catch { throw error.inside("seccomp") }
        do throws(SpecError) { try intelRdt?.validate() } catch { throw error.inside("intelRdt") }
        do throws(SpecError) { try memoryPolicy?.validate() } catch { throw error.inside("memoryPolicy") }
        if let flag = personality?.flags.first {
            throw SpecError(
                .unknownWord, at: "personality.flags[0]", "unknown flag", quoted(flag),
                expected: "the specification supports none")
        }
    }

    private func validateNamespaces() throws(SpecError) {
        for (index, namespace) in namespaces.enumerated() {
            if namespaces[..<index].contains(where: { $0.type == namespace.type }) {
                throw SpecError(
                    .invalid, at: "namespaces[\(index)].type", "repeated:", quoted(namespace.type.rawValue),
                    expected: "expected each type once")
            }
            if let path = namespace.path { try requireAbsolute(path, at: "namespaces[\(index)].path") }
        }
    }

    private func validateMappings() throws(SpecError) {
        try IDMapping.validate(uidMappings, named: "uidMappings")
        try IDMapping.validate(gidMappings, named: "gidMappings")
        for (name, mappings) in [("uidMappings", uidMappings), ("gidMappings", gidMappings)] {
            switch namespaces[.user] {
            case nil:
                if mappings.isEmpty { continue }
                throw SpecError(
                    .invalid, at: name, "set without a user namespace",
                    expected: "add {\"type\":\"user\"} to linux.namespaces")
            case let namespace? where namespace.path == nil && mappings.isEmpty:
                throw SpecError(.missing, at: name, "missing", expected: "a new user namespace needs it")
            default: continue
            }
        }
    }

    /// Offsets can only be set before a process enters the namespace, so it has to be a new one (time_namespaces(7)).
    private func validateTimeOffsets() throws(SpecError) {
        guard let first = timeOffsets.first else { return }
        guard let namespace = namespaces[.time], namespace.path == nil else {
            throw SpecError(
                .invalid, at: "timeOffsets.\(first.clock.rawValue)", "set without a new time namespace",
                expected: "add {\"type\":\"time\"} to linux.namespaces")
        }
        for offset in timeOffsets where offset.nanosecs > 999_999_999 {
            throw SpecError(
                .outOfRange, at: "timeOffsets.\(offset.clock.rawValue).nanosecs", "out of range:", "\(offset.nanosecs)",
                expected: "expected 0 to 999999999")
        }
    }

    /// A parameter may only be set in a namespace of the container: anything else would change the host.
    ///
    /// A namespace that is joined by path counts as the container's here; whether it is the host's shows at run time.
    private func validateSysctl() throws(SpecError) {
        for entry in sysctl {
            do throws(SpecError) {
                try validate(sysctl: entry.key)
            } catch {
                throw error.inside(key: entry.key).inside("sysctl")
            }
        }
    }

    private func validate(sysctl key: String) throws(SpecError) {
        guard let name = SysctlName(key) else { throw SpecError(.invalid, "not the name of a kernel parameter") }
        guard let namespace = name.namespace else {
            throw SpecError(
                .invalid, "not a parameter of a namespace, it would change the host",
                expected: "set it on the host instead")
        }
        if name.path == "kernel/hostname" {
            throw SpecError(.invalid, "in conflict with hostname", expected: "use hostname instead")
        }
        guard namespaces[namespace] != nil else {
            throw SpecError(
                .invalid, "set without a namespace of type \(namespace.rawValue), it would change the host",
                expected: "add {\"type\":\"\(namespace.rawValue)\"} to linux.namespaces")
        }
    }

    private func validateDevices() throws(SpecError) {
        for (index, device) in devices.enumerated() {
            do throws(SpecError) {
                try device.validate()
            } catch {
                throw error.inside(index: index).inside("devices")
            }
        }
    }

    private func validateNetDevices() throws(SpecError) {
        guard let first = netDevices.first else { return }
        guard namespaces[.network] != nil else {
            throw SpecError(
                .invalid, at: "netDevices[\(quoted(first.hostName))]", "set without a network namespace",
                expected: "add {\"type\":\"network\"} to linux.namespaces")
        }
        var names: [String] = []
        for device in netDevices {
            let name = device.name ?? device.hostName
            do throws(SpecError) {
                try device.validate()
                if !device.isTemplate, names.contains(name) {
                    throw SpecError(.invalid, "repeated:", quoted(name), expected: "expected each name once").inside(
                        "name")
                }
            } catch {
                throw error.inside(key: device.hostName).inside("netDevices")
            }
            names.append(name)
        }
    }
}

extension Device {
    func validate() throws(SpecError) {
        try requireAbsolute(path, at: "path")
        // Some engines leave the file type (S_IFMT) in; it says nothing `type` does not.
        if let mode = fileMode, mode & ~0o170000 > 0o7777 {
            throw SpecError(.outOfRange, at: "fileMode", "out of range:", "\(mode)", expected: "expected 0 to 4095")
        }
        if type == .pipe { return }
        // MINORBITS of the kernel is 20, which leaves 12 for the major number.
        try Self.require(major, "major", upTo: 0xfff)
        try Self.require(minor, "minor", upTo: 0xfffff)
    }

    private static func require(_ number: Int64?, _ name: String, upTo most: Int64) throws(SpecError) {
        guard let number else { throw SpecError(.missing, at: name, "missing", expected: "a device node needs it") }
        guard 0...most ~= number else {
            throw SpecError(.outOfRange, at: name, "out of range:", "\(number)", expected: "expected 0 to \(most)")
        }
    }
}

extension NetDevice {
    /// Whether the kernel completes the name in the container.
    package var isTemplate: Bool { name?.utf8.contains(UInt8(ascii: "%")) ?? false }

    func validate() throws(SpecError) {
        guard Self.isValid(hostName), !hostName.utf8.contains(UInt8(ascii: "%")) else {
            throw SpecError(.invalid, "not the name of a network device")
        }
        guard let name, !Self.isValid(name) else { return }
        throw SpecError(
            .invalid, at: "name", "not the name of a network device:", quoted(name),
            expected: "expected at most 15 bytes without blanks, / and :, and at most one %d")
    }

    /// dev_valid_name() of the kernel; and a percent sign only as part of one `%d` (dev_alloc_name()).
    private static func isValid(_ name: String) -> Bool {
        let forbidden: [UInt8] = [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0xa0, UInt8(ascii: "/"), UInt8(ascii: ":")]
        guard 1...15 ~= name.utf8.count, name != ".", name != "..", !name.utf8.contains(where: forbidden.contains)
        else {
            return false
        }
        let parts = name.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false)
        return parts.count == 1 || parts.count == 2 && parts[1].first == UInt8(ascii: "d")
    }
}
