internal import LinuxSystem
internal import RuntimeSpec

/// A container's connection to a bridge of the host: a pair of devices, an address, a default route. The specification
/// leaves networks to engines; who has none asks for it by an annotation:
///
///     "org.swrun.bridge": "NAME" or "NAME:ADDRESS/PREFIX"
///
/// A bridge that does not exist is made, with the first address of a free network 10.89.N.0/24, and removed after its last
/// container. Nothing is kept of who has which address: the device of the host is named after the container's address,
/// so that the kernel gives each away once, and takes it back when the container's network namespace ends.
package struct BridgeNetwork: Equatable, Sendable {
    package static let annotation = "org.swrun.bridge"

    let bridge: String
    /// nil: the first that is free.
    let address: IPv4Network?

    static let configPath = "annotations[\"\(annotation)\"]"

    /// nil when the annotations do not ask for one.
    init?(annotations: [KeyValue]) throws(RuntimeError) {
        guard let text = annotations[Self.annotation] else { return nil }
        guard let network = BridgeNetwork(text) else {
            throw RuntimeError(
                at: Self.configPath, "\"\(text)\" is not NAME or NAME:ADDRESS/PREFIX",
                hint: "a device's name has 1 to 15 bytes; an address is such as 10.89.0.7/24")
        }
        self = network
    }

    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard (1...15).contains(name.utf8.count), !name.contains("/"), !name.contains(" "), name != ".", name != "..",
            !name.contains("%")
        else { return nil }
        bridge = name
        if parts.count == 2 {
            guard let given = IPv4Network(String(parts[1])) else { return nil }
            address = given
        } else {
            address = nil
        }
    }

    /// Refuses what cannot be connected, before anything is made.
    func check(_ namespaces: NamespacePlan, isRootless: Bool) throws(RuntimeError) {
        guard namespaces.atBirth.contains(.network) else {
            throw RuntimeError(
                at: Self.configPath, "the container has no new network namespace that could be connected",
                hint: "add {\"type\": \"network\"} to linux.namespaces")
        }
        guard !isRootless else {
            throw RuntimeError(
                at: Self.configPath, "only root may add devices to the network of the host",
                hint: "ordinary users have networks in user space, such as those of slirp4netns and pasta")
        }
    }

    /// What the devices of the host say of themselves.
    private static let bridgeAlias = "made by swrun, which removes it after its last container"
    private static func alias(of container: String) -> String { "swrun " + container.suffix(200) }

    /// Connects the network namespace of process `pid`.
    ///
    /// - Parameter container: a name that no other container of this host has
    func connect(pid: Int32, container: String) throws(RuntimeError) {
        do throws(SystemError) {
            let namespace = try FileDescriptor.open("/proc/\(pid)/ns/net", .readOnly)
            let host = try RouteSocket()
            var attempts = 0
            while true {
                do throws(SystemError) {
                    try connect(host, namespace, Self.alias(of: container))
                    return
                } catch {
                    // Somebody's last container took the bridge away in between.
                    attempts += 1
                    guard error.errno == .noDevice, attempts < 5 else { throw error }
                }
            }
        } catch {
            throw RuntimeError(
                at: Self.configPath, "cannot connect the container to the bridge \(bridge)", error, hint: hint(error))
        }
    }

    private func hint(_ error: SystemError) -> String? {
        switch error.errno {
        case .notPermitted: "only root may add devices to the network of the host"
        case .notSupported: "the kernel lacks bridges (CONFIG_BRIDGE) or pairs of devices (CONFIG_VETH)"
        case .exists where error.call == "address": "another container has this address"
        case .noSpace: "every address of the bridge's network is taken: give another bridge"
        default: nil
        }
    }

    private func connect(
        _ host: borrowing RouteSocket, _ namespace: borrowing FileDescriptor, _ alias: String
    ) throws(SystemError) {
        let (index, own) = try openBridge(host)
        let network = try makePair(host, namespace, bridge: index, own, alias)
        let inside = try RouteSocket.open(inNamespace: namespace.rawValue)
        guard let device = try inside.device(named: "eth0") else { throw SystemError("RTM_GETLINK", "eth0", .noDevice) }
        try inside.add(network, to: device.index)
        try inside.bringUp(device)
        try inside.addDefaultRoute(gateway: own.address)
    }

    /// The bridge's index and its own address, which is the gateway.
    private func openBridge(_ host: borrowing RouteSocket) throws(SystemError) -> (index: Int32, own: IPv4Network) {
        if let device = try host.device(named: bridge) {
            if let own = try host.ipv4Networks().first(where: { $0.device == device.index })?.network {
                return (device.index, own)
            }
            return (device.index, try giveAddress(host, to: device.index))
        }
        do throws(SystemError) { try host.makeBridge(bridge, alias: Self.bridgeAlias) } catch {
            guard error.errno == .exists else { throw error }
        }
        guard let device = try host.device(named: bridge) else { throw SystemError("RTM_GETLINK", bridge, .noDevice) }
        do throws(SystemError) {
            return (device.index, try giveAddress(host, to: device.index))
        } catch {
            try? host.removeLink(device.index)
            throw error
        }
    }

    /// The first address of a network that the host does not have, or of that of the address that was asked for.
    private func giveAddress(_ host: borrowing RouteSocket, to device: Int32) throws(SystemError) -> IPv4Network {
        if let address {
            let own = IPv4Network(
                address: address.first + (address.first + 1 == address.address ? 2 : 1),
                prefixLength: address.prefixLength)
            try host.add(own, to: device)
            return own
        }
        let taken = try host.ipv4Networks().map(\.network)
        for third in UInt32(0)..<256 {
            let own = IPv4Network(address: 10 << 24 | 89 << 16 | third << 8 | 1, prefixLength: 24)
            if taken.contains(where: { $0.overlaps(own) }) { continue }
            try host.add(own, to: device)
            return own
        }
        throw SystemError("network", "10.89.0.0/16", .noSpace)
    }

    /// The pair of devices, and with it the address.
    private func makePair(
        _ host: borrowing RouteSocket, _ namespace: borrowing FileDescriptor, bridge: Int32, _ own: IPv4Network,
        _ alias: String
    ) throws(SystemError) -> IPv4Network {
        func name(_ address: UInt32) -> String { "swr" + String(address, radix: 16) }
        if let address {
            guard own.contains(address.address), own.address != address.address else {
                throw SystemError("address", "\(address.text) does not fit to \(own.text) of the bridge", .invalid)
            }
            do throws(SystemError) {
                try host.makePair(
                    name(address.address), alias: alias, bridge: bridge, peer: "eth0", inNamespace: namespace.rawValue)
            } catch {
                throw error.errno == .exists ? SystemError("address", address.text, .exists) : error
            }
            return IPv4Network(address: address.address, prefixLength: own.prefixLength)
        }
        for candidate in own.first + 1..<own.last where candidate != own.address {
            do throws(SystemError) {
                try host.makePair(
                    name(candidate), alias: alias, bridge: bridge, peer: "eth0", inNamespace: namespace.rawValue)
                return IPv4Network(address: candidate, prefixLength: own.prefixLength)
            } catch {
                guard error.errno == .exists else { throw error }
            }
        }
        throw SystemError("address", own.text, .noSpace)
    }

    /// Removes the container's devices, and a bridge of swrun's own that has no container any more. What cannot be removed
    /// goes with the container's network namespace.
    func disconnect(container: String) {
        guard let host = try? RouteSocket(), let links = try? host.links() else { return }
        let alias = Self.alias(of: container)
        var ports = 0
        guard let bridge = links.first(where: { $0.name == bridge }) else { return }
        for link in links where link.master == bridge.index {
            if link.alias == alias { try? host.removeLink(link.index) } else { ports += 1 }
        }
        if ports == 0, bridge.alias == Self.bridgeAlias { try? host.removeLink(bridge.index) }
    }
}

extension ContainerRecord {
    /// Where the container's state is: no other container of the host has the same.
    func place(in root: StateRoot) -> String { "\(root.path)/\(id)" }
}
