/// Lets integers beyond 63 bits through a parser that has no room for them: each such literal becomes a string of a NUL
/// character followed by the digits. No other string can look like that, because NUL characters are refused.
/// `JSONValue` takes such a string for the number it stands for.
struct WideIntegers {
    private(set) var text: [UInt8] = []
    /// Where in `text` the rewritten literals begin, ascending.
    private var positions: [Int] = []

    private static let opening: StaticString = "\"\\u0000"
    private static let closing = UInt8(ascii: "\"")

    /// - Throws: `SpecError` of kind `malformed` when the text has a NUL character itself.
    init(rewriting original: UnsafeRawBufferPointer) throws(SpecError) {
        text.reserveCapacity(original.count + 256)
        var position = 0
        while position < original.count {
            let start = position
            switch original[position] {
            case UInt8(ascii: "\""):
                position = try Self.endOfString(original, from: position)
                text += original[start..<position]
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                position = Self.endOfNumber(original, from: position)
                append(number: original[start..<position])
            case let byte:
                position += 1
                text.append(byte)
            }
        }
    }

    /// Line and column, counted as Jansson does, in the original text of a byte position in the rewritten one.
    func place(ofRewritten position: Int, in original: UnsafeRawBufferPointer) -> (line: Int, column: Int) {
        let added = Self.opening.utf8CodeUnitCount + 1
        let shift = positions.count { $0 < position } * added
        return Self.place(of: max(0, position - shift), in: original)
    }

    private static func place(of position: Int, in text: UnsafeRawBufferPointer) -> (line: Int, column: Int) {
        var line = 1
        var column = 0
        for byte in text.prefix(position) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 0
            } else if byte & 0xc0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }

    private mutating func append(number: Slice<UnsafeRawBufferPointer>) {
        let digits = number.first == UInt8(ascii: "-") ? number.dropFirst() : number
        let isInteger = digits.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        // A leading zero is a mistake the parser has to see.
        guard digits.count >= 19, isInteger, digits.first != UInt8(ascii: "0"),
            Int64(String(decoding: number, as: UTF8.self)) == nil
        else {
            text += number
            return
        }
        positions.append(text.count)
        text += UnsafeBufferPointer(start: Self.opening.utf8Start, count: Self.opening.utf8CodeUnitCount)
        text += number
        text.append(Self.closing)
    }

    /// The position after the string that begins at `start`.
    private static func endOfString(_ text: UnsafeRawBufferPointer, from start: Int) throws(SpecError) -> Int {
        var position = start + 1
        while position < text.count, text[position] != UInt8(ascii: "\"") {
            if text[position] == UInt8(ascii: "\\") {
                if text[(position + 1)...].prefix(5).elementsEqual("u0000".utf8) {
                    let place = place(of: position + 6, in: text)
                    throw .containsNUL(line: place.line, column: place.column)
                }
                position += 1
            }
            position += 1
        }
        return min(position + 1, text.count)
    }

    private static func endOfNumber(_ text: UnsafeRawBufferPointer, from start: Int) -> Int {
        var position = start + 1
        while position < text.count {
            switch text[position] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"),
                UInt8(ascii: "+"), UInt8(ascii: "-"):
                position += 1
            default: return position
            }
        }
        return position
    }
}
