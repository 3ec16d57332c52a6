package import LinuxSystem
package import RuntimeSpec

extension ProcessMark: JSONEncodable, JSONDecodable {
    package var json: JSON {
        .members {
            $0.add("pid", Int(pid))
            $0.add("startTime", .uint(startTime))
        }
    }

    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(pid: try object.required("pid"), startTime: try object.required("startTime"))
    }
}
