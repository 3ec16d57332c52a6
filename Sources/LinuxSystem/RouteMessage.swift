internal import CLinux

/// A message to the kernel's routing socket, rtnetlink(7): a header, a fixed record, and attributes.
struct RouteMessage {
    private(set) var bytes: [UInt8]

    /// - Parameter record: `ifinfomsg`, `ifaddrmsg` or `rtmsg`, whichever belongs to `type`
    init<Record>(_ type: Int, flags: Int32, _ record: Record) {
        var header = nlmsghdr()
        header.nlmsg_type = UInt16(type)
        header.nlmsg_flags = UInt16(flags | NLM_F_REQUEST)
        bytes = withUnsafeBytes(of: header) { Array($0) } + withUnsafeBytes(of: record) { Array($0) }
        seal()
    }

    mutating func add(_ attribute: Int, _ value: some Collection<UInt8>) {
        bytes += Self.attribute(attribute, value)
        seal()
    }

    /// An attribute by itself, for those that hold others.
    static func attribute(_ type: Int, _ value: some Collection<UInt8>) -> [UInt8] {
        // struct rtattr; its length leaves out the padding to four bytes.
        let length = UInt16(4 + value.count)
        var bytes = withUnsafeBytes(of: length) { Array($0) } + withUnsafeBytes(of: UInt16(type)) { Array($0) }
        bytes += value
        bytes += repeatElement(0, count: -bytes.count & 3)
        return bytes
    }

    mutating func add(_ attribute: Int, _ text: String) { add(attribute, Array(text.utf8) + [0]) }

    mutating func add(_ attribute: Int, _ number: UInt32) {
        add(attribute, withUnsafeBytes(of: number) { Array($0) })
    }

    private mutating func seal() {
        let length = UInt32(bytes.count)
        withUnsafeBytes(of: length) { bytes.replaceSubrange(0..<4, with: $0) }
    }
}

/// One message of the kernel's answer.
struct RouteAnswer {
    let type: Int
    /// What follows the header.
    let payload: ArraySlice<UInt8>

    /// Takes apart what one recvmsg(2) brought.
    static func parse(_ bytes: [UInt8]) -> [RouteAnswer] {
        var answers: [RouteAnswer] = []
        var rest = bytes[...]
        while let header = rest.record(nlmsghdr.self), header.nlmsg_len >= 16, header.nlmsg_len <= rest.count {
            let length = Int(header.nlmsg_len)
            answers.append(RouteAnswer(type: Int(header.nlmsg_type), payload: rest.dropFirst(16).prefix(length - 16)))
            rest = rest.dropFirst(min(rest.count, length + (-length & 3)))
        }
        return answers
    }

    /// The attributes behind a record of `size` bytes, in their order; the upper bits of a type are flags.
    func attributes(after size: Int) -> [(type: Int, value: ArraySlice<UInt8>)] {
        var attributes: [(type: Int, value: ArraySlice<UInt8>)] = []
        var rest = payload.dropFirst(size + (-size & 3))
        while let header = rest.record(rtattr.self), header.rta_len >= 4, header.rta_len <= rest.count {
            let length = Int(header.rta_len)
            attributes.append((Int(header.rta_type & 0x3fff), rest.dropFirst(4).prefix(length - 4)))
            rest = rest.dropFirst(min(rest.count, length + (-length & 3)))
        }
        return attributes
    }
}

extension ArraySlice<UInt8> {
    /// The record at the beginning, or nil when there are too few bytes.
    func record<Record: BitwiseCopyable>(_: Record.Type) -> Record? {
        guard count >= MemoryLayout<Record>.size else { return nil }
        return withUnsafeBytes { $0.loadUnaligned(as: Record.self) }
    }

    /// Text up to its terminating zero.
    var text: String { String(decoding: prefix { $0 != 0 }, as: UTF8.self) }
}
