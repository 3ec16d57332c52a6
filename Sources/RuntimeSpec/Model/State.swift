/// The state of a container (runtime.md, State), with the properties that `state` and `list` print besides the spec's own.
package struct State: Equatable, Sendable {
    package var ociVersion: String
    package var id: String
    /// 0 when there is no process.
    package var pid: Int
    package var status: ContainerStatus
    /// Absolute path.
    package var bundle: String
    /// Absolute path of the root filesystem; nil in a document that has the spec's properties only.
    package var rootfs: String?
    /// RFC 3339.
    package var created: String?
    package var annotations: [KeyValue]
    /// The name of the user who created the container, empty when unknown.
    package var owner: String?

    package init(
        ociVersion: String = SpecVersion.current, id: String, pid: Int, status: ContainerStatus, bundle: String,
        rootfs: String? = nil, created: String? = nil, annotations: [KeyValue] = [], owner: String? = nil
    ) {
        self.ociVersion = ociVersion
        self.id = id
        self.pid = pid
        self.status = status
        self.bundle = bundle
        self.rootfs = rootfs
        self.created = created
        self.annotations = annotations
        self.owner = owner
    }
}

/// In the order a container goes through them. `paused` is not the specification's, which allows more.
package enum ContainerStatus: String, SpecWord {
    case creating, created, running, paused, stopped

    package static let noun: StaticString = "status"
}

extension State: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            ociVersion: try object.required("ociVersion"),
            id: try object.required("id"),
            pid: try object.optional("pid") { (json) throws(SpecError) in
                let pid = try Int(json: json)
                guard pid >= 0 else { throw json.outOfRange("at least 0") }
                return pid
            } ?? 0,
            status: try object.required("status"),
            bundle: try object.required("bundle"),
            rootfs: try object.optional("rootfs"),
            created: try object.optional("created"),
            annotations: try object.strings("annotations"),
            owner: try object.optional("owner"))
    }
}

extension State: JSONEncodable {
    /// What `state` and `list` print.
    package var json: JSON {
        .members {
            $0.add("ociVersion", ociVersion)
            $0.add("id", id)
            $0.add("pid", pid)
            $0.add("status", status.rawValue)
            $0.add("bundle", bundle)
            $0.add("rootfs", rootfs)
            $0.add("created", created)
            $0.add("annotations", annotations)
            $0.add("owner", owner)
        }
    }

    /// What hooks get on their standard input: the spec's properties only.
    package var hookJSON: JSON {
        .members {
            $0.add("ociVersion", ociVersion)
            $0.add("id", id)
            $0.add("status", status.rawValue)
            $0.add("pid", pid)
            $0.add("bundle", bundle)
            $0.add("annotations", annotations)
        }
    }

    /// What the seccomp listener gets (config-linux.md, The Container Process State).
    ///
    /// - Parameters:
    ///   - descriptors: the names of the descriptors sent along, in their order.
    ///   - process: the process with the filter, as the runtime sees it.
    ///   - metadata: `linux.seccomp.listenerMetadata`.
    package func processStateJSON(descriptors: [String], process: Int, metadata: String?) -> JSON {
        .members {
            $0.add("ociVersion", ociVersion)
            $0.add("fds", .strings(descriptors))
            $0.add("pid", process)
            $0.add("metadata", metadata)
            $0.add("state", hookJSON)
        }
    }
}
