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
        let version: String = try object.required("ociVersion")
        do throws(SpecError) {
            try self.init(ociVersion: version, object)
            try ForeignPlatforms.check(object)
        } catch {
            // What looks wrong in a document of another version may be right there: then the version is what to report.
            try SpecVersion.requireSupported(version)
            throw error
        }
    }

    private init(ociVersion: String, _ object: JSONObject) throws(SpecError) {
        self.init(
            ociVersion: ociVersion,
            root: try object.optional("root"),
            mounts: try object.list("mounts"),
            process: try object.optional("process"),
            hostname: try object.text("hostname"),
            domainname: try object.text("domainname"),
            hooks: try object.optional("hooks") ?? Hooks(),
            linux: try object.optional("linux"),
            annotations: try object.strings("annotations"))
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
