import Testing

@testable import LinuxSystem

@Suite struct RouteMessageTests {
    private struct Record: BitwiseCopyable {
        var word: UInt32 = 0x0403_0201
    }

    @Test func attributesArePaddedAndTheLengthIsThatOfAll() {
        var message = RouteMessage(16, flags: 4, Record())
        message.add(3, "eth0")
        message.add(28, UInt32(7))
        // nlmsghdr: length, type, flags with NLM_F_REQUEST, sequence, port
        let header: [UInt8] = [40, 0, 0, 0, 16, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let name: [UInt8] = [9, 0, 3, 0] + Array("eth0".utf8) + [0, 0, 0, 0]
        #expect(message.bytes == header + [1, 2, 3, 4] + name + [8, 0, 28, 0, 7, 0, 0, 0])
    }

    @Test func whatIsWrittenIsReadAgain() {
        var message = RouteMessage(20, flags: 0, Record())
        message.add(1, [UInt8](repeating: 9, count: 16))
        message.add(3, "a:1")
        let answers = RouteAnswer.parse(message.bytes + message.bytes)
        #expect(answers.map(\.type) == [20, 20])
        for answer in answers {
            #expect(answer.payload.record(Record.self)?.word == 0x0403_0201)
            let attributes = answer.attributes(after: 4)
            #expect(attributes.map(\.type) == [1, 3])
            #expect(attributes.first?.value.count == 16)
            #expect(attributes.last?.value.text == "a:1")
        }
    }

    @Test func whatIsCutShortEndsTheList() {
        var message = RouteMessage(20, flags: 0, Record())
        message.add(3, "eth0")
        for length in 0..<message.bytes.count {
            #expect(RouteAnswer.parse(Array(message.bytes.prefix(length))).isEmpty)
        }
        // A header, or an attribute, that claims more than there is, or less than itself.
        for claim in [0, 15, 0xff] as [UInt8] {
            var bytes = message.bytes
            bytes[0] = claim
            #expect(RouteAnswer.parse(bytes).isEmpty)
        }
        for claim in [0, 3, 0xff] as [UInt8] {
            var bytes = message.bytes
            bytes[20] = claim
            #expect(RouteAnswer.parse(bytes).first?.attributes(after: 4).isEmpty == true)
        }
    }
}
