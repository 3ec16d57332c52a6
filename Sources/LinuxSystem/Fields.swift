/// What stands between separators in a text of the kernel's, one piece after the other.
///
/// `split` makes an array of slices, of a type that the Swift runtime puts together while the program runs, and that costs
/// more than reading the text. Every command that makes a process reads such texts.
package struct Fields {
    /// What no field was taken of yet.
    package private(set) var rest: ArraySlice<UInt8>

    package init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field, which may be empty; nil after the last one.
    package mutating func next(_ separator: UInt8) -> ArraySlice<UInt8>? {
        guard !rest.isEmpty else { return nil }
        let end = rest.firstIndex(of: separator) ?? rest.endIndex
        let field = rest[..<end]
        rest = end < rest.endIndex ? rest[(end + 1)...] : rest[end...]
        return field
    }
}

/// The names in a path, without empty ones and ".".
package func pathComponents(_ path: String) -> [String] {
    var components: [String] = []
    var fields = Fields(Array(path.utf8)[...])
    while let name = fields.next(UInt8(ascii: "/")) {
        if name.isEmpty || name.elementsEqual(".".utf8) { continue }
        components.append(String(decoding: name, as: UTF8.self))
    }
    return components
}

/// `joined(separator:)` would make the runtime look through every conformance in the program first.
package func join(_ parts: [String], with separator: String) -> String {
    var text = ""
    for (index, part) in parts.enumerated() {
        if index > 0 { text += separator }
        text += part
    }
    return text
}

/// `a/b/c`
package func joinPath(_ components: [String]) -> String { join(components, with: "/") }
