internal import LinuxSystem

/// Small files of an image, looked up as if the image were the root: no link leads out of it.
enum ImageFile {
    private static let largest = 1 << 20

    /// - Returns: nil when it is not there, is no ordinary file or is too large
    static func read(_ path: String, in root: borrowing RootDirectory) -> [UInt8]? {
        guard let file = try? root.open(path, [.readOnly, .nonBlocking]), (try? file.status().kind) == .regular else {
            return nil
        }
        return try? file.readToEnd(limit: largest)
    }

    /// Whether the path leads to something, or is a link to where another partition may be mounted.
    static func exists(_ path: String, in root: borrowing RootDirectory) -> Bool {
        if (try? root.open(path)) != nil { return true }
        guard let place = try? root.open(path, .entry) else { return false }
        return (try? place.status().kind) == .symbolicLink
    }
}

/// What /etc/os-release says, os-release(5).
struct OSRelease: Equatable {
    var id = ""
    var version = ""
    /// For people: "Debian GNU/Linux 12 (bookworm)".
    var name = "a system without a name"

    init() {}

    init(_ text: [UInt8]) {
        var plainName = ""
        for (key, value) in Self.assignments(text) {
            switch key {
            case "ID": id = value
            case "VERSION_ID": version = value
            case "PRETTY_NAME": name = value
            case "NAME": plainName = value
            default: break
            }
        }
        if name == "a system without a name", !plainName.isEmpty { name = plainName }
    }

    /// The lines `KEY=value` of a shell-like file, quotation marks removed.
    static func assignments(_ text: [UInt8]) -> [(key: String, value: String)] {
        var found: [(key: String, value: String)] = []
        for line in text.split(separator: 10).prefix(200) {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")), line.first != UInt8(ascii: "#") else { continue }
            var value = line[(equals + 1)...]
            while let last = value.last, last <= 32 { value.removeLast() }
            if let quote = value.first, quote == 0x22 || quote == 0x27, value.count >= 2, value.last == quote {
                value = value.dropFirst().dropLast()
            }
            // What goes on into annotations and messages is text of one line.
            let clean = value.filter { $0 >= 32 && $0 != 127 }
            found.append(
                (String(decoding: line[..<equals], as: UTF8.self), String(decoding: clean.prefix(256), as: UTF8.self)))
        }
        return found
    }
}
