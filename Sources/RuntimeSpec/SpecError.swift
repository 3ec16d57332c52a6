/// Why a document was refused.
///
/// Rendered as one lower-case line: where, what was found, and what would have been right. File names are added by who
/// read the file.
///
///     linux.namespaces[2].type: unknown namespace "foo", expected one of cgroup, ipc, mount, network, pid, time, user, uts
@usableFromInline package struct SpecError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// Not JSON, or JSON that means two things (duplicate keys). `path` is `line L, column C`.
        case malformed
        /// A required member is absent.
        case missing
        /// Another JSON type than the spec's.
        case wrongType
        /// A number the type or the spec does not allow.
        case outOfRange
        /// A word that is not in its vocabulary.
        case unknownWord
        /// A specification version this runtime does not implement.
        case unsupportedVersion
        /// Everything else: each value may be fine alone, but not here or not with the others.
        case invalid
    }

    package var kind: Kind
    /// The JSON path: `mounts[3].options[0]`, `linux.sysctl["net.ipv4.ip_forward"]`; empty for the whole document.
    package var path: String
    /// What is wrong, without the value.
    package var problem: String
    /// What was found, in JSON spelling, clipped and free of control characters; empty if there is nothing to show.
    package var value: String
    /// What would be right, or what the user can do; may be empty.
    package var expected: String

    package init(_ kind: Kind, at path: String = "", _ problem: String, _ value: String = "", expected: String = "") {
        self.kind = kind
        self.path = path
        self.problem = problem
        self.value = value
        self.expected = expected
    }

    @usableFromInline package var description: String {
        var line = path.isEmpty ? "" : path + ": "
        line += problem
        if !value.isEmpty { line += " " + value }
        if !expected.isEmpty { line += ", " + expected }
        return line
    }
}

extension SpecError {
    /// The same error seen from the object that has the value as its member `name`.
    @usableFromInline package consuming func inside(_ name: StaticString) -> SpecError {
        prefix(name.withUTF8Buffer { String(decoding: $0, as: UTF8.self) })
        return self
    }

    /// The same error seen from the array that has the value at `index`.
    @usableFromInline package consuming func inside(index: Int) -> SpecError {
        prefix("[\(index)]")
        return self
    }

    /// The same error seen from the map that has the value under a key of the user's.
    @usableFromInline package consuming func inside(key: String) -> SpecError {
        prefix("[\(quoted(key))]")
        return self
    }

    private mutating func prefix(_ component: String) {
        // Where text is not even JSON, `path` is a line and a column of the whole document.
        if kind == .malformed { return }
        path = path.isEmpty || path.utf8.first == UInt8(ascii: "[") ? component + path : component + "." + path
    }
}

/// `text` in JSON spelling for an error message: one line, at most 64 characters of it.
func quoted(_ text: String) -> String {
    let limit = 64
    var shown = text.prefix(limit + 1)
    guard shown.count > limit else { return JSON.string(text).serialized() }
    shown.removeLast()
    return JSON.string(shown + "...").serialized()
}
