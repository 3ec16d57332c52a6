/// A value as D-Bus knows it (D-Bus specification, "Type system").
indirect enum BusValue: Equatable, Sendable {
    case byte(UInt8)
    case boolean(Bool)
    case int16(Int16)
    case uint16(UInt16)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case double(Double)
    case string(String)
    case objectPath(String)
    case signature(String)
    /// - Parameter of: the signature of an element, which an empty array has too
    case array(of: String, [BusValue])
    case structure([BusValue])
    /// Of a dictionary, which is an array of entries.
    case entry(BusValue, BusValue)
    case variant(BusValue)

    static func bytes(_ bytes: [UInt8]) -> BusValue { .array(of: "y", bytes.map { .byte($0) }) }
    static func strings(_ strings: [String]) -> BusValue { .array(of: "s", strings.map { .string($0) }) }

    /// The type in the bus's notation: "a(sv)".
    var signature: String {
        switch self {
        case .byte: "y"
        case .boolean: "b"
        case .int16: "n"
        case .uint16: "q"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .objectPath: "o"
        case .signature: "g"
        case .array(let element, _): "a" + element
        case .structure(let members): "(" + members.map(\.signature).joined() + ")"
        case .entry(let key, let value): "{" + key.signature + value.signature + "}"
        case .variant: "v"
        }
    }

    /// Strings, object paths and signatures as text.
    var text: String? {
        switch self {
        case .string(let text), .objectPath(let text), .signature(let text): text
        case .variant(let value): value.text
        default: nil
        }
    }
}

/// Where a value of a type begins: at a multiple of so many bytes.
func busAlignment(of type: UInt8) -> Int? {
    switch type {
    case UInt8(ascii: "y"), UInt8(ascii: "g"), UInt8(ascii: "v"): 1
    case UInt8(ascii: "n"), UInt8(ascii: "q"): 2
    case UInt8(ascii: "i"), UInt8(ascii: "u"), UInt8(ascii: "b"), UInt8(ascii: "s"), UInt8(ascii: "o"),
        UInt8(ascii: "a"):
        4
    case UInt8(ascii: "x"), UInt8(ascii: "t"), UInt8(ascii: "d"), UInt8(ascii: "("), UInt8(ascii: "{"): 8
    default: nil
    }
}

/// Puts values into the bus's binary form, in little-endian order.
struct BusWriter {
    private(set) var bytes: [UInt8] = []

    mutating func align(_ size: Int) {
        while bytes.count % size != 0 { bytes.append(0) }
    }

    mutating func append(_ value: BusValue) {
        if let type = value.signature.utf8.first, let size = busAlignment(of: type) { align(size) }
        switch value {
        case .byte(let number): bytes.append(number)
        case .boolean(let flag): integer(UInt32(flag ? 1 : 0))
        case .int16(let number): integer(number)
        case .uint16(let number): integer(number)
        case .int32(let number): integer(number)
        case .uint32(let number): integer(number)
        case .int64(let number): integer(number)
        case .uint64(let number): integer(number)
        case .double(let number): integer(number.bitPattern)
        case .string(let text), .objectPath(let text):
            integer(UInt32(text.utf8.count))
            bytes += text.utf8
            bytes.append(0)
        case .signature(let text): append(signature: text)
        case .array(let element, let values): append(arrayOf: element, values)
        case .structure(let members): for member in members { append(member) }
        case .entry(let key, let value):
            append(key)
            append(value)
        case .variant(let value):
            append(signature: value.signature)
            append(value)
        }
    }

    private mutating func append(signature: String) {
        bytes.append(UInt8(truncatingIfNeeded: signature.utf8.count))
        bytes += signature.utf8
        bytes.append(0)
    }

    /// The length counts the elements, but not the gap before the first one.
    private mutating func append(arrayOf element: String, _ values: [BusValue]) {
        let place = bytes.count
        integer(UInt32(0))
        if let type = element.utf8.first, let size = busAlignment(of: type) { align(size) }
        let start = bytes.count
        for value in values { append(value) }
        let length = UInt32(bytes.count - start)
        for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: length >> (8 * UInt32(index))) }
    }

    private mutating func integer<Number: FixedWidthInteger>(_ number: Number) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }
}
