internal import LinuxSystem
internal import RuntimeSpec

/// Moves network devices of the host into the container's network namespace (config-linux.md, Network Devices).
///
/// A device is moved under a name of the runtime's own and then renamed inside: what the kernel says to the renaming is
/// about the container's name alone, and a template ("eth%d") is filled in by it. Everything is said over two sockets, one
/// of each namespace; the process itself stays on the host.
struct NetworkDevices: ~Copyable {
    private let host: RouteSocket
    private let inside: RouteSocket
    private let namespace: FileDescriptor
    private var moved: [Moved] = []

    /// A device that is inside, as it was on the host.
    private struct Moved {
        let original: NetworkDevice
        let addresses: [InterfaceAddress]
        let index: Int32
    }

    private init(_ host: consuming RouteSocket, _ inside: consuming RouteSocket, _ namespace: consuming FileDescriptor)
    {
        self.host = host
        self.inside = inside
        self.namespace = namespace
    }

    /// - Parameter pid: a process in the network namespace of the container
    static func connect(toNamespaceOf pid: Int32) throws(RuntimeError) -> NetworkDevices {
        try explain("cannot reach the container's network namespace", at: "linux.netDevices") {
            () throws(SystemError) in
            let namespace = try FileDescriptor.open("/proc/\(pid)/ns/net", .readOnly)
            let inside = try RouteSocket.open(inNamespace: namespace.rawValue)
            return NetworkDevices(try RouteSocket(), inside, namespace)
        }
    }

    /// Moves all of `devices`; when one cannot be moved, those before it go back.
    mutating func move(_ devices: [NetDevice]) throws(RuntimeError) {
        var found: [(plan: NetDevice, device: NetworkDevice)] = []
        for (index, device) in devices.enumerated() {
            found.append((device, try find(device)))
            try checkName(of: device, earlier: devices[..<index])
        }
        do throws(RuntimeError) {
            for (position, entry) in found.enumerated() {
                try move(entry.plan, entry.device, passingName: "swrun\(currentProcessID())n\(position)")
            }
        } catch {
            moveBack()
            throw error
        }
    }

    private borrowing func find(_ plan: NetDevice) throws(RuntimeError) -> NetworkDevice {
        let device = try explain("cannot look for the network device", at: Self.path(plan)) { () throws(SystemError) in
            try host.device(named: plan.hostName)
        }
        if let device { return device }
        throw RuntimeError(
            at: Self.path(plan), "the host has no network device \(plan.hostName)",
            hint: "it must be in the network namespace that the runtime is started in (ip link)")
    }

    private borrowing func checkName(
        of plan: NetDevice, earlier: ArraySlice<NetDevice>
    ) throws(RuntimeError) {
        let name = plan.name ?? plan.hostName
        guard !name.hasSuffix("%d") else { return }
        let present = try explain("cannot look for \(name) in the container", at: Self.path(plan)) {
            () throws(SystemError) in try inside.device(named: name)
        }
        if present != nil || earlier.contains(where: { ($0.name ?? $0.hostName) == name }) {
            throw RuntimeError(
                at: Self.path(plan), "the container's network namespace already has a device named \(name)",
                hint: "choose another name, or a template such as \"eth%d\"")
        }
    }

    private mutating func move(
        _ plan: NetDevice, _ device: NetworkDevice, passingName: String
    ) throws(RuntimeError) {
        let name = plan.name ?? plan.hostName
        do throws(SystemError) {
            let addresses = try host.addresses(of: device).filter(\.isPermanentAndGlobal)
            try host.move(device, toNamespace: namespace.rawValue, name: passingName)
            guard let arrived = try inside.device(named: passingName) else {
                throw SystemError("RTM_GETLINK", passingName, .noDevice)
            }
            moved.append(Moved(original: device, addresses: addresses, index: arrived.index))
            try inside.rename(arrived, to: name)
            guard let named = try inside.device(index: arrived.index) else {
                throw SystemError("RTM_GETLINK", name, .noDevice)
            }
            for address in addresses { try inside.add(address, to: named, oldName: device.name) }
            try inside.bringUp(named)
        } catch {
            throw RuntimeError(
                at: Self.path(plan), "cannot move \(plan.hostName) into the container as \(name)", error,
                hint: error.errno == .invalid ? "some devices, such as lo, cannot leave their namespace" : nil)
        }
    }

    /// Undoes what was moved, as far as the devices still exist.
    mutating func moveBack() {
        guard let home = try? FileDescriptor.open("/proc/self/ns/net", .readOnly) else { return }
        while let entry = moved.popLast() {
            do throws(SystemError) {
                guard let device = try inside.device(index: entry.index) else { continue }
                try inside.move(device, toNamespace: home.rawValue, name: entry.original.name)
                guard let back = try host.device(named: entry.original.name) else { continue }
                for address in entry.addresses { try host.add(address, to: back, oldName: device.name) }
                if entry.original.isUp { try host.bringUp(back) }
            } catch {
                // It stays where it is, and goes with the namespace.
                continue
            }
        }
    }

    private static func path(_ plan: NetDevice) -> String { "linux.netDevices[\"\(plan.hostName)\"]" }
}
