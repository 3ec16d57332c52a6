package import LinuxSystem
package import RuntimeSpec

/// What swrun remembers of a container between two commands: the content of `state.json` in the state directory.
package struct ContainerRecord: Equatable, Sendable {
    package var id: String
    package var bundle: String
    /// The absolute path of the root filesystem on the host.
    package var rootfs: String
    /// When the container was created, RFC 3339.
    package var created: String
    /// The user who created it.
    package var ownerID: UInt32
    /// Init's process id on the host; 0 while the container is being created.
    package var pid: Int32 = 0
    /// Field 22 of /proc/PID/stat: together with the pid it names a process for good (proc(5)).
    package var processStartTime: UInt64 = 0
    package var annotations: [KeyValue] = []
    package var cgroup: ContainerCgroup
    /// Of a container with `linux.intelRdt`.
    package var resourceControl: ResourceControlGroup?
    /// Which hooks `start` and `delete` must read config.json for.
    package var hasPoststartHooks = false
    package var hasPoststopHooks = false
    package var hasProcess = true
    /// Whether its processes have session keyrings of their own, and not that of whoever started them.
    package var hasOwnKeyring = true
    /// Of a container that does not outlive the process which made it: that process.
    package var caller: ProcessMark?

    package init(
        id: String, bundle: String, rootfs: String, created: String, ownerID: UInt32, cgroup: ContainerCgroup
    ) {
        self.id = id
        self.bundle = bundle
        self.rootfs = rootfs
        self.created = created
        self.ownerID = ownerID
        self.cgroup = cgroup
    }
}

extension StateDirectory {
    /// - Parameter first: nobody can be reading yet
    borrowing func writeRecord(_ record: ContainerRecord, first: Bool = false) throws(RuntimeError) {
        try write(Self.recordName, record.json.bytes(), replacing: !first)
    }

    /// The first half of `writeRecord`, done before it is known whether the container becomes one: `publishRecord` then
    /// takes no time.
    borrowing func prepareRecord(_ record: ContainerRecord) throws(RuntimeError) {
        try prepare(Self.recordName, record.json.bytes())
    }

    borrowing func publishRecord() throws(RuntimeError) { try publish(Self.recordName) }

    package borrowing func readRecord() throws(RuntimeError) -> ContainerRecord {
        guard let bytes = try readIfPresent(Self.recordName) else { throw .noContainer }
        // Of a create that was killed while it wrote its first record there is nothing else.
        guard bytes.last == UInt8(ascii: "}") else { throw .noContainer }
        do throws(SpecError) {
            return try ContainerRecord.decode(bytes)
        } catch {
            throw RuntimeError(
                "\(path)/\(Self.recordName): \(error)", hint: "remove the container with delete --force \(id.text)")
        }
    }

    /// The container's config.json as it was at create.
    package borrowing func readConfig() throws(RuntimeError) -> Config {
        let bytes = try read(Self.configName, limit: Config.maximumDocumentSize)
        do throws(SpecError) {
            return try Config.decode(bytes)
        } catch {
            throw RuntimeError("\(path)/\(Self.configName): \(error)")
        }
    }

    /// The status follows from the facts, so that it is right after a crash as well: the process, and the fifo that
    /// `start` removes.
    ///
    /// - Parameter isAlive: whether its process is; nil when that has to be found out
    package borrowing func status(of record: ContainerRecord, isAlive: Bool? = nil) -> ContainerStatus {
        if record.pid == 0 { return .creating }
        guard isAlive ?? (LinuxSystem.processStartTime(record.pid) == record.processStartTime) else { return .stopped }
        if record.cgroup.isFrozen { return .paused }
        return exists(ExecFIFO.name) ? .created : .running
    }

    /// The state as `state`, `list` and hooks show it.
    package borrowing func state(of record: ContainerRecord) -> State {
        let status = status(of: record)
        return record.state(status)
    }

    /// Whether a create ended without having made a container.
    borrowing func isLeftover() throws(RuntimeError) -> Bool {
        do throws(RuntimeError) { return try readRecord().pid == 0 } catch {
            if error == .noContainer { return true }
            throw error
        }
    }
}

extension ContainerRecord {
    /// Init, if it lives. The descriptor is opened before the process is checked: it cannot come to mean another one.
    func openProcess() -> FileDescriptor? {
        guard pid > 0, let process = try? FileDescriptor.process(pid),
            LinuxSystem.processStartTime(pid) == processStartTime
        else { return nil }
        return process
    }

    package func state(_ status: ContainerStatus) -> State {
        State(
            id: id, pid: status == .stopped ? 0 : Int(pid), status: status, bundle: bundle, rootfs: rootfs,
            created: created, annotations: annotations, owner: userName(ownerID))
    }
}

extension ContainerRecord: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("id", id)
            $0.add("bundle", bundle)
            $0.add("rootfs", rootfs)
            $0.add("created", created)
            $0.add("ownerID", Int(ownerID))
            $0.add("pid", Int(pid))
            $0.add("processStartTime", .uint(processStartTime))
            $0.add("annotations", annotations)
            $0.add("cgroup", cgroup.json)
            $0.add("resourceControl", resourceControl)
            $0.add("hasPoststartHooks", hasPoststartHooks)
            $0.add("hasPoststopHooks", hasPoststopHooks)
            $0.add("hasProcess", hasProcess)
            $0.add("hasOwnKeyring", hasOwnKeyring)
            $0.add("caller", caller)
        }
    }
}

extension ContainerRecord: JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            id: try object.required("id"), bundle: try object.required("bundle"), rootfs: try object.required("rootfs"),
            created: try object.required("created"), ownerID: try object.required("ownerID"),
            cgroup: try object.required("cgroup"))
        pid = try object.required("pid")
        processStartTime = try object.required("processStartTime")
        annotations = try object.strings("annotations")
        resourceControl = try object.optional("resourceControl")
        hasPoststartHooks = try object.flag("hasPoststartHooks")
        hasPoststopHooks = try object.flag("hasPoststopHooks")
        hasProcess = try object.flag("hasProcess")
        hasOwnKeyring = try object.flag("hasOwnKeyring")
        caller = try object.optional("caller")
    }
}
