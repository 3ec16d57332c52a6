/// `linux.resources`, and the whole document of `update --resources`.
extension Resources: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            devices: try object.list("devices"),
            memory: try object.optional("memory"),
            cpu: try object.optional("cpu"),
            pids: try object.optional("pids"),
            blockIO: try object.optional("blockIO"),
            hugepageLimits: try object.list("hugepageLimits"),
            network: try object.optional("network"),
            rdma: try object.map("rdma") { (key, json) throws(SpecError) in
                let limits = try json.object()
                return RDMA(
                    device: key, hcaHandles: try limits.optional("hcaHandles"),
                    hcaObjects: try limits.optional("hcaObjects"))
            },
            unified: try object.strings("unified"))
    }
}

extension DeviceRule: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            allow: try object.required("allow"),
            // Both are written as "" by encoders that mean everything.
            type: try object.optional("type") { (json) throws(SpecError) in
                try String(json: json).isEmpty ? .all : DeviceRuleType(json: json)
            } ?? .all,
            major: try object.optional("major"),
            minor: try object.optional("minor"),
            access: try object.optional("access") { (json) throws(SpecError) in
                let letters = try String(json: json)
                guard let access = DeviceAccess(letters: letters) else {
                    throw SpecError(
                        .unknownWord, "unknown device access", quoted(letters),
                        expected: "expected a composition of r, w and m")
                }
                return letters.isEmpty ? .all : access
            } ?? .all)
    }
}

extension Memory: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            limit: try object.optional("limit"),
            reservation: try object.optional("reservation"),
            swap: try object.optional("swap"),
            kernel: try object.optional("kernel"),
            kernelTCP: try object.optional("kernelTCP"),
            swappiness: try object.optional("swappiness"),
            disableOOMKiller: try object.optional("disableOOMKiller"),
            useHierarchy: try object.optional("useHierarchy"),
            checkBeforeUpdate: try object.optional("checkBeforeUpdate"))
    }
}

extension CPU: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            shares: try object.optional("shares"),
            quota: try object.optional("quota"),
            burst: try object.optional("burst"),
            period: try object.optional("period"),
            realtimeRuntime: try object.optional("realtimeRuntime"),
            realtimePeriod: try object.optional("realtimePeriod"),
            cpus: try object.text("cpus"),
            mems: try object.text("mems"),
            idle: try object.optional("idle"))
    }
}

extension Pids: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        self.init(limit: try json.object().optional("limit"))
    }
}

extension BlockIO: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            weight: try object.optional("weight"),
            leafWeight: try object.optional("leafWeight"),
            weightDevice: try object.list("weightDevice"),
            throttleReadBpsDevice: try object.list("throttleReadBpsDevice"),
            throttleWriteBpsDevice: try object.list("throttleWriteBpsDevice"),
            throttleReadIOPSDevice: try object.list("throttleReadIOPSDevice"),
            throttleWriteIOPSDevice: try object.list("throttleWriteIOPSDevice"))
    }
}

extension WeightDevice: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            major: try object.required("major"),
            minor: try object.required("minor"),
            weight: try object.optional("weight"),
            leafWeight: try object.optional("leafWeight"))
    }
}

extension ThrottleDevice: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            major: try object.required("major"), minor: try object.required("minor"), rate: try object.required("rate"))
    }
}

extension HugepageLimit: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(pageSize: try object.required("pageSize", Self.pageSize), limit: try object.required("limit"))
    }

    /// The schema's pattern `^[1-9][0-9]*[KMG]B$`.
    private static func pageSize(_ json: JSONValue) throws(SpecError) -> String {
        let text = try String(json: json)
        let digits = text.utf8.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        let unit = text.utf8.dropFirst(digits.count)
        guard let first = digits.first, first != UInt8(ascii: "0"),
            ["KB", "MB", "GB"].contains(where: { unit.elementsEqual($0.utf8) })
        else {
            throw SpecError(
                .invalid, "not a page size:", quoted(text),
                expected: "expected one such as \"64KB\", \"2MB\" or \"1GB\"")
        }
        return text
    }
}

extension Network: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(classID: try object.optional("classID"), priorities: try object.list("priorities"))
    }
}

extension InterfacePriority: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(name: try object.required("name"), priority: try object.required("priority"))
    }
}
