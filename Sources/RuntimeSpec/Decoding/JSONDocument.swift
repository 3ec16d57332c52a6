internal import CJansson

/// A parsed JSON text. It owns the tree; every `JSONValue` borrows from it.
struct JSONDocument: ~Copyable {
    /// From json_loadb; its memory goes in deinit.
    private let root: UnsafeMutablePointer<json_t>

    /// - Throws: `SpecError` of kind `malformed`, with line and column.
    init(parsing text: UnsafeRawBufferPointer) throws(SpecError) {
        JSONMemory.use()
        do throws(SpecError) {
            root = try Self.root(of: text)
        } catch {
            JSONMemory.release(nil)
            throw error
        }
    }

    private static func root(of text: UnsafeRawBufferPointer) throws(SpecError) -> UnsafeMutablePointer<json_t> {
        var error = json_error_t()
        if let root = Self.load(text, flags: JSON_REJECT_DUPLICATES, &error) {
            return root
        }
        // Jansson keeps integers in 64 signed bits, and the spec has unsigned ones (RLIM_INFINITY, seccomp masks). Only
        // when it stumbles over one is the text rewritten and parsed again.
        guard json_error_code(&error) == json_error_numeric_overflow else {
            throw SpecError(parsing: error, line: Int(error.line), column: Int(error.column))
        }
        let wide = try WideIntegers(rewriting: text)
        let root = wide.text.withUnsafeBytes {
            Self.load($0, flags: JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error)
        }
        guard let root else {
            let place = wide.place(ofRewritten: Int(error.position), in: text)
            throw SpecError(parsing: error, line: place.line, column: place.column)
        }
        return root
    }

    deinit {
        JSONMemory.release(root)
    }

    borrowing func decode<Value: JSONDecodable>(_ type: Value.Type = Value.self) throws(SpecError) -> Value {
        try Value(json: JSONValue(reference: root))
    }

    private static func load(
        _ text: UnsafeRawBufferPointer, flags: Int32, _ error: inout json_error_t
    ) -> UnsafeMutablePointer<json_t>? {
        // Left alone, Jansson opens /dev/urandom to seed its hash tables. Where the stack lies is random enough here, and
        // known without a system call. Only the first seed of a process counts.
        withUnsafePointer(to: &error) { json_object_seed(Int(bitPattern: $0) >> 4) }
        // json_loadb wants an address even for no text.
        let nothing: StaticString = ""
        let start = text.baseAddress ?? UnsafeRawPointer(nothing.utf8Start)
        return json_loadb(start.assumingMemoryBound(to: CChar.self), text.count, Int(flags), &error)
    }
}

extension SpecError {
    /// Every string of the spec ends up as a C string or in a file: what follows a NUL would silently be lost.
    static func containsNUL(line: Int, column: Int) -> SpecError {
        SpecError(
            .malformed, at: "line \(line), column \(column)", "a NUL character in a string",
            expected: "expected text without \\u0000")
    }

    /// What Jansson said, in this project's words where they can be plainer.
    fileprivate init(parsing error: json_error_t, line: Int, column: Int) {
        var error = error
        let said = withUnsafeBytes(of: &error.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let code = json_error_code(&error)
        let place = "line \(line), column \(column)"
        switch code {
        case json_error_duplicate_key:
            // "duplicate object key near '"name"'": the token is the key, still in its quotation marks.
            let key = said.drop { $0 != "\"" }.dropLast()
            self.init(.malformed, at: place, "duplicate key", oneLine(key), expected: "expected each key once")
        case json_error_null_character, json_error_null_byte_in_key:
            self = .containsNUL(line: line, column: column)
        case json_error_stack_overflow:
            self.init(.malformed, at: place, "arrays and objects are nested too deeply", expected: "the limit is 2048")
        case json_error_out_of_memory:
            self.init(.malformed, at: place, "out of memory")
        default:
            self.init(.malformed, at: place, "not valid json:", oneLine(said[...]))
        }
    }
}

/// Jansson quotes the text it stumbled over, which may hold anything.
private func oneLine(_ text: Substring) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
}
