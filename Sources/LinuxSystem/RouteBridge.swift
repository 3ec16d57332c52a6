internal import CLinux
internal import Glibc

// What a container on a bridge needs: links made, found by their alias, and removed; IPv4 addresses and a route.

/// An IPv4 address with the length of its network's prefix.
package struct IPv4Network: Equatable, Sendable {
    /// In the order of the host.
    package let address: UInt32
    package let prefixLength: UInt8

    package init(address: UInt32, prefixLength: UInt8) {
        self.address = address
        self.prefixLength = prefixLength
    }

    /// "10.89.0.2/24"; nil for everything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let bytes = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, bytes.count == 4, let length = UInt8(parts[1]), (1...30).contains(length) else {
            return nil
        }
        var address: UInt32 = 0
        for byte in bytes {
            guard let number = UInt8(byte) else { return nil }
            address = address << 8 | UInt32(number)
        }
        self.init(address: address, prefixLength: length)
    }

    package var text: String {
        "\(address >> 24).\(address >> 16 & 255).\(address >> 8 & 255).\(address & 255)/\(prefixLength)"
    }

    private var mask: UInt32 { ~0 << UInt32(32 - prefixLength) }
    package var first: UInt32 { address & mask }
    package var last: UInt32 { address | ~mask }

    package func contains(_ other: UInt32) -> Bool { other & mask == first }
    package func overlaps(_ other: IPv4Network) -> Bool { contains(other.first) || other.contains(first) }

    fileprivate var bytes: [UInt8] { ipv4Bytes(address) }
}

private func ipv4Bytes(_ address: UInt32) -> [UInt8] { withUnsafeBytes(of: address.bigEndian) { Array($0) } }

/// A device as a list of them shows it.
package struct NetworkLink: Equatable, Sendable {
    package let index: Int32
    package let name: String
    /// The bridge that it is a port of; 0 when it is none.
    package let master: Int32
    /// Free text that whoever made it left; empty without.
    package let alias: String
}

extension RouteSocket {
    /// Every device of the namespace.
    package borrowing func links() throws(SystemError) -> [NetworkLink] {
        let answers = try ask(
            RouteMessage(RTM_GETLINK, flags: NLM_F_DUMP, ifinfomsg()), "RTM_GETLINK", "", isList: true)
        return answers.compactMap { answer in
            guard answer.type == Int(RTM_NEWLINK), let record = answer.payload.record(ifinfomsg.self) else {
                return nil
            }
            var (name, alias, master) = ("", "", Int32(0))
            for attribute in answer.attributes(after: MemoryLayout<ifinfomsg>.size) {
                switch attribute.type {
                case Int(IFLA_IFNAME): name = attribute.value.text
                case Int(IFLA_IFALIAS): alias = attribute.value.text
                case Int(IFLA_MASTER): master = attribute.value.record(Int32.self) ?? 0
                default: break
                }
            }
            return NetworkLink(index: record.ifi_index, name: name, master: master, alias: alias)
        }
    }

    /// The IPv4 addresses of the namespace, with the devices that have them.
    package borrowing func ipv4Networks() throws(SystemError) -> [(device: Int32, network: IPv4Network)] {
        var record = ifaddrmsg()
        record.ifa_family = UInt8(AF_INET)
        let answers = try ask(
            RouteMessage(RTM_GETADDR, flags: NLM_F_DUMP, record), "RTM_GETADDR", "", isList: true)
        return answers.compactMap { answer in
            guard answer.type == Int(RTM_NEWADDR), let record = answer.payload.record(ifaddrmsg.self),
                record.ifa_family == UInt8(AF_INET)
            else { return nil }
            let local = answer.attributes(after: MemoryLayout<ifaddrmsg>.size).first { $0.type == Int(IFA_LOCAL) }
            guard let address = local?.value.record(UInt32.self) else { return nil }
            return (
                Int32(bitPattern: record.ifa_index),
                IPv4Network(address: UInt32(bigEndian: address), prefixLength: record.ifa_prefixlen)
            )
        }
    }

    /// A new bridge that is up.
    package borrowing func makeBridge(_ name: String, alias: String) throws(SystemError) {
        var message = newLink(name)
        message.add(Int(IFLA_LINKINFO), RouteMessage.attribute(Int(IFLA_INFO_KIND), Array("bridge".utf8)))
        _ = try ask(message, "RTM_NEWLINK", "bridge \(name)")
        try setAlias(of: name, alias)
    }

    /// The kernel takes no alias together with what makes a device.
    private borrowing func setAlias(of name: String, _ alias: String) throws(SystemError) {
        var message = RouteMessage(RTM_NEWLINK, flags: NLM_F_ACK, ifinfomsg())
        message.add(Int(IFLA_IFNAME), name)
        message.add(Int(IFLA_IFALIAS), alias)
        _ = try ask(message, "RTM_NEWLINK", "alias of \(name)")
    }

    /// A new pair of devices: `name` here, up and a port of `bridge`, and `peer` in the network namespace `namespace`.
    /// EEXIST when the name is taken.
    package borrowing func makePair(
        _ name: String, alias: String, bridge: Int32, peer: String, inNamespace namespace: Int32
    ) throws(SystemError) {
        var message = newLink(name)
        message.add(Int(IFLA_MASTER), UInt32(bitPattern: bridge))
        let far =
            withUnsafeBytes(of: ifinfomsg()) { Array($0) }
            + RouteMessage.attribute(Int(IFLA_IFNAME), Array(peer.utf8) + [0])
            + RouteMessage.attribute(Int(IFLA_NET_NS_FD), withUnsafeBytes(of: namespace) { Array($0) })
        let data = RouteMessage.attribute(Int(VETH_INFO_PEER), far)
        message.add(
            Int(IFLA_LINKINFO),
            RouteMessage.attribute(Int(IFLA_INFO_KIND), Array("veth".utf8))
                + RouteMessage.attribute(Int(IFLA_INFO_DATA), data))
        _ = try ask(message, "RTM_NEWLINK", "veth \(name)")
        try setAlias(of: name, alias)
    }

    private borrowing func newLink(_ name: String) -> RouteMessage {
        var record = ifinfomsg()
        record.ifi_flags = CL_IFF_UP
        record.ifi_change = CL_IFF_UP
        var message = RouteMessage(RTM_NEWLINK, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, record)
        message.add(Int(IFLA_IFNAME), name)
        return message
    }

    /// One that is gone already is no error.
    package borrowing func removeLink(_ index: Int32) throws(SystemError) {
        var record = ifinfomsg()
        record.ifi_index = index
        do throws(SystemError) {
            _ = try ask(RouteMessage(RTM_DELLINK, flags: NLM_F_ACK, record), "RTM_DELLINK", "\(index)")
        } catch {
            guard error.errno == .noDevice else { throw error }
        }
    }

    package borrowing func add(_ network: IPv4Network, to device: Int32) throws(SystemError) {
        var record = ifaddrmsg()
        record.ifa_family = UInt8(AF_INET)
        record.ifa_prefixlen = network.prefixLength
        record.ifa_index = UInt32(bitPattern: device)
        var message = RouteMessage(RTM_NEWADDR, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, record)
        message.add(Int(IFA_LOCAL), network.bytes)
        message.add(Int(IFA_ADDRESS), network.bytes)
        message.add(Int(IFA_BROADCAST), ipv4Bytes(network.last))
        _ = try ask(message, "RTM_NEWADDR", network.text)
    }

    /// Everything that no other route is for goes to `gateway`.
    package borrowing func addDefaultRoute(gateway: UInt32) throws(SystemError) {
        var record = rtmsg()
        record.rtm_family = UInt8(AF_INET)
        record.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
        record.rtm_protocol = UInt8(RTPROT_STATIC)
        record.rtm_scope = UInt8(RT_SCOPE_UNIVERSE.rawValue)
        record.rtm_type = UInt8(RTN_UNICAST)
        var message = RouteMessage(RTM_NEWROUTE, flags: NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, record)
        message.add(Int(RTA_GATEWAY.rawValue), ipv4Bytes(gateway))
        _ = try ask(message, "RTM_NEWROUTE", "default")
    }
}
