/// One message (D-Bus specification, "Message Format").
struct BusMessage: Equatable, Sendable {
    enum Kind: UInt8, Sendable { case call = 1, answer, error, signal }

    var kind: Kind
    var serial: UInt32 = 0
    /// Of an answer or error: the serial number of the call.
    var replySerial: UInt32?
    var path: String?
    var interface: String?
    var member: String?
    var errorName: String?
    var destination: String?
    var body: [BusValue] = []

    /// Nothing on the bus that concerns units is longer than a few kilobytes.
    static let longest = 1 << 20
    /// What has to be read to know how long the rest is.
    static let prefixLength = 16

    private enum Field: UInt8 {
        case path = 1, interface, member, errorName, replySerial, destination, sender, signature
    }

    var bytes: [UInt8] {
        var content = BusWriter()
        for value in body { content.append(value) }
        var fields: [BusValue] = []
        func add(_ field: Field, _ value: BusValue?) {
            if let value { fields.append(.structure([.byte(field.rawValue), .variant(value)])) }
        }
        add(.path, path.map { .objectPath($0) })
        add(.interface, interface.map { .string($0) })
        add(.member, member.map { .string($0) })
        add(.errorName, errorName.map { .string($0) })
        add(.replySerial, replySerial.map { .uint32($0) })
        add(.destination, destination.map { .string($0) })
        if !body.isEmpty { add(.signature, .signature(body.map(\.signature).joined())) }

        var message = BusWriter()
        // The order of bytes, the kind, no flags, the protocol's version
        for byte in [UInt8(ascii: "l"), kind.rawValue, 0, 1] { message.append(.byte(byte)) }
        message.append(.uint32(UInt32(content.bytes.count)))
        message.append(.uint32(serial))
        message.append(.array(of: "(yv)", fields))
        message.align(8)
        return message.bytes + content.bytes
    }

    /// How long the message is that begins with `prefix`.
    static func length(_ prefix: [UInt8]) throws(BusFailure) -> Int {
        let isBigEndian = try order(prefix)
        var reader = BusReader(prefix, from: 4, isBigEndian: isBigEndian)
        let numbers = try reader.values("uuu").compactMap { value -> Int? in
            if case .uint32(let number) = value { Int(number) } else { nil }
        }
        let length = prefixLength + (numbers[2] + 7) / 8 * 8 + numbers[0]
        guard length <= longest else { throw .malformed("it claims to be \(length) bytes long") }
        return length
    }

    private static func order(_ bytes: [UInt8]) throws(BusFailure) -> Bool {
        switch bytes.first {
        case UInt8(ascii: "l"): false
        case UInt8(ascii: "B"): true
        default: throw .malformed("it does not begin with an order of bytes")
        }
    }

    /// - Parameter bytes: a whole message
    init(_ bytes: [UInt8]) throws(BusFailure) {
        var reader = BusReader(bytes, isBigEndian: try Self.order(bytes))
        let head = try reader.values("yyyyuua(yv)")
        guard case .byte(let type) = head[1], let kind = Kind(rawValue: type), case .uint32(let serial) = head[5],
            case .array(_, let fields) = head[6]
        else { throw .malformed("its kind is unknown") }
        self.kind = kind
        self.serial = serial
        var signature = ""
        for field in fields {
            guard case .structure(let pair) = field, case .byte(let code) = pair[0], case .variant(let value) = pair[1]
            else { continue }
            switch Field(rawValue: code) {
            case .path: path = value.text
            case .interface: interface = value.text
            case .member: member = value.text
            case .errorName: errorName = value.text
            case .replySerial: if case .uint32(let number) = value { replySerial = number }
            case .destination: destination = value.text
            case .signature: signature = value.text ?? ""
            case .sender, nil: break
            }
        }
        try reader.align(8)
        body = try reader.values(signature)
    }

    init(
        call member: String, of interface: String, at path: String, destination: String, _ body: [BusValue] = []
    ) {
        kind = .call
        self.path = path
        self.interface = interface
        self.member = member
        self.destination = destination
        self.body = body
    }
}

/// Why a conversation over a bus failed.
enum BusFailure: Error, Equatable, Sendable {
    /// Nothing was said in time.
    case timeout
    /// A signal asks this process to end.
    case interrupted(signal: Int32)
    /// The other side hung up.
    case closed
    /// The other side does not take this user.
    case rejected
    /// What came is no message: why.
    case malformed(String)
    /// The other side's own words.
    case refused(name: String, text: String)
    case system(call: String, text: String)
}
