internal import RuntimeSpec

/// `linux.cgroupsPath` as engines write it for systemd: "slice:prefix:name".
struct ScopeName: Equatable, Sendable {
    /// The slice's unit: "machine.slice", "a-b.slice".
    let slice: String
    /// The scope's unit: "libpod-ID.scope".
    let unit: String
    /// The scope's cgroup below that of the systemd: "/a.slice/a-b.slice/libpod-ID.scope".
    let path: String

    init(cgroupsPath: String?, id: String, _ kind: Systemd.Kind) throws(RuntimeError) {
        var parts = ["", "swrun", id]
        if let cgroupsPath, !cgroupsPath.isEmpty {
            parts = cgroupsPath.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        }
        guard parts.count == 3, !parts[2].isEmpty, !parts.contains(where: { $0.utf8.contains(UInt8(ascii: "/")) })
        else {
            throw RuntimeError(
                at: "linux.cgroupsPath",
                "expected cgroupsPath to be of format \"slice:prefix:name\" for the systemd cgroup manager, got "
                    + "\"\(cgroupsPath ?? "")\"", nil, hint: "such as \"system.slice:swrun:\(id)\"")
        }
        slice = parts[0].isEmpty ? (kind == .system ? "system.slice" : "user.slice") : parts[0]
        unit = Self.escaped(parts[1].isEmpty ? parts[2] : "\(parts[1])-\(parts[2])") + ".scope"
        guard unit.utf8.count < 256 else {
            throw RuntimeError(
                at: "linux.cgroupsPath", "the unit \(unit) would have a name of \(unit.utf8.count) bytes", nil,
                hint: "systemd knows names of 255 bytes at most; choose a shorter prefix or id")
        }
        path = try Self.path(of: slice) + "/" + unit
    }

    /// Where systemd has the cgroup of a slice: "/a.slice/a-b.slice" for "a-b.slice" (systemd.slice(5)).
    private static func path(of slice: String) throws(RuntimeError) -> String {
        if slice == "-.slice" { return "" }
        let steps =
            slice.hasSuffix(".slice")
            ? slice.dropLast(6).split(separator: "-", omittingEmptySubsequences: false) : []
        guard !steps.isEmpty, !steps.contains(where: \.isEmpty), Self.escaped(slice) == slice else {
            throw RuntimeError(
                at: "linux.cgroupsPath", "\"\(slice)\" is no name of a slice", nil,
                hint: "expected one such as \"machine.slice\", or \"a-b.slice\" for the slice b below a")
        }
        var path = ""
        var name = ""
        for step in steps {
            name += (name.isEmpty ? "" : "-") + step
            path += "/\(name).slice"
        }
        return path
    }

    /// The characters that unit names may have (systemd.unit(5)) as they are, others as "\x2b".
    private static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: ":"), UInt8(ascii: "\\"):
                bytes.append(byte)
            default:
                let digits = String(byte, radix: 16)
                bytes += "\\x\(digits.utf8.count < 2 ? "0" : "")\(digits)".utf8
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
