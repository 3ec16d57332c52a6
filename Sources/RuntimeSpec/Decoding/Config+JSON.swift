// Decoding follows the JSON schema of runtime-spec 1.3.0 (config-schema.json) and, where the text is the more generous
// or the stricter of the two, the text. What needs more than one value to judge is left to `validate()`.

extension Config {
    /// What a caller should read of a file at most: far above any real document (a large one has some 100 KiB), and
    /// small enough that a mistaken path cannot exhaust memory.
    package static let maximumDocumentSize = 16 << 20
}

extension Config: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        // First, so that a document of another major version is refused for its version and not for its contents.
        let version = try object.required("ociVersion", SpecVersion.checked)
        self.init(
            ociVersion: version,
            root: try object.optional("root"),
            mounts: try object.list("mounts"),
            process: try object.optional("process"),
            hostname: try object.text("hostname"),
            domainname: try object.text("domainname"),
            hooks: try object.optional("hooks") ?? Hooks(),
            linux: try object.optional("linux"),
            annotations: try object.strings("annotations"))
        try ForeignPlatforms.check(object)
    }
}

extension Root: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(path: try object.required("path"), readonly: try object.flag("readonly"))
    }
}

extension Mount: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            destination: try object.required("destination"),
            type: try object.text("type"),
            source: try object.text("source"),
            options: try object.list("options"),
            uidMappings: try object.list("uidMappings"),
            gidMappings: try object.list("gidMappings"))
    }
}

extension IDMapping: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            containerID: try object.required("containerID"),
            hostID: try object.required("hostID"),
            size: try object.required("size"))
    }
}

extension Hooks: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            prestart: try object.list("prestart"),
            createRuntime: try object.list("createRuntime"),
            createContainer: try object.list("createContainer"),
            startContainer: try object.list("startContainer"),
            poststart: try object.list("poststart"),
            poststop: try object.list("poststop"))
    }
}

extension Hook: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            path: try object.required("path"),
            args: try object.list("args"),
            env: try object.optional("env"),
            timeout: try object.optional("timeout") { (json) throws(SpecError) in
                let seconds = try Int(json: json)
                guard seconds >= 1 else { throw json.outOfRange("a number of seconds greater than 0") }
                return seconds
            })
    }
}
