/// Collects the members of an object in order. What has no value is left out, as the spec's own encoders do.
package struct JSONMembers {
    package private(set) var members: [JSON.Member] = []

    package init() {}

    package var json: JSON { .object(members) }

    package mutating func add(_ name: String, _ value: JSON?) {
        if let value { members.append(JSON.Member(name, value)) }
    }

    package mutating func add(_ name: String, _ value: String?) {
        add(name, value.map { .string($0) })
    }

    package mutating func add(_ name: String, _ value: (some FixedWidthInteger)?) {
        guard let value else { return }
        add(name, Int64(exactly: value).map { .int($0) } ?? .uint(UInt64(value)))
    }

    /// Left out when false.
    package mutating func add(flag name: String, _ value: Bool) {
        if value { add(name, .bool(true)) }
    }

    package mutating func add(_ name: String, _ value: Bool?) {
        add(name, value.map { .bool($0) })
    }

    /// Left out when empty.
    package mutating func add(_ name: String, _ values: [String]) {
        if !values.isEmpty { add(name, .strings(values)) }
    }

    package mutating func add<Word: SpecWord>(_ name: String, _ words: [Word]) {
        var list: [String] = []
        for word in words { list.append(word.rawValue) }
        add(name, list)
    }

    package mutating func add(_ name: String, _ entries: [KeyValue]) {
        if !entries.isEmpty { add(name, .map(entries)) }
    }

    package mutating func add<Element: JSONEncodable>(_ name: String, _ elements: [Element]) {
        if elements.isEmpty { return }
        // A key path would be put together while the program runs.
        var list: [JSON] = []
        for element in elements { list.append(element.json) }
        add(name, .array(list))
    }

    package mutating func add<Value: JSONEncodable>(_ name: String, _ value: Value?) {
        add(name, value?.json)
    }
}

/// Something that can be written as JSON, in the form `JSONDecodable` reads.
package protocol JSONEncodable {
    var json: JSON { get }
}

extension JSON {
    /// An object of the members `collect` adds.
    package static func members(_ collect: (inout JSONMembers) -> Void) -> JSON {
        var members = JSONMembers()
        collect(&members)
        return members.json
    }
}
