internal import CLinux
internal import Glibc

/// A device of a network namespace.
package struct NetworkDevice: Equatable, Sendable {
    package let index: Int32
    package let name: String
    package let isUp: Bool
}

/// An address of a device, with all that the kernel keeps of it but its lifetime.
package struct InterfaceAddress: Equatable, Sendable {
    let family: UInt8
    let prefixLength: UInt8
    let scope: UInt8
    let index: UInt32
    /// IFA_F_*
    let flags: UInt32
    /// IFA_*: value
    let attributes: [Int: [UInt8]]

    /// Whether it was configured for good, and is valid beyond the host.
    package var isPermanentAndGlobal: Bool {
        flags & UInt32(IFA_F_PERMANENT) != 0 && scope == UInt8(RT_SCOPE_UNIVERSE.rawValue)
    }
}

/// A connection to the kernel's devices and addresses, rtnetlink(7). It belongs to the network namespace in which it was
/// opened, wherever the process that uses it is.
package struct RouteSocket: ~Copyable {
    private let socket: MessageSocket

    /// Of this process's network namespace.
    package init() throws(SystemError) {
        socket = MessageSocket(FileDescriptor(owning: try check(cl_route_socket(), "socket", "netlink")))
    }

    private init(_ descriptor: consuming FileDescriptor) { socket = MessageSocket(descriptor) }

    /// Of another one. This process does not go there, for it has more to do where it is: a child goes, opens the socket
    /// and passes it back.
    package static func open(inNamespace namespace: Int32) throws(SystemError) -> RouteSocket {
        let (ours, theirs) = try MessageSocket.pair()
        let parent = MessageSocket(FileDescriptor(owning: ours))
        let child = MessageSocket(FileDescriptor(owning: theirs))
        switch try clone() {
        case .child:
            do throws(SystemError) {
                try enterNamespace(namespace, .network)
                let socket = try RouteSocket()
                try child.send([0], passing: socket.socket.descriptor.rawValue)
                exitNow(0)
            } catch {
                exitNow(error.errno.code)
            }
        case .parent(let process):
            let end = try waitForEnd(of: process.pid)
            guard end == .exited(0), let descriptor = try parent.receiveDescriptor() else {
                if case .exited(let code) = end { throw SystemError("setns", "network namespace", Errno(code)) }
                throw SystemError("setns", "network namespace", .noSuchProcess)
            }
            return RouteSocket(descriptor)
        }
    }

    // MARK: Devices

    /// nil when there is none of this name.
    package borrowing func device(named name: String) throws(SystemError) -> NetworkDevice? {
        var message = RouteMessage(RTM_GETLINK, flags: 0, ifinfomsg())
        message.add(Int(IFLA_IFNAME), name)
        return try device(message, name)
    }

    package borrowing func device(index: Int32) throws(SystemError) -> NetworkDevice? {
        var record = ifinfomsg()
        record.ifi_index = index
        return try device(RouteMessage(RTM_GETLINK, flags: 0, record), "\(index)")
    }

    private borrowing func device(_ message: RouteMessage, _ subject: String) throws(SystemError) -> NetworkDevice? {
        let answers: [RouteAnswer]
        do throws(SystemError) {
            answers = try ask(message, "RTM_GETLINK", subject)
        } catch {
            if error.errno == .noDevice { return nil }
            throw error
        }
        for answer in answers where answer.type == Int(RTM_NEWLINK) {
            guard let record = answer.payload.record(ifinfomsg.self) else { continue }
            let name = answer.attributes(after: MemoryLayout<ifinfomsg>.size)
                .first { $0.type == Int(IFLA_IFNAME) }?.value.text
            return NetworkDevice(
                index: record.ifi_index, name: name ?? subject, isUp: record.ifi_flags & CL_IFF_UP != 0)
        }
        return nil
    }

    /// Moves a device into the network namespace `namespace` and names it there. The kernel takes its addresses away.
    package borrowing func move(
        _ device: NetworkDevice, toNamespace namespace: Int32, name: String
    ) throws(SystemError) {
        try change(device, "to another namespace") { message in
            message.add(Int(IFLA_NET_NS_FD), UInt32(bitPattern: namespace))
            message.add(Int(IFLA_IFNAME), name)
        }
    }

    /// Renames a device that is down; a `%d` in the name becomes the first free number.
    package borrowing func rename(_ device: NetworkDevice, to name: String) throws(SystemError) {
        try change(device, "to \(name)") { $0.add(Int(IFLA_IFNAME), name) }
    }

    package borrowing func bringUp(_ device: NetworkDevice) throws(SystemError) {
        try change(device, "up", flags: CL_IFF_UP) { _ in }
    }

    private borrowing func change(
        _ device: NetworkDevice, _ what: String, flags: UInt32 = 0, _ fill: (inout RouteMessage) -> Void
    ) throws(SystemError) {
        var record = ifinfomsg()
        record.ifi_index = device.index
        record.ifi_flags = flags
        record.ifi_change = flags
        var message = RouteMessage(RTM_NEWLINK, flags: NLM_F_ACK, record)
        fill(&message)
        _ = try ask(message, "RTM_NEWLINK", "\(device.name) \(what)")
    }

    // MARK: Addresses

    /// All addresses of a device, in the kernel's order.
    package borrowing func addresses(of device: NetworkDevice) throws(SystemError) -> [InterfaceAddress] {
        let answers = try ask(
            RouteMessage(RTM_GETADDR, flags: NLM_F_DUMP, ifaddrmsg()), "RTM_GETADDR", device.name, isList: true)
        return answers.compactMap { answer in
            guard answer.type == Int(RTM_NEWADDR), let record = answer.payload.record(ifaddrmsg.self),
                record.ifa_index == UInt32(bitPattern: device.index)
            else { return nil }
            let attributes = answer.attributes(after: MemoryLayout<ifaddrmsg>.size)
            // The record has room for the first eight flags only.
            let flags = attributes.first { $0.type == Int(IFA_FLAGS) }?.value.record(UInt32.self)
            return InterfaceAddress(
                family: record.ifa_family, prefixLength: record.ifa_prefixlen, scope: record.ifa_scope,
                index: record.ifa_index, flags: flags ?? UInt32(record.ifa_flags),
                attributes: Dictionary(attributes.map { ($0.type, Array($0.value)) }) { first, _ in first })
        }
    }

    /// Gives an address that another device had, or this one under another name, to `device`.
    package borrowing func add(
        _ address: InterfaceAddress, to device: NetworkDevice, oldName: String
    ) throws(SystemError) {
        var record = ifaddrmsg()
        record.ifa_family = address.family
        record.ifa_prefixlen = address.prefixLength
        record.ifa_scope = address.scope
        record.ifa_index = UInt32(bitPattern: device.index)
        var message = RouteMessage(RTM_NEWADDR, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, record)
        for type in [IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST, IFA_RT_PRIORITY, IFA_PROTO] {
            if let value = address.attributes[Int(type)] { message.add(Int(type), value) }
        }
        // What was asked for; the other flags say what became of it.
        message.add(Int(IFA_FLAGS), address.flags & Self.configuredFlags)
        if let label = address.attributes[Int(IFA_LABEL)]?[...].text, label.hasPrefix(oldName + ":") {
            message.add(Int(IFA_LABEL), String((device.name + label.dropFirst(oldName.count)).prefix(15)))
        }
        _ = try ask(message, "RTM_NEWADDR", device.name)
    }

    private static let configuredFlags = UInt32(
        IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

    // MARK: Conversation

    /// Sends one message and collects the answer: one message, an acknowledgement, or a list with an end.
    ///
    /// - Parameter isList: whether a list was asked for (NLM_F_DUMP)
    borrowing func ask(
        _ message: RouteMessage, _ call: String, _ subject: String, isList: Bool = false
    ) throws(SystemError) -> [RouteAnswer] {
        try socket.send(message.bytes)
        var collected: [RouteAnswer] = []
        while true {
            let answers = RouteAnswer.parse(try socket.receive(limit: 64 * 1024))
            guard !answers.isEmpty else { throw SystemError(call, subject, .invalid) }
            for answer in answers {
                switch Int32(answer.type) {
                case NLMSG_ERROR:
                    let code = answer.payload.record(Int32.self) ?? 0
                    if code < 0 { throw SystemError(call, subject, Errno(-code)) }
                    return collected
                case NLMSG_DONE: return collected
                default: collected.append(answer)
                }
            }
            // A single object comes without an end.
            if !isList { return collected }
        }
    }
}
