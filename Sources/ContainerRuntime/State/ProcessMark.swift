internal import LinuxSystem
package import RuntimeSpec

/// A process, told apart from a later one with the same number.
package struct ProcessMark: Equatable, Sendable {
    package let pid: Int32
    /// Field 22 of /proc/PID/stat (proc(5)).
    let startTime: UInt64

    static var current: ProcessMark {
        let pid = currentProcessID()
        return ProcessMark(pid: pid, startTime: processStartTime(pid) ?? 0)
    }

    var isAlive: Bool { processStartTime(pid) == startTime }
}

extension ProcessMark: JSONEncodable, JSONDecodable {
    package var json: JSON {
        .members {
            $0.add("pid", Int(pid))
            $0.add("startTime", .uint(startTime))
        }
    }

    package init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        pid = try object.required("pid")
        startTime = try object.required("startTime")
    }
}
