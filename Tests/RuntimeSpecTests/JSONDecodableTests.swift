import RuntimeSpec
import Testing

/// Documents of other parts of the runtime are written and read with the same tools.
struct JSONDecodableTests {
    private struct Note: Equatable, JSONDecodable, JSONEncodable {
        var state: State
        var driver: String?
        var starts: UInt64
        var labels: [KeyValue]

        init(state: State, driver: String?, starts: UInt64, labels: [KeyValue]) {
            self.state = state
            self.driver = driver
            self.starts = starts
            self.labels = labels
        }

        init(json: JSONValue) throws(SpecError) {
            let object = try json.object()
            self.init(
                state: try object.required("state"), driver: try object.optional("driver"),
                starts: try object.required("starts"), labels: try object.strings("labels"))
        }

        var json: JSON {
            var members = JSONMembers()
            members.add("state", state)
            members.add("driver", driver)
            members.add("starts", starts)
            members.add("labels", labels)
            return members.json
        }
    }

    @Test func roundTrip() throws {
        let note = Note(
            state: State(id: "c", pid: 1, status: .created, bundle: "/b"), driver: nil, starts: .max,
            labels: [KeyValue("b", "1"), KeyValue("a", "2")])
        #expect(try Note.decode(note.json.bytes()) == note)
    }

    @Test func errorsCarryThePath() {
        let text = #"{"state":{"ociVersion":"1.3.0","id":"c","status":"created","bundle":7},"starts":1}"#
        #expect(
            message { () throws(SpecError) in try Note.decode([UInt8](text.utf8)) }
                == "state.bundle: found 7, expected a string")
    }
}
