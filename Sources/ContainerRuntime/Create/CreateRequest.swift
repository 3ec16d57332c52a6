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
    /// What to do about the system calls of a container in the foreground, beside obeying its filter.
    package var seccompWatch: SeccompWatch?
    /// `run`: the container is started by the process that creates it.
    package var startsAtOnce = false
    /// `launch`: the container does not outlive the process that creates it, however that ends.
    package var endsWithCaller = false

    package init(id: ContainerID, bundle: String, stateRoot: StateRoot) {
        self.id = id
        self.bundle = bundle
        self.stateRoot = stateRoot
    }

    var inherited: InheritedDescriptors { InheritedDescriptors(preserved: preservedDescriptors) }

    var seccompCache: SeccompCache { stateRoot.seccompCache }
}
