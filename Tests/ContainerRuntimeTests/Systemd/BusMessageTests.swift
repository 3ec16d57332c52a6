import Testing

@testable import ContainerRuntime

@Suite struct BusMessageTests {
    /// A call as the specification's rules give it, byte by byte.
    @Test func aCallHasTheBytesOfTheSpecification() {
        var message = BusMessage(call: "M", of: "a.B", at: "/p", destination: "d.E", [.uint32(7), .string("x")])
        message.serial = 2
        let header: [UInt8] = [
            0x6c, 1, 0, 1, 10, 0, 0, 0, 2, 0, 0, 0, 75, 0, 0, 0,
            1, 1, 0x6f, 0, 2, 0, 0, 0, 0x2f, 0x70, 0, 0, 0, 0, 0, 0,
            2, 1, 0x73, 0, 3, 0, 0, 0, 0x61, 0x2e, 0x42, 0, 0, 0, 0, 0,
            3, 1, 0x73, 0, 1, 0, 0, 0, 0x4d, 0, 0, 0, 0, 0, 0, 0,
            6, 1, 0x73, 0, 3, 0, 0, 0, 0x64, 0x2e, 0x45, 0, 0, 0, 0, 0,
            8, 1, 0x67, 0, 2, 0x75, 0x73, 0,
        ]
        let fields = header.count - 16
        var expected = header
        expected[12] = UInt8(fields)
        #expect(message.bytes == expected + [7, 0, 0, 0, 1, 0, 0, 0, 0x78, 0])
    }

    @Test func whatIsWrittenIsReadAgain() throws {
        let values: [BusValue] = [
            .byte(1), .boolean(true), .int16(-2), .uint16(3), .int32(-4), .uint32(5), .int64(-6), .uint64(.max),
            .double(1.5), .string("text"), .objectPath("/a/b"), .signature("a{sv}"), .strings(["a", "", "ccc"]),
            .array(of: "(st)", []), .bytes([1, 2, 3]),
            .array(
                of: "(sv)",
                [
                    .structure([
                        .string("Name"),
                        .variant(
                            .array(
                                of: "(st)",
                                [
                                    .structure([.string("/dev/block/8:0"), .uint64(1)])
                                ])),
                    ])
                ]),
            .array(of: "{sv}", [.entry(.string("k"), .variant(.variant(.byte(9))))]),
        ]
        var message = BusMessage(call: "Member", of: "org.example.I", at: "/o", destination: "org.example", values)
        message.serial = 77
        let bytes = message.bytes
        #expect(try BusMessage.length(Array(bytes.prefix(BusMessage.prefixLength))) == bytes.count)
        #expect(try BusMessage(bytes) == message)
    }

    @Test func aMessageInTheOtherOrderOfBytesIsRead() throws {
        // An error without a body, in reply to call 3
        let bytes: [UInt8] = [
            0x42, 3, 1, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 24,
            4, 1, 0x73, 0, 0, 0, 0, 3, 0x61, 0x2e, 0x62, 0, 0, 0, 0, 0,
            5, 1, 0x75, 0, 0, 0, 0, 3,
        ]
        let message = try BusMessage(bytes)
        #expect(message.kind == .error)
        #expect(message.serial == 9)
        #expect(message.errorName == "a.b")
        #expect(message.replySerial == 3)
    }

    /// Whatever comes, it is an error and no crash.
    @Test func brokenMessagesAreRefused() throws {
        var message = BusMessage(
            call: "M", of: "a.B", at: "/p", destination: "d.E", [.strings(["a", "b"]), .variant(.byte(1))])
        message.serial = 1
        let bytes = message.bytes
        for length in 0..<bytes.count {
            #expect(throws: BusFailure.self) { try BusMessage(Array(bytes.prefix(length))) }
        }
        for index in bytes.indices {
            for value: UInt8 in [0, 1, 0x28, 0x61, 0x7f, 0xff] where bytes[index] != value {
                var broken = bytes
                broken[index] = value
                _ = try? BusMessage(broken)
                _ = try? BusMessage.length(Array(broken.prefix(BusMessage.prefixLength)))
            }
        }
    }

    @Test func nothingNestsWithoutEnd() {
        // A variant in a variant in a variant ...
        var body: [UInt8] = []
        for _ in 0..<200 { body += [1, UInt8(ascii: "v"), 0] }
        var reader = BusReader(body)
        #expect(throws: BusFailure.malformed("it is nested too deeply")) { try reader.values("v") }
    }

    @Test(arguments: [
        ("unix:path=/run/user/1000/bus", "/run/user/1000/bus"), ("unix:path=/a%20b,guid=00", "/a b"),
        ("tcp:host=x;unix:abstract=/tmp/x,guid=1", "@/tmp/x"),
    ])
    func addressesAreFound(_ text: String, _ path: String) {
        #expect(BusAddress.parse(text) == [BusAddress(path: path, isBus: true)])
    }
}
