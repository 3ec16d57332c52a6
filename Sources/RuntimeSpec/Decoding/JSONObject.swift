internal import CJansson

/// An object inside a `JSONDocument`, borrowed like a `JSONValue`. Errors of a member carry the member's name.
///
/// A member that is `null` counts as absent: encoders that have no value write it.
///
/// What is generic is inlinable: left to the runtime of Swift, to decode one value takes longer than to read the text.
@usableFromInline package struct JSONObject {
    let reference: UnsafeMutablePointer<json_t>

    /// The member, or nil when absent.
    @usableFromInline subscript(name: StaticString) -> JSONValue? {
        let key = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
        // json_object_get: a borrowed reference.
        guard let member = json_object_get(reference, key), member.pointee.type != JSON_NULL else { return nil }
        return JSONValue(reference: member)
    }

    @inlinable package func optional<Value>(
        _ name: StaticString, _ decode: (JSONValue) throws(SpecError) -> Value
    ) throws(SpecError) -> Value? {
        guard let member = self[name] else { return nil }
        do throws(SpecError) {
            return try decode(member)
        } catch {
            throw error.inside(name)
        }
    }

    @inlinable package func required<Value>(
        _ name: StaticString, _ decode: (JSONValue) throws(SpecError) -> Value
    ) throws(SpecError) -> Value {
        guard let value = try optional(name, decode) else { throw missing(name) }
        return value
    }

    @usableFromInline func missing(_ name: StaticString) -> SpecError {
        SpecError(.missing, "missing", expected: "it is required").inside(name)
    }

    @inlinable package func optional<Value: JSONDecodable>(_ name: StaticString) throws(SpecError) -> Value? {
        try optional(name) { (json) throws(SpecError) in try Value(json: json) }
    }

    @inlinable package func required<Value: JSONDecodable>(_ name: StaticString) throws(SpecError) -> Value {
        try required(name) { (json) throws(SpecError) in try Value(json: json) }
    }

    /// An array whose absence means the same as an empty one.
    @inlinable package func list<Element: JSONDecodable>(_ name: StaticString) throws(SpecError) -> [Element] {
        try optional(name) ?? []
    }

    package func flag(_ name: StaticString) throws(SpecError) -> Bool {
        try optional(name) ?? false
    }

    /// A word for which encoders write "" when they have none.
    package func word<Word: SpecWord & JSONDecodable>(_ name: StaticString) throws(SpecError) -> Word? {
        try text(name) == nil ? nil : try optional(name)
    }

    /// A string for which encoders write "" when they have none.
    package func text(_ name: StaticString) throws(SpecError) -> String? {
        let text: String? = try optional(name)
        return text == "" ? nil : text
    }

    /// An object whose keys are the user's, in document order; empty when absent.
    package func map<Element>(
        _ name: StaticString, _ decode: (String, JSONValue) throws(SpecError) -> Element
    ) throws(SpecError) -> [Element] {
        try optional(name) { (json) throws(SpecError) in
            let object = try json.object()
            var elements: [Element] = []
            elements.reserveCapacity(json_object_size(object.reference))
            // json_object_iter and its kin hand out borrowed references, in the order of the document.
            var iterator = json_object_iter(object.reference)
            while let current = iterator, let value = json_object_iter_value(current) {
                let key = String(cString: json_object_iter_key(current))
                do throws(SpecError) {
                    elements.append(try decode(key, JSONValue(reference: value)))
                } catch {
                    throw error.inside(key: key)
                }
                iterator = json_object_iter_next(object.reference, current)
            }
            return elements
        } ?? []
    }

    package func strings(_ name: StaticString) throws(SpecError) -> [KeyValue] {
        try map(name) { (key, json) throws(SpecError) in KeyValue(key, try String(json: json)) }
    }
}
