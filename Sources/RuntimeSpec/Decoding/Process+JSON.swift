/// `config.json`'s process, and the whole document of `exec --process`.
extension Process: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            terminal: try object.flag("terminal"),
            consoleSize: try object.optional("consoleSize"),
            user: try object.optional("user") ?? User(),
            args: try object.list("args"),
            env: try object.list("env"),
            cwd: try object.required("cwd"),
            capabilities: try object.optional("capabilities"),
            rlimits: try object.list("rlimits"),
            noNewPrivileges: try object.flag("noNewPrivileges"),
            oomScoreAdj: try object.optional("oomScoreAdj"),
            apparmorProfile: try object.text("apparmorProfile"),
            selinuxLabel: try object.text("selinuxLabel"),
            scheduler: try object.optional("scheduler"),
            ioPriority: try object.optional("ioPriority"),
            execCPUAffinity: try object.optional("execCPUAffinity"))
        // Windows only; here its type alone is of interest.
        _ = try object.text("commandLine")
    }
}

extension ConsoleSize: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(height: try object.required("height"), width: try object.required("width"))
    }
}

extension User: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            uid: try object.optional("uid") ?? 0,
            gid: try object.optional("gid") ?? 0,
            umask: try object.optional("umask"),
            additionalGids: try object.list("additionalGids"))
        // Windows only; here its type alone is of interest.
        _ = try object.text("username")
    }
}

extension Capabilities: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            bounding: try object.optional("bounding"),
            effective: try object.optional("effective"),
            inheritable: try object.optional("inheritable"),
            permitted: try object.optional("permitted"),
            ambient: try object.optional("ambient"))
    }
}

extension Rlimit: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            type: try object.required("type"), soft: try object.required("soft"), hard: try object.required("hard"))
    }
}

extension Scheduler: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            policy: try object.required("policy"),
            nice: try object.optional("nice") ?? 0,
            priority: try object.optional("priority") ?? 0,
            flags: try object.list("flags"),
            runtime: try object.optional("runtime") ?? 0,
            deadline: try object.optional("deadline") ?? 0,
            period: try object.optional("period") ?? 0)
    }
}

extension IOPriority: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(class: try object.required("class"), priority: try object.optional("priority") ?? 0)
    }
}

extension ExecCPUAffinity: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            initial: try object.optional("initial", Self.cpus), final: try object.optional("final", Self.cpus))
    }

    /// The schema's pattern `^[0-9, -]*$`; `validate()` reads the list.
    private static func cpus(_ json: JSONValue) throws(SpecError) -> String {
        let text = try String(json: json)
        let isList = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ","), UInt8(ascii: " "), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard isList else {
            throw SpecError(.invalid, "not a list of cpus:", quoted(text), expected: "expected one such as \"0-3,7\"")
        }
        return text
    }
}
