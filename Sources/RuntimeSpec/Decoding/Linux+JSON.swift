extension Linux: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            uidMappings: try object.list("uidMappings"),
            gidMappings: try object.list("gidMappings"),
            timeOffsets: try object.map("timeOffsets") { (key, json) throws(SpecError) in
                try TimeOffset(clock: key, json: json)
            },
            sysctl: try object.strings("sysctl"),
            resources: try object.optional("resources"),
            cgroupsPath: try object.text("cgroupsPath"),
            namespaces: try object.list("namespaces"),
            devices: try object.list("devices"),
            netDevices: try object.map("netDevices") { (key, json) throws(SpecError) in
                NetDevice(hostName: key, name: try json.object().text("name"))
            },
            seccomp: try object.optional("seccomp"),
            rootfsPropagation: try object.word("rootfsPropagation"),
            maskedPaths: try object.list("maskedPaths"),
            readonlyPaths: try object.list("readonlyPaths"),
            mountLabel: try object.text("mountLabel"),
            intelRdt: try object.optional("intelRdt"),
            memoryPolicy: try object.optional("memoryPolicy"),
            personality: try object.optional("personality"))
    }
}

extension Namespace: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(try object.required("type"), path: try object.text("path"))
    }
}

extension TimeOffset {
    fileprivate init(clock name: String, json: JSONValue) throws(SpecError) {
        guard let clock = TimeClock(rawValue: name) else { throw .unknownWord(name, of: TimeClock.self) }
        let object = try json.object()
        self.init(clock: clock, secs: try object.optional("secs") ?? 0, nanosecs: try object.optional("nanosecs") ?? 0)
    }
}

extension Device: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            type: try object.required("type"),
            path: try object.required("path"),
            major: try object.optional("major"),
            minor: try object.optional("minor"),
            fileMode: try object.optional("fileMode"),
            uid: try object.optional("uid"),
            gid: try object.optional("gid"))
    }
}

extension IntelRdt: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            closID: try object.text("closID"),
            schemata: try object.list("schemata"),
            l3CacheSchema: try object.text("l3CacheSchema"),
            memBwSchema: try object.optional("memBwSchema", Self.memoryBandwidth),
            enableMonitoring: try object.flag("enableMonitoring"))
    }

    /// The schema's pattern `^MB:[^\n]*$`.
    private static func memoryBandwidth(_ json: JSONValue) throws(SpecError) -> String {
        let text = try String(json: json)
        guard text.utf8.starts(with: "MB:".utf8), !text.utf8.contains(UInt8(ascii: "\n")) else {
            throw SpecError(.invalid, "not a bandwidth schema:", quoted(text), expected: "expected one line, MB:...")
        }
        return text
    }
}

extension MemoryPolicy: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            mode: try object.required("mode"), nodes: try object.text("nodes"), flags: try object.list("flags"))
    }
}

extension Personality: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(domain: try object.required("domain"), flags: try object.list("flags"))
    }
}

extension Seccomp: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            defaultAction: try object.required("defaultAction"),
            defaultErrnoRet: try object.optional("defaultErrnoRet"),
            architectures: try object.list("architectures"),
            flags: try object.optional("flags"),
            listenerPath: try object.text("listenerPath"),
            listenerMetadata: try object.text("listenerMetadata"),
            syscalls: try object.list("syscalls"))
    }
}

extension SeccompSyscall: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            names: try object.required("names") { (json) throws(SpecError) in
                let names = try [String](json: json)
                guard !names.isEmpty else { throw SpecError(.invalid, "empty", expected: "expected at least one name") }
                return names
            },
            action: try object.required("action"),
            errnoRet: try object.optional("errnoRet"),
            args: try object.list("args"))
    }
}

extension SeccompArgument: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            index: try object.required("index"),
            value: try object.required("value"),
            valueTwo: try object.optional("valueTwo") ?? 0,
            op: try object.required("op"))
    }
}
