/// A message in the form of protocol buffers (encoding: protobuf.dev), as criu's remote calls use it: fields, each a number
/// and a value. Only what those calls need.
struct CriuMessage: Equatable {
    private(set) var bytes: [UInt8] = []

    init() {}

    /// Text, or the bytes of another message.
    mutating func add(_ field: Int, _ text: String?) {
        if let text { add(field, bytes: Array(text.utf8)) }
    }

    mutating func add(_ field: Int, _ message: CriuMessage) { add(field, bytes: message.bytes) }

    mutating func add(_ field: Int, _ number: Int) {
        // A negative number has ten bytes, in every integer type.
        addVarint(UInt64(field) << 3)
        addVarint(UInt64(bitPattern: Int64(number)))
    }

    /// A flag that is not set is left out.
    mutating func add(_ field: Int, flag: Bool) {
        if flag { add(field, 1) }
    }

    private mutating func add(_ field: Int, bytes value: [UInt8]) {
        addVarint(UInt64(field) << 3 | 2)
        addVarint(UInt64(value.count))
        bytes += value
    }

    private mutating func addVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// The fields of a message that was received. What is damaged ends it.
struct CriuFields: Equatable {
    private var numbers: [Int: UInt64] = [:]
    private var texts: [Int: [UInt8]] = [:]

    init(_ bytes: some Collection<UInt8>) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty, let tag = Self.varint(&rest), let field = Int(exactly: tag >> 3) {
            switch tag & 7 {
            case 0:
                guard let value = Self.varint(&rest) else { return }
                numbers[field] = value
            case 2:
                guard let length = Self.varint(&rest).flatMap({ Int(exactly: $0) }), length <= rest.count else {
                    return
                }
                texts[field] = Array(rest.prefix(length))
                rest = rest.dropFirst(length)
            default: return  // criu sends no others
            }
        }
    }

    func number(_ field: Int) -> Int? { numbers[field].flatMap { Int(exactly: Int64(bitPattern: $0)) } }

    func flag(_ field: Int) -> Bool { numbers[field] == 1 }

    func text(_ field: Int) -> String? { texts[field].map { String(decoding: $0, as: UTF8.self) } }

    func message(_ field: Int) -> CriuFields? { texts[field].map { CriuFields($0) } }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
