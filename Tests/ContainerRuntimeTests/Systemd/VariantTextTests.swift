import RuntimeSpec
import Testing

@testable import ContainerRuntime

@Suite struct VariantTextTests {
    @Test(arguments: [
        ("true", BusValue.boolean(true)), ("5", .int32(5)), ("-5", .int32(-5)), ("0x1f", .int32(31)),
        ("uint64 30000000", .uint64(30_000_000)), ("byte 7", .byte(7)), ("int16 -7", .int16(-7)),
        ("1.5", .double(1.5)), ("double 2", .double(2)), ("'text'", .string("text")), ("\"it's\"", .string("it's")),
        ("'a\\nb\\'c\\u00e9'", .string("a\nb'cé")), ("objectpath '/a'", .objectPath("/a")),
        ("['a', 'b']", .strings(["a", "b"])), ("@as []", .strings([])),
        ("[uint64 1, 2]", .array(of: "t", [.uint64(1), .uint64(2)])),
        ("@at [1,2]", .array(of: "t", [.uint64(1), .uint64(2)])),
        ("('a', uint64 1)", .structure([.string("a"), .uint64(1)])),
        ("@a(st) [('/dev/sda', 5)]", .array(of: "(st)", [.structure([.string("/dev/sda"), .uint64(5)])])),
        ("<'x'>", .variant(.string("x"))), (" 'spaces' ", .string("spaces")),
    ])
    func values(_ text: String, _ value: BusValue) throws {
        #expect(try VariantText.value(text) == value)
    }

    @Test(arguments: [
        "", "text", "'open", "uint64 -1", "byte 256", "[]", "[1, 'a']", "(1", "5 6", "uint64 'x'", "@as 5", "()", "[1",
        "'\\u12'", "@t 'x'", "@", "@as", "uint64", "uint64 true", "[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]",
        "@(st) ('a')",
    ])
    func whatIsNoValueIsRefused(_ text: String) {
        #expect(throws: VariantFault.self) { try VariantText.value(text) }
    }

    @Test func secondsBecomeMicroseconds() throws {
        func properties(_ name: String, _ value: String) throws -> [ScopeProperty] {
            try ScopeAnnotations.properties([KeyValue("org.systemd.property.\(name)", value)])
        }
        #expect(try properties("TimeoutStopSec", "5") == [ScopeProperty("TimeoutStopUSec", .uint64(5_000_000))])
        #expect(try properties("TimeoutStopSec", "0.5") == [ScopeProperty("TimeoutStopUSec", .uint64(500_000))])
        #expect(try properties("TimeoutStopUSec", "uint64 5") == [ScopeProperty("TimeoutStopUSec", .uint64(5))])
        #expect(throws: RuntimeError.self) { try properties("A.B", "true") }
        #expect(throws: RuntimeError.self) { try properties("", "true") }
        #expect(try ScopeAnnotations.properties([KeyValue("org.other", "?")]).isEmpty)
    }
}
