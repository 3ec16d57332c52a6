/// Values in GVariant's text format, in which annotations give properties to systemd: "uint64 30000000", "'yes'",
/// "['a.service']", "@as []", "true" (GLib, "GVariant Text Format").
struct VariantText {
    private var rest: Substring.UTF8View

    /// - Throws: what is wrong with the text
    static func value(_ text: String) throws(VariantFault) -> BusValue {
        var parser = VariantText(rest: text[...].utf8)
        let value = try parser.value(nil, depth: 0)
        parser.skipSpace()
        guard parser.rest.isEmpty else { throw VariantFault("nothing is expected after the value") }
        return value
    }

    /// - Parameter type: what is expected; nil when the text itself decides
    private mutating func value(_ type: String?, depth: Int) throws(VariantFault) -> BusValue {
        guard depth < 16 else { throw VariantFault("it is nested too deeply") }
        skipSpace()
        switch rest.first ?? 0 {
        case UInt8(ascii: "@"):
            rest.removeFirst()
            let type = word { $0 != UInt8(ascii: " ") }
            return try value(type, depth: depth + 1)
        case UInt8(ascii: "["): return try array(type, depth)
        case UInt8(ascii: "("): return try tuple(type, depth)
        case UInt8(ascii: "<"):
            rest.removeFirst()
            let inner = try value(nil, depth: depth + 1)
            try expect(">")
            return .variant(inner)
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return try text(try quoted(), type)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            return try number(word(Self.isNumberPart), type)
        default: return try named(word(Self.isWordPart), type, depth)
        }
    }

    private static let types = [
        "boolean": "b", "byte": "y", "int16": "n", "uint16": "q", "int32": "i", "uint32": "u", "int64": "x",
        "uint64": "t", "double": "d", "string": "s", "objectpath": "o", "signature": "g",
    ]

    private mutating func named(_ word: String, _ type: String?, _ depth: Int) throws(VariantFault) -> BusValue {
        if word == "true" || word == "false" {
            guard type ?? "b" == "b" else { throw VariantFault("a \(type ?? "") is expected, not \(word)") }
            return .boolean(word == "true")
        }
        guard let own = Self.types[word] else {
            throw VariantFault(word.isEmpty ? "a value is missing" : "\"\(word)\" is no value; texts stand in quotes")
        }
        return try value(own, depth: depth + 1)
    }

    // MARK: - Containers

    private mutating func array(_ type: String?, _ depth: Int) throws(VariantFault) -> BusValue {
        if let type, type.first != "a" { throw VariantFault("a \(type) is expected, not a list") }
        var element = type.map { String($0.dropFirst()) }
        var values: [BusValue] = []
        try members(until: "]") { parser throws(VariantFault) in
            let value = try parser.value(element, depth: depth + 1)
            if element == nil { element = value.signature }
            guard value.signature == element else { throw VariantFault("the members of a list are of several types") }
            values.append(value)
        }
        guard let element else { throw VariantFault("an empty list needs its type: @as []") }
        return .array(of: element, values)
    }

    private mutating func tuple(_ type: String?, _ depth: Int) throws(VariantFault) -> BusValue {
        var values: [BusValue] = []
        var types = type.map { Self.split($0.dropFirst().dropLast()) }
        try members(until: ")") { parser throws(VariantFault) in
            let expected = types.flatMap { $0.isEmpty ? nil : $0[0] }
            if types?.isEmpty == false { types?.removeFirst() }
            values.append(try parser.value(expected, depth: depth + 1))
        }
        let result = BusValue.structure(values)
        guard !values.isEmpty, type == nil || type == result.signature else {
            throw VariantFault("a \(type ?? "member") is expected, not \(result.signature)")
        }
        return result
    }

    private mutating func members(
        until closing: Unicode.Scalar, _ body: (inout VariantText) throws(VariantFault) -> Void
    ) throws(VariantFault) {
        rest.removeFirst()
        skipSpace()
        while rest.first != UInt8(ascii: closing) {
            try body(&self)
            skipSpace()
            if rest.first == UInt8(ascii: ",") {
                rest.removeFirst()
            } else if rest.first != UInt8(ascii: closing) {
                break
            }
            skipSpace()
        }
        try expect(closing)
    }

    /// The complete types of "sa(st)": "s", "a(st)".
    private static func split(_ types: Substring) -> [String] {
        var result: [String] = []
        var open = 0
        var current = ""
        for type in types {
            current.append(type)
            if type == "(" || type == "{" { open += 1 }
            if type == ")" || type == "}" { open -= 1 }
            if open == 0, type != "a" {
                result.append(current)
                current = ""
            }
        }
        return result
    }

    // MARK: - Scalars

    private func text(_ text: String, _ type: String?) throws(VariantFault) -> BusValue {
        switch type {
        case nil, "s": .string(text)
        case "o": .objectPath(text)
        case "g": .signature(text)
        case "v": .variant(.string(text))
        default: throw VariantFault("a \(type ?? "") is expected, not a text")
        }
    }

    private func number(_ text: String, _ type: String?) throws(VariantFault) -> BusValue {
        let isHexadecimal = text.hasPrefix("0x")
        let isFraction =
            !isHexadecimal && text.utf8.contains { $0 == UInt8(ascii: ".") || $0 | 32 == UInt8(ascii: "e") }
        func integer<Number: FixedWidthInteger>(_: Number.Type) throws(VariantFault) -> Number {
            let digits = isHexadecimal ? String(text.dropFirst(2)) : text
            if let number = Number(digits, radix: isHexadecimal ? 16 : 10) { return number }
            throw VariantFault("\(text) is no \(Number.self) number")
        }
        switch type ?? (isFraction ? "d" : "i") {
        case "y": return .byte(try integer(UInt8.self))
        case "n": return .int16(try integer(Int16.self))
        case "q": return .uint16(try integer(UInt16.self))
        case "i": return .int32(try integer(Int32.self))
        case "u": return .uint32(try integer(UInt32.self))
        case "x": return .int64(try integer(Int64.self))
        case "t": return .uint64(try integer(UInt64.self))
        case "d":
            guard let number = Double(text) else { throw VariantFault("\(text) is no number") }
            return .double(number)
        default: throw VariantFault("a \(type ?? "") is expected, not a number")
        }
    }

    /// A text in quotes of either kind, with the escapes of C.
    private mutating func quoted() throws(VariantFault) -> String {
        let quote = rest.removeFirst()
        var bytes: [UInt8] = []
        while let byte = rest.popFirst() {
            if byte == quote { return String(decoding: bytes, as: UTF8.self) }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escaped = rest.popFirst() else { break }
            switch escaped {
            case UInt8(ascii: "n"): bytes.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "t"): bytes.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "r"): bytes.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "u"):
                let digits = String(decoding: rest.prefix(4), as: UTF8.self)
                guard digits.utf8.count == 4, let code = UInt32(digits, radix: 16), let scalar = Unicode.Scalar(code)
                else { throw VariantFault("\\u\(digits) is no character") }
                rest.removeFirst(4)
                bytes += String(Character(scalar)).utf8
            default: bytes.append(escaped)
            }
        }
        throw VariantFault("a quote is not closed")
    }

    // MARK: - Letters

    private mutating func word(_ fits: (UInt8) -> Bool) -> String {
        let part = rest.prefix(while: fits)
        rest = rest.dropFirst(part.count)
        return String(decoding: part, as: UTF8.self)
    }

    private static func isWordPart(_ byte: UInt8) -> Bool {
        byte | 32 >= UInt8(ascii: "a") && byte | 32 <= UInt8(ascii: "z")
            || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private static func isNumberPart(_ byte: UInt8) -> Bool {
        isWordPart(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
    }

    private mutating func skipSpace() {
        while let byte = rest.first,
            byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
        {
            rest.removeFirst()
        }
    }

    private mutating func expect(_ closing: Unicode.Scalar) throws(VariantFault) {
        skipSpace()
        guard rest.popFirst() == UInt8(ascii: closing) else { throw VariantFault("\"\(closing)\" is missing") }
    }
}

/// What is wrong with a text.
struct VariantFault: Error, Equatable {
    let text: String
    init(_ text: String) { self.text = text }
}
