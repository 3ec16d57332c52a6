import Glibc
import RuntimeSpec
import Testing

/// Decodes a config.json whose first member, the version, is supplied.
func config(_ members: String) throws(SpecError) -> Config {
    try Config.decode([UInt8]("{\"ociVersion\":\"1.3.0\"\(members.isEmpty ? "" : ",")\(members)}".utf8))
}

func linux(_ members: String) throws(SpecError) -> Linux {
    guard let linux = try config("\"linux\":{\(members)}").linux else { fatalError("no linux section") }
    return linux
}

func process(_ members: String) throws(SpecError) -> RuntimeSpec.Process {
    try Process.decode([UInt8]("{\"cwd\":\"/\",\"args\":[\"sh\"]\(members.isEmpty ? "" : ",")\(members)}".utf8))
}

/// The error of a call that must fail.
func failure<Value>(
    _ body: () throws(SpecError) -> Value, sourceLocation: SourceLocation = #_sourceLocation
) -> SpecError? {
    do throws(SpecError) {
        let value = try body()
        Issue.record("no error, but \(value)", sourceLocation: sourceLocation)
        return nil
    } catch {
        return error
    }
}

/// The one-line message of a call that must fail.
func message<Value>(
    _ body: () throws(SpecError) -> Value, sourceLocation: SourceLocation = #_sourceLocation
) -> String {
    failure(body, sourceLocation: sourceLocation)?.description ?? ""
}

/// A config that `validate()` accepts, to be broken in one place at a time.
func validConfig(_ change: (inout Config) -> Void = { _ in }) -> Config {
    var config = Config(
        ociVersion: "1.3.0", root: Root(path: "rootfs"), process: Process(args: ["sh"], cwd: "/"), linux: Linux())
    change(&config)
    return config
}

/// What `validate()` says of the config; the empty string if it accepts it.
func complaint(_ change: (inout Config) -> Void = { _ in }) -> String {
    do throws(SpecError) {
        try validConfig(change).validate()
        return ""
    } catch {
        return error.description
    }
}

func complaint(linux change: (inout Linux) -> Void) -> String {
    complaint { (config: inout Config) in
        guard var linux = config.linux else { return }
        change(&linux)
        config.linux = linux
    }
}

func contents(ofFile path: String) throws -> [UInt8] {
    guard let file = fopen(path, "r") else { throw UnreadableFile(path: path) }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = getc(file), byte != EOF { bytes.append(UInt8(truncatingIfNeeded: byte)) }
    return bytes
}

/// The names in a directory that end in `.json`, sorted.
func documents(in path: String) throws -> [String] {
    guard let directory = opendir(path) else { throw UnreadableFile(path: path) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name.0) { String(cString: $0) }
        if name.hasSuffix(".json") { names.append(name) }
    }
    return names.sorted()
}

struct UnreadableFile: Error {
    var path: String
}
