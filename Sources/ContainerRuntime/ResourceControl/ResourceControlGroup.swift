internal import CLinux
internal import LinuxSystem
package import RuntimeSpec

/// A container's place in resctrl, the kernel's control of caches and memory bandwidth (config-linux.md, IntelRdt): a
/// directory below the mount point, whose `tasks` are subject to its `schemata`.
package struct ResourceControlGroup: Equatable, Sendable {
    /// The mount point.
    let root: String
    /// The directory of the class of service; the mount point itself for the default class.
    let path: String
    /// Whether it did not exist before the container.
    let isMade: Bool
    /// Whether config.json gave it a name: then it outlives the container.
    let isNamed: Bool
    /// The directory that counts for this container alone, `mon_groups/ID`.
    let monitor: String?

    /// Makes the directories.
    func make() throws(RuntimeError) {
        if isMade { try makeDirectory(path, "class of service", "num_closids") }
        if let monitor {
            do throws(RuntimeError) {
                try makeDirectory(monitor, "monitoring group", "num_rmids")
            } catch {
                if isMade { try? removeDirectory(path) }
                throw error
            }
        }
    }

    private func makeDirectory(_ path: String, _ what: String, _ limit: String) throws(RuntimeError) {
        do throws(SystemError) {
            try check(cl_mkdirat(currentDirectory, path, 0o755), "mkdir", path)
        } catch {
            let hint: String? =
                switch error.errno {
                case .noSpace: "the hardware has no more of them (\(limit) in \(root)/info)"
                case .exists: "remove it, or choose another container id"
                case .noEntry, .notPermitted, .accessDenied: "this hardware or mount has no such groups"
                default: nil
                }
            throw RuntimeError(at: "linux.intelRdt", "cannot make a \(what)", error, hint: hint)
        }
    }

    /// Puts a process into the group; its children are born in it.
    package func add(_ pid: Int32) throws(RuntimeError) {
        for directory in [path] + (monitor.map { [$0] } ?? []) {
            do throws(SystemError) {
                try writeControl("\(directory)/tasks", "\(pid)".utf8)
            } catch {
                throw RuntimeError(
                    at: "linux.intelRdt", "cannot assign the container's process to its class of service", error,
                    hint: complaint)
            }
        }
    }

    /// - Parameter lines: with the property that each comes from
    func write(_ lines: [(property: String, text: String)]) throws(RuntimeError) {
        for (property, text) in lines {
            do throws(SystemError) {
                try writeControl("\(path)/schemata", "\(text)\n".utf8)
            } catch {
                throw RuntimeError(
                    at: "linux.intelRdt.\(property)", "cannot write \"\(text)\" to the schemata", error,
                    hint: complaint)
            }
        }
    }

    /// The lines of `schemata`.
    func schemata() throws(RuntimeError) -> [String] {
        let bytes = try explain("cannot read the class of service", at: "linux.intelRdt") { () throws(SystemError) in
            try readFile("\(path)/schemata")
        }
        return ResourceSchema.lines(String(decoding: bytes, as: UTF8.self))
    }

    /// What the kernel says about the last thing that it refused.
    private var complaint: String? {
        guard let bytes = try? readControl("\(root)/info/last_cmd_status") else { return nil }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return text.isEmpty || text == "ok" ? nil : "the kernel says: \(text)"
    }

    /// What goes with the container.
    package func remove() throws(RuntimeError) {
        try explain("cannot remove the container's class of service") { () throws(SystemError) in
            if let monitor { try removeDirectory(monitor) }
            if isMade, !isNamed { try removeDirectory(path) }
        }
    }

    /// As if it had never been made. A class that somebody else uses by now stays: the kernel would move them out.
    func undo() {
        if let monitor { try? removeDirectory(monitor) }
        guard isMade, let tasks = try? readFile("\(path)/tasks", limit: 16 << 20), tasks.isEmpty else { return }
        try? removeDirectory(path)
    }
}

extension ResourceControlGroup: JSONDecodable, JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("root", root)
            $0.add("path", path)
            $0.add("isMade", isMade)
            $0.add("isNamed", isNamed)
            $0.add("monitor", monitor)
        }
    }

    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            root: try object.required("root"), path: try object.required("path"), isMade: try object.required("isMade"),
            isNamed: try object.required("isNamed"), monitor: try object.optional("monitor"))
    }
}
