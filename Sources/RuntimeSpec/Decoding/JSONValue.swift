internal import CJansson

/// A value inside a `JSONDocument`. The reference is borrowed: it is good while the document lives, and no decoded value
/// keeps one.
@usableFromInline package struct JSONValue {
    let reference: UnsafeMutablePointer<json_t>

    var type: json_type { reference.pointee.type }

    package func object() throws(SpecError) -> JSONObject {
        guard type == JSON_OBJECT else { throw mismatch("an object") }
        return JSONObject(reference: reference)
    }

    /// The elements of an array, each decoded by `element`.
    @inlinable package func list<Element>(
        _ element: (JSONValue) throws(SpecError) -> Element
    ) throws(SpecError) -> [Element] {
        let count = try count()
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for index in 0..<count {
            guard let item = self[index] else { break }
            do throws(SpecError) {
                elements.append(try element(item))
            } catch {
                throw error.inside(index: index)
            }
        }
        return elements
    }

    /// Of an array only.
    @usableFromInline func count() throws(SpecError) -> Int {
        guard type == JSON_ARRAY else { throw mismatch("an array") }
        return json_array_size(reference)
    }

    @usableFromInline subscript(index: Int) -> JSONValue? {
        // json_array_get: a borrowed reference.
        json_array_get(reference, index).map { JSONValue(reference: $0) }
    }

    package func mismatch(_ expected: String) -> SpecError {
        SpecError(.wrongType, "found", rendered, expected: "expected " + expected)
    }

    /// The value as an error shows it.
    var rendered: String {
        switch type {
        case JSON_OBJECT: "an object"
        case JSON_ARRAY: "an array"
        case JSON_STRING: wideInteger ?? quoted(text)
        case JSON_INTEGER: String(json_integer_value(reference))
        case JSON_REAL: String(json_real_value(reference))
        case JSON_TRUE: "true"
        case JSON_FALSE: "false"
        default: "null"
        }
    }
}

extension JSONValue {
    /// Of a string only. Jansson has checked that it is UTF-8.
    fileprivate var text: String {
        let start = UnsafeRawPointer(json_string_value(reference))
        return String(
            decoding: UnsafeRawBufferPointer(start: start, count: json_string_length(reference)), as: UTF8.self)
    }

    /// Of a string only: the digits, if it is one that `WideIntegers` made of a number.
    fileprivate var wideInteger: String? {
        guard json_string_length(reference) > 1, json_string_value(reference).pointee == 0 else { return nil }
        return String(text.dropFirst())
    }

    fileprivate func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws(SpecError) -> Number {
        let number: Number?
        switch self.type {
        case JSON_INTEGER:
            number = Number(exactly: json_integer_value(reference))
        case JSON_STRING:
            guard let digits = wideInteger else { throw mismatch("an integer") }
            number = Number(digits)
        case JSON_REAL:
            // The schema (draft 4) calls a number an integer only if it has neither fraction nor exponent.
            throw mismatch("an integer, written without fraction or exponent")
        default:
            throw mismatch("an integer")
        }
        guard let number else { throw outOfRange("\(Number.min) to \(Number.max)") }
        return number
    }

    package func outOfRange(_ range: String) -> SpecError {
        SpecError(.outOfRange, "out of range:", rendered, expected: "expected " + range)
    }
}

/// Something a JSON value can be decoded to.
@usableFromInline package protocol JSONDecodable {
    /// - Parameter json: borrowed for the time of the call.
    init(json: JSONValue) throws(SpecError)
}

extension JSONDecodable {
    /// Decodes a whole document.
    package static func decode(_ text: UnsafeRawBufferPointer) throws(SpecError) -> Self {
        let document = try JSONDocument(parsing: text)
        return try document.decode()
    }

    package static func decode(_ text: [UInt8]) throws(SpecError) -> Self {
        try text.withUnsafeBufferPointer { (bytes) throws(SpecError) in try decode(UnsafeRawBufferPointer(bytes)) }
    }
}

extension String: JSONDecodable {
    @usableFromInline package init(json: JSONValue) throws(SpecError) {
        guard json.type == JSON_STRING, json.wideInteger == nil else { throw json.mismatch("a string") }
        self = json.text
    }
}

extension Bool: JSONDecodable {
    @usableFromInline package init(json: JSONValue) throws(SpecError) {
        switch json.type {
        case JSON_TRUE: self = true
        case JSON_FALSE: self = false
        default: throw json.mismatch("true or false")
        }
    }
}

extension Int: JSONDecodable {
    @usableFromInline package init(json: JSONValue) throws(SpecError) { self = try json.integer(Int.self) }
}

extension Int32: JSONDecodable {
    @usableFromInline package init(json: JSONValue) throws(SpecError) { self = try json.integer(Int32.self) }
}

extension Int64: JSONDecodable {
    @usableFromInline package init(json: JSONValue) throws(SpecError) { self = try json.integer(Int64.self) }
}

extension UInt8: JSONDecodable {
    @usableFromInline package init(json: JSONValue) throws(SpecError) { self = try json.integer(UInt8.self) }
}

extension UInt16: JSONDecodable {
    @usableFromInline package init(json: JSONValue) throws(SpecError) { self = try json.integer(UInt16.self) }
}

extension UInt32: JSONDecodable {
    @usableFromInline package init(json: JSONValue) throws(SpecError) { self = try json.integer(UInt32.self) }
}

extension UInt64: JSONDecodable {
    @usableFromInline package init(json: JSONValue) throws(SpecError) { self = try json.integer(UInt64.self) }
}

extension Array: JSONDecodable where Element: JSONDecodable {
    @inlinable package init(json: JSONValue) throws(SpecError) {
        self = try json.list { (element) throws(SpecError) in try Element(json: element) }
    }
}
