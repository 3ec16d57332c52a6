/// A JSON document to be written: state, list, features, spec. Members keep the order they are given in.
package enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    /// A number with two decimals: 1234 is 12.34.
    case hundredths(UInt64)
    case string(String)
    case array([JSON])
    case object([Member])

    package struct Member: Equatable, Sendable {
        package var name: String
        package var value: JSON

        package init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// The document as text, without a newline at its end.
    ///
    /// - Parameter indent: what one level is indented by; nil puts the whole document on one line.
    package func serialized(indent: String? = nil) -> String {
        var writer = JSONWriter(indent: indent.map { Array($0.utf8) })
        writer.write(self)
        return String(decoding: writer.text, as: UTF8.self)
    }

    /// As `serialized`, for those who write bytes.
    package func bytes(indent: String? = nil) -> [UInt8] {
        var writer = JSONWriter(indent: indent.map { Array($0.utf8) })
        writer.write(self)
        return writer.text
    }
}

extension JSON {
    package static func strings(_ values: [String]) -> JSON {
        .array(values.map { .string($0) })
    }

    package static func map(_ entries: [KeyValue]) -> JSON {
        .object(entries.map { Member($0.key, .string($0.value)) })
    }
}

private struct JSONWriter {
    let indent: [UInt8]?
    var text: [UInt8] = []
    private var depth = 0

    init(indent: [UInt8]?) {
        self.indent = indent
        text.reserveCapacity(2048)
    }

    mutating func write(_ value: JSON) {
        switch value {
        case .null: append("null")
        case .bool(let flag): append(flag ? "true" : "false")
        case .int(let number): text += String(number).utf8
        case .uint(let number): text += String(number).utf8
        case .hundredths(let number): text += "\(number / 100).\(number / 10 % 10)\(number % 10)".utf8
        case .string(let string): writeString(string)
        case .array(let elements):
            list(open: "[", close: "]", isEmpty: elements.isEmpty) { writer in
                for (index, element) in elements.enumerated() {
                    writer.separate(first: index == 0)
                    writer.write(element)
                }
            }
        case .object(let members):
            list(open: "{", close: "}", isEmpty: members.isEmpty) { writer in
                for (index, member) in members.enumerated() {
                    writer.separate(first: index == 0)
                    writer.writeString(member.name)
                    writer.append(writer.indent == nil ? ":" : ": ")
                    writer.write(member.value)
                }
            }
        }
    }

    private mutating func list(
        open: StaticString, close: StaticString, isEmpty: Bool, _ body: (inout JSONWriter) -> Void
    ) {
        append(open)
        depth += 1
        body(&self)
        depth -= 1
        if !isEmpty { newline() }
        append(close)
    }

    private mutating func separate(first: Bool) {
        if !first { append(",") }
        newline()
    }

    private mutating func newline() {
        guard let indent else { return }
        append("\n")
        for _ in 0..<depth { text += indent }
    }

    /// RFC 8259, section 7: quotation mark, reverse solidus and control characters are escaped, all else is UTF-8.
    /// DEL is escaped too: these documents are read on terminals.
    private mutating func writeString(_ string: String) {
        append("\"")
        var string = string
        string.withUTF8 { bytes in
            // Nearly every string is written as it is.
            if bytes.contains(where: Self.isEscaped) { writeEscaping(bytes) } else { text += bytes }
        }
        append("\"")
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7f
    }

    private mutating func writeEscaping(_ bytes: UnsafeBufferPointer<UInt8>) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x0a: append("\\n")
            case 0x0d: append("\\r")
            case 0x09: append("\\t")
            case 0x00..<0x20, 0x7f:
                append("\\u00")
                text.append(hexDigit(byte >> 4))
                text.append(hexDigit(byte & 15))
            default: text.append(byte)
            }
        }
    }

    private func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private mutating func append(_ literal: StaticString) {
        text += UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    }
}
