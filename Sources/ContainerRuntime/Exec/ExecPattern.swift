internal import LinuxSystem
internal import RuntimeSpec

/// What `exec` has to know of a container's config.json, kept beside it from create on: to read all of config.json would
/// take longer than everything else that `exec` does. Most of it is mounts, and system calls by name.
///
///     exec.json      {"config": {...}, "hasFilter": true}: a config.json of few members, all about a process
///     seccomp.bpf    the compiled filter (`SeccompFilter.kept`), where nothing else is to be known of it
struct ExecPattern {
    fileprivate(set) var config: Config
    /// nil where there is none, and where `config` tells of it.
    fileprivate(set) var filter: SeccompFilter?
    fileprivate let hasFilter: Bool

    /// - Parameter filter: what `config` asks for, where it is compiled already
    init(_ config: Config, _ filter: SeccompFilter?) {
        let isPlain = filter?.isPlain == true
        self.filter = isPlain ? filter : nil
        hasFilter = isPlain
        self.config = Config(ociVersion: config.ociVersion, process: config.process)
        // A process that is added has arguments of its own, and annotations are in the record.
        self.config.process?.args = []
        guard let linux = config.linux else { return }
        var kept = Linux()
        kept.namespaces = linux.namespaces
        kept.personality = linux.personality
        kept.memoryPolicy = linux.memoryPolicy
        if !isPlain { kept.seccomp = linux.seccomp }
        self.config.linux = kept
    }
}

extension ExecPattern: JSONDecodable, JSONEncodable {
    var json: JSON {
        .members {
            $0.add("config", config)
            $0.add(flag: "hasFilter", hasFilter)
        }
    }

    init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        config = try object.required("config")
        hasFilter = try object.flag("hasFilter")
    }
}

extension StateDirectory {
    private static let patternName = "exec.json"
    private static let filterName = "seccomp.bpf"

    borrowing func writeExecPattern(_ pattern: ExecPattern) throws(RuntimeError) {
        try write(Self.patternName, pattern.json.bytes(), replacing: false)
        if let filter = pattern.filter { try write(Self.filterName, filter.kept, replacing: false) }
    }

    borrowing func readExecPattern(_ record: ContainerRecord) throws(RuntimeError) -> ExecPattern {
        let hint = "the file is damaged: make the container anew"
        let text = try read(Self.patternName, limit: Config.maximumDocumentSize)
        var pattern: ExecPattern
        do throws(SpecError) {
            pattern = try ExecPattern.decode(text)
        } catch {
            throw RuntimeError("\(path)/\(Self.patternName): \(error)", hint: hint)
        }
        pattern.config.annotations = record.annotations
        if pattern.hasFilter {
            pattern.filter = SeccompFilter(kept: try read(Self.filterName))
            if pattern.filter == nil {
                throw RuntimeError("\(path)/\(Self.filterName): not a whole filter", hint: hint)
            }
        }
        return pattern
    }
}
