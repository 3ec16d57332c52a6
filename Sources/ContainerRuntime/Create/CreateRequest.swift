internal import LinuxSystem
package import RuntimeSpec

/// What `create` and `run` are asked for.
package struct CreateRequest: Sendable {
    package var id: ContainerID
    /// The bundle's directory, as the user wrote it.
    package var bundle: String
    /// Another config.json than the bundle's.
    package var configFile: String?
    /// The configuration itself, of a container that has no bundle: then the state directory, which gets a copy of it,
    /// stands for the bundle, and `bundle` and `configFile` are not looked at.
    package var configuration: Config?
    package var stateRoot: StateRoot
    package var rootless = false
    package var cgroupDriver = CgroupDriver.cgroupfs
    package var consoleSocket: String?
    package var pidFile: String?
    package var pidfdSocket: String?
    package var noPivot = false
    package var newKeyring = true
    package var preservedDescriptors: Int32 = 0
    /// Whether this command returns once the container is made (`create`, `run --detach`).
    package var detached = true
    /// `run`: the container is started by the process that creates it.
    package var startsAtOnce = false

    package init(id: ContainerID, bundle: String, stateRoot: StateRoot) {
        self.id = id
        self.bundle = bundle
        self.stateRoot = stateRoot
    }

    /// The number of sockets that a service manager passes along, sd_listen_fds(3).
    var listenDescriptors: Int32 {
        guard let text = environmentVariable("LISTEN_FDS"), let count = Int32(text), count > 0, count < 1024 else {
            return 0
        }
        if let pid = environmentVariable("LISTEN_PID"), pid != "\(currentProcessID())" { return 0 }
        return count
    }

    /// The descriptors that the program inherits must exist now, before others get their numbers.
    func checkPreservedDescriptors() throws(RuntimeError) {
        let count = preservedDescriptors + listenDescriptors
        for number in 3..<(3 + max(0, count)) where !isDescriptorOpen(number) {
            throw RuntimeError("--preserve-fds: file descriptor \(number) is not open")
        }
    }
}
