/// Reads values in the bus's binary form. What comes is not trusted: nothing is read beyond the end, and nothing nests
/// deeper than the specification allows.
struct BusReader {
    private let bytes: [UInt8]
    private(set) var position: Int
    private let isBigEndian: Bool
    private var depth = 0

    init(_ bytes: [UInt8], from position: Int = 0, isBigEndian: Bool = false) {
        self.bytes = bytes
        self.position = position
        self.isBigEndian = isBigEndian
    }

    /// Values of all the types of `signature`.
    mutating func values(_ signature: String) throws(BusFailure) -> [BusValue] {
        var rest = Array(signature.utf8)[...]
        var values: [BusValue] = []
        while !rest.isEmpty { values.append(try value(&rest)) }
        return values
    }

    mutating func align(_ size: Int) throws(BusFailure) {
        let aligned = (position + size - 1) / size * size
        guard aligned <= bytes.count else { throw .malformed("it ends too early") }
        position = aligned
    }

    /// One value of the first type in `signature`, which is taken off.
    private mutating func value(_ signature: inout ArraySlice<UInt8>) throws(BusFailure) -> BusValue {
        guard let type = signature.popFirst(), let size = busAlignment(of: type) else {
            throw .malformed("a value has an unknown type")
        }
        depth += 1
        defer { depth -= 1 }
        if depth > 64 { throw .malformed("it is nested too deeply") }
        try align(size)
        switch type {
        case UInt8(ascii: "y"): return .byte(try integer())
        case UInt8(ascii: "b"): return .boolean(try integer() as UInt32 != 0)
        case UInt8(ascii: "n"): return .int16(try integer())
        case UInt8(ascii: "q"): return .uint16(try integer())
        case UInt8(ascii: "i"): return .int32(try integer())
        case UInt8(ascii: "u"): return .uint32(try integer())
        case UInt8(ascii: "x"): return .int64(try integer())
        case UInt8(ascii: "t"): return .uint64(try integer())
        case UInt8(ascii: "d"): return .double(Double(bitPattern: try integer()))
        case UInt8(ascii: "s"): return .string(try text(length: Int(try integer() as UInt32)))
        case UInt8(ascii: "o"): return .objectPath(try text(length: Int(try integer() as UInt32)))
        case UInt8(ascii: "g"): return .signature(try text(length: Int(try integer() as UInt8)))
        case UInt8(ascii: "v"):
            var inner = Array(try text(length: Int(try integer() as UInt8)).utf8)[...]
            let value = try value(&inner)
            guard inner.isEmpty else { throw .malformed("a variant holds more than one value") }
            return .variant(value)
        case UInt8(ascii: "a"): return try array(&signature)
        default: return try members(type, &signature)
        }
    }

    private mutating func array(_ signature: inout ArraySlice<UInt8>) throws(BusFailure) -> BusValue {
        let length = Int(try integer() as UInt32)
        let element = try Self.firstType(of: signature)
        guard let type = element.first, let size = busAlignment(of: type) else {
            throw .malformed("an array has an unknown type")
        }
        try align(size)
        let end = position + length
        guard end <= bytes.count else { throw .malformed("an array ends too late") }
        var values: [BusValue] = []
        while position < end {
            var inner = element
            values.append(try value(&inner))
        }
        guard position == end else { throw .malformed("an array's elements exceed it") }
        signature = signature.dropFirst(element.count)
        return .array(of: String(decoding: element, as: UTF8.self), values)
    }

    /// A structure, or an entry of a dictionary.
    private mutating func members(
        _ opening: UInt8, _ signature: inout ArraySlice<UInt8>
    ) throws(BusFailure) -> BusValue {
        let closing = opening == UInt8(ascii: "(") ? UInt8(ascii: ")") : UInt8(ascii: "}")
        var values: [BusValue] = []
        while let next = signature.first, next != closing { values.append(try value(&signature)) }
        guard signature.popFirst() == closing, !values.isEmpty else { throw .malformed("a signature is not closed") }
        if opening == UInt8(ascii: "(") { return .structure(values) }
        guard values.count == 2 else { throw .malformed("a dictionary's entry is no pair") }
        return .entry(values[0], values[1])
    }

    /// The first complete type: "a{sv}" of "a{sv}u".
    private static func firstType(of signature: ArraySlice<UInt8>) throws(BusFailure) -> ArraySlice<UInt8> {
        var open = 0
        for index in signature.indices {
            switch signature[index] {
            case UInt8(ascii: "a"): continue
            case UInt8(ascii: "("), UInt8(ascii: "{"): open += 1
            case UInt8(ascii: ")"), UInt8(ascii: "}"): open -= 1
            default: break
            }
            if open == 0 { return signature[signature.startIndex...index] }
        }
        throw .malformed("a signature is not complete")
    }

    private mutating func integer<Number: FixedWidthInteger>() throws(BusFailure) -> Number {
        let size = Number.bitWidth / 8
        guard position + size <= bytes.count else { throw .malformed("it ends too early") }
        var number: Number = 0
        withUnsafeMutableBytes(of: &number) { $0.copyBytes(from: bytes[position..<(position + size)]) }
        position += size
        return isBigEndian ? Number(bigEndian: number) : Number(littleEndian: number)
    }

    /// Text and the zero after it.
    private mutating func text(length: Int) throws(BusFailure) -> String {
        guard length < bytes.count - position, bytes[position + length] == 0 else {
            throw .malformed("a text is not ended")
        }
        defer { position += length + 1 }
        return String(decoding: bytes[position..<(position + length)], as: UTF8.self)
    }
}
