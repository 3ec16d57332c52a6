// The rules of the specification that one value alone cannot break, and that need no machine to check. They are kept
// apart from decoding so that a config built in code is held to them too.

extension Config {
    /// Checks what decoding cannot: that the values make sense together and that the kernel could possibly take them.
    ///
    /// Nothing here looks at the machine: whether a path exists or a controller is mounted shows when it is used.
    package func validate() throws(SpecError) {
        try SpecVersion.requireSupported(ociVersion)
        guard let root else { throw SpecError(.missing, at: "root", "missing", expected: "it is required on linux") }
        if root.path.isEmpty { throw SpecError(.invalid, at: "root.path", "empty") }
        try validateNames()
        for (index, mount) in mounts.enumerated() {
            do throws(SpecError) {
                try mount.validate(containerHasUserNamespace: linux?.namespaces[.user] != nil)
            } catch {
                throw error.inside(index: index).inside("mounts")
            }
        }
        try hooks.validate()
        for annotation in annotations where annotation.key.isEmpty {
            throw SpecError(.invalid, at: "annotations", "an empty key", expected: "expected a name")
        }
        do throws(SpecError) { try process?.validate() } catch { throw error.inside("process") }
        do throws(SpecError) { try linux?.validate() } catch { throw error.inside("linux") }
    }

    /// Setting the names in the namespace of the runtime would rename the host.
    private func validateNames() throws(SpecError) {
        for (name, value) in [("hostname", hostname), ("domainname", domainname)] {
            guard let value else { continue }
            guard linux?.namespaces[.uts] != nil else {
                throw SpecError(
                    .invalid, at: name, "set without a uts namespace",
                    expected: "add {\"type\":\"uts\"} to linux.namespaces")
            }
            // __NEW_UTS_LEN of the kernel.
            guard value.utf8.count <= 64 else {
                throw SpecError(
                    .outOfRange, at: name, "too long:", quoted(value), expected: "expected at most 64 bytes")
            }
        }
    }
}

extension Mount {
    func validate(containerHasUserNamespace: Bool) throws(SpecError) {
        if destination.isEmpty { throw SpecError(.invalid, at: "destination", "empty") }
        let options: MountOptions
        do throws(SpecError) {
            options = try MountOptions(parsing: self.options)
        } catch {
            throw error.inside("options")
        }
        if options.bind != .no, !options.remount, source == nil {
            throw SpecError(.missing, at: "source", "missing", expected: "a bind mount needs one")
        }
        try validateMappings()
        guard let idmap = options.idmap else { return }
        if idmap.hasOwnMapping || !uidMappings.isEmpty || containerHasUserNamespace { return }
        throw SpecError(
            .invalid, at: "options", "an idmapped mount without a mapping",
            expected: "expected uidMappings and gidMappings, or a user namespace in linux.namespaces")
    }

    private func validateMappings() throws(SpecError) {
        if uidMappings.isEmpty != gidMappings.isEmpty {
            let missing = uidMappings.isEmpty ? "uidMappings" : "gidMappings"
            throw SpecError(.missing, at: missing, "missing", expected: "uidMappings and gidMappings go together")
        }
        try IDMapping.validate(uidMappings, named: "uidMappings")
        try IDMapping.validate(gidMappings, named: "gidMappings")
    }
}

extension IDMapping {
    /// What the kernel would refuse with a bare EINVAL when the map is written (user_namespaces(7)).
    static func validate(_ mappings: [IDMapping], named name: StaticString) throws(SpecError) {
        for (index, mapping) in mappings.enumerated() {
            if mapping.size == 0 {
                throw SpecError(.outOfRange, at: "size", "out of range: 0", expected: "expected at least 1")
                    .inside(index: index).inside(name)
            }
            let last = UInt64(max(mapping.containerID, mapping.hostID)) + UInt64(mapping.size)
            if last > UInt64(UInt32.max) {
                throw SpecError(
                    .outOfRange, at: "size", "out of range:", String(mapping.size),
                    expected: "the last id is 4294967294"
                ).inside(index: index).inside(name)
            }
        }
    }
}

extension Hooks {
    /// Each list under its name, in calling order.
    package subscript(name: HookName) -> [Hook] {
        switch name {
        case .prestart: prestart
        case .createRuntime: createRuntime
        case .createContainer: createContainer
        case .startContainer: startContainer
        case .poststart: poststart
        case .poststop: poststop
        }
    }

    func validate() throws(SpecError) {
        for name in HookName.allCases {
            for (index, hook) in self[name].enumerated() {
                try requireAbsolute(hook.path, at: "hooks.\(name.rawValue)[\(index)].path")
                if let timeout = hook.timeout, timeout < 1 {
                    throw SpecError(
                        .outOfRange, at: "hooks.\(name.rawValue)[\(index)].timeout", "out of range:", String(timeout),
                        expected: "expected a number of seconds greater than 0")
                }
            }
        }
    }
}

func requireAbsolute(_ path: String, at place: @autoclosure () -> String) throws(SpecError) {
    guard path.utf8.first == UInt8(ascii: "/") else {
        throw SpecError(
            .invalid, at: place(), "not an absolute path:", quoted(path), expected: "expected it to begin with /")
    }
}
