import RuntimeSpec
import Testing

/// Text that is not JSON, or not one meaning: refused with line and column.
struct JSONTextTests {
    private func refusal(_ text: String) -> String {
        message { () throws(SpecError) in try Config.decode([UInt8](text.utf8)) }
    }

    @Test(arguments: [
        ("", "line 1, column 0: not valid json: '[' or '{' expected near end of file"),
        ("{", "line 1, column 1: not valid json: string or '}' expected near end of file"),
        ("{\n  \"ociVersion\" 1}", "line 2, column 16: not valid json: ':' expected near '1'"),
        ("[1] x", "line 1, column 5: not valid json: end of file expected near 'x'"),
        ("nothing", "line 1, column 7: not valid json: '[' or '{' expected near 'nothing'"),
        ("{\"a\": 1e999}", "line 1, column 11: not valid json: real number overflow near '1e999'"),
    ])
    func notJSON(text: String, expected: String) {
        #expect(refusal(text) == expected)
    }

    @Test func duplicateKeysAreNamed() {
        #expect(
            refusal("{\"ociVersion\":\"1.0.0\",\n\"root\":{\"path\":\"a\",\"path\":\"b\"}}")
                == "line 2, column 25: duplicate key \"path\", expected each key once")
    }

    @Test func depthIsLimited() {
        let open = String(repeating: "[", count: 2049)
        #expect(refusal(open).hasSuffix("arrays and objects are nested too deeply, the limit is 2048"))
        // The limit is one of nesting, not of size.
        let nested = String(repeating: "[", count: 1000) + String(repeating: "]", count: 1000)
        #expect(throws: Never.self) { try config("\"x\":\(nested)") }
    }

    @Test func invalidUTF8IsRefused() {
        let bytes = [UInt8]("{\"ociVersion\":\"1.0.0\",\"hostname\":\"".utf8) + [0xff] + [UInt8]("\"}".utf8)
        let error = failure { () throws(SpecError) in try Config.decode(bytes) }
        #expect(error?.kind == .malformed)
    }

    @Test(arguments: ["\"hostname\":\"a\\u0000b\"", "\"annotations\":{\"a\\u0000\":\"b\"}"])
    func charactersThatEndCStringsAreRefused(member: String) {
        let error = failure { () throws(SpecError) in try config(member) }
        #expect(error?.kind == .malformed)
        #expect(error?.problem == "a NUL character in a string")
        // The same when the text has to be read a second time.
        let again = failure { () throws(SpecError) in try config("\"x\":18446744073709551615," + member) }
        #expect(again?.problem == "a NUL character in a string")
        #expect(again?.path == "line 1, column \(member.hasPrefix("\"h") ? 66 : 70)")
    }

    @Test func messagesAreOneLine() {
        let text = refusal("{\"ociVersion\":\"1.0.0\u{1}\n\"}")
        #expect(!text.contains("\n") && !text.contains("\u{1}"))
        #expect(text.hasPrefix("line 1, column"))
    }

    @Test func anObjectIsExpected() {
        #expect(refusal("[]") == "found an array, expected an object")
    }
}

/// Unsigned numbers beyond 63 bits, which the parser has no type for.
struct WideIntegerTests {
    @Test func everyBitIsKept() throws {
        let limit = try process(
            "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":9223372036854775808,\"hard\":18446744073709551615}]"
        )
        .rlimits[0]
        #expect(limit.soft == 1 << 63)
        #expect(limit.hard == UInt64.max)
    }

    @Test func largestIntegersOfTheParserNeedNoSecondReading() throws {
        let limit = try process("\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":9223372036854775807}]")
            .rlimits[0]
        #expect(limit.hard == UInt64(Int64.max))
        // As JavaScript rounds the number above.
        let size = try linux(
            "\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":9223372036854772000}]}")
        #expect(size.resources?.hugepageLimits[0].limit == 9_223_372_036_854_772_000)
    }

    @Test func textIsLeftAlone() throws {
        let wide = "18446744073709551615"
        let decoded = try config("\"annotations\":{\"\(wide)\":\"x \\\\\\\" \(wide)\"},\"x\":[-5,\(wide),1.5e3]")
        #expect(decoded.annotations == [KeyValue(wide, "x \\\" \(wide)")])
    }

    @Test(arguments: [
        ("18446744073709551616", "18446744073709551616"), ("-9223372036854775809", "-9223372036854775809"),
        ("123456789012345678901234567890", "123456789012345678901234567890"), ("-1", "-1"),
    ])
    func outOfRange(literal: String, shown: String) {
        let text = message { () throws(SpecError) in
            try process("\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":0,\"hard\":\(literal)}]")
        }
        #expect(text == "rlimits[0].hard: out of range: \(shown), expected 0 to 18446744073709551615")
    }

    @Test func aWideNumberIsNoText() {
        let text = message { () throws(SpecError) in try config("\"hostname\":18446744073709551615") }
        #expect(text == "hostname: found 18446744073709551615, expected a string")
    }

    @Test func textIsNoWideNumber() {
        let text = message { () throws(SpecError) in
            try process("\"x\":18446744073709551615,\"user\":{\"uid\":\"18446744073709551615\"}")
        }
        #expect(text == "user.uid: found \"18446744073709551615\", expected an integer")
    }

    @Test func placesOfErrorsAreThoseOfTheText() {
        let text = "{\"a\":18446744073709551615,\n \"é\":[18446744073709551615, 9999999999999999999], \"a\":1}"
        #expect(
            message { () throws(SpecError) in try Config.decode([UInt8](text.utf8)) }
                == "line 2, column 53: duplicate key \"a\", expected each key once")
    }

    @Test func leadingZerosStayMistakes() {
        let error = failure { () throws(SpecError) in try config("\"x\":[99999999999999999999,000000000000000000001]") }
        #expect(error?.kind == .malformed)
    }
}
