internal import ContainerRuntime
internal import LinuxSystem
internal import RuntimeSpec

// The values of single options, as people write them.

/// The words of a command line: separated by blanks, with quotes and backslashes as a shell reads them, and without
/// anything else that a shell does.
func splitCommand(_ text: String) throws(RuntimeError) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in text {
        if isEscaped {
            // Within double quotes a backslash stays before what it does not protect.
            if quote != nil, character != "\"", character != "\\" { word = (word ?? "") + "\\" }
            word = (word ?? "") + String(character)
            isEscaped = false
        } else if character == "\\", quote != "'" {
            isEscaped = true
        } else if character == quote {
            quote = nil
        } else if quote == nil, character == "'" || character == "\"" {
            quote = character
            word = word ?? ""
        } else if quote == nil, character == " " || character == "\t" || character == "\n" {
            if let word { words.append(word) }
            word = nil
        } else {
            word = (word ?? "") + String(character)
        }
    }
    if let quote { throw RuntimeError("a quote (\(quote)) is not closed in \"\(text)\"") }
    if isEscaped { throw RuntimeError("nothing follows the last backslash in \"\(text)\"") }
    if let word { words.append(word) }
    guard !words.isEmpty else { throw RuntimeError("there is no command in \"\(text)\"") }
    return words
}

/// `UID[:GID]`; the group of a user without one is that of the same number.
func userIDs(_ text: String) throws(RuntimeError) -> User {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let uid = UInt32(parts[0]), uid != .max,
        let gid = parts.count == 2 ? UInt32(parts[1]) : uid, gid != .max
    else {
        throw RuntimeError("\"\(text)\" is not UID or UID:GID, two numbers")
    }
    return User(uid: uid, gid: gid)
}

/// `512m`: bytes, or thousands of them in powers of 1024.
func memorySize(_ text: String) throws(RuntimeError) -> Int64 {
    var digits = text[...]
    var factor: Int64 = 1
    let units: [(String, Int64)] = [("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40), ("b", 1)]
    if let unit = units.first(where: { text.lowercased().hasSuffix($0.0) }) {
        factor = unit.1
        digits = text.dropLast()
    }
    guard let number = Int64(digits), number > 0,
        case let (bytes, false) = number.multipliedReportingOverflow(by: factor)
    else {
        throw RuntimeError("\"\(text)\" is no size", hint: "give bytes, or a number with k, m, g or t: 512m")
    }
    return bytes
}

/// `1.5`: the processors whose time may be used, as microseconds in a tenth of a second.
func processorTime(_ text: String) throws(RuntimeError) -> CPU {
    let period: UInt64 = 100_000
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let fraction = parts.count == 2 ? parts[1].prefix(5) : ""
    guard parts.count <= 2, let whole = UInt64(parts[0].isEmpty ? "0" : parts[0]), whole <= 100_000,
        let part = UInt64(fraction + String(repeating: "0", count: 5 - fraction.count)),
        parts.count == 1 || (!parts[1].isEmpty && parts[1].allSatisfy(\.isNumber)), whole * period + part >= 1000
    else {
        throw RuntimeError("\"\(text)\" is no number of processors", hint: "give a number such as 1.5, at least 0.01")
    }
    return CPU(quota: Int64(whole * period + part), period: period)
}

func processCount(_ text: String) throws(RuntimeError) -> Int64 {
    guard let number = Int64(text), number > 0 else {
        throw RuntimeError("\"\(text)\" is no number of processes", hint: "give a whole number, 1 or more")
    }
    return number
}

/// `HOST:CONTAINER[:OPTIONS]`; a colon that belongs to a path has a backslash before it.
struct Volume {
    let mount: Mount

    init(_ text: String) throws(RuntimeError) {
        let parts = Self.split(text)
        let destination = parts.count > 1 ? parts[1] : ""
        guard (2...3).contains(parts.count), !parts[0].isEmpty, destination.hasPrefix("/") else {
            throw RuntimeError(
                "\"\(text)\" is not HOST:CONTAINER[:OPTIONS]",
                hint: "CONTAINER is an absolute path; write \\: for a colon in a path")
        }
        let source = try absolute(parts[0])
        try Self.check(source)
        let options = parts.count == 3 ? parts[2].split(separator: ",").map(String.init) : []
        try Self.check(options)
        let kinds: [String] = ["bind", "rbind"]
        mount = Mount(
            destination: destination, type: "bind", source: source,
            options: (options.contains(where: kinds.contains) ? [] : ["rbind"]) + ["nosuid", "nodev"] + options
                // What is mounted below the source is to be read-only as well.
                + (options.contains("ro") ? ["rro"] : []))
    }

    private static func split(_ text: String) -> [String] {
        var parts: [String] = [""]
        var isEscaped = false
        for character in text {
            if isEscaped || (character != ":" && character != "\\") {
                if isEscaped, character != ":", character != "\\" { parts[parts.count - 1] += "\\" }
                parts[parts.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                parts.append("")
            }
        }
        return parts
    }

    /// Before anything is made, and under the name that was given.
    private static func check(_ source: String) throws(RuntimeError) {
        do throws(SystemError) {
            guard let status = try fileStatus(source) else { throw SystemError("stat", source, .noEntry) }
            if status.isDirectory {
                _ = try FileDescriptor.open(source, .place)
            } else if status.kind == .regular {
                _ = try FileDescriptor.open(source, .readOnly)
            }
        } catch {
            throw RuntimeError("the volume \(source) cannot be read", error)
        }
    }

    private static func check(_ options: [String]) throws(RuntimeError) {
        let hint = "a volume takes options such as ro, noexec, suid, dev, rshared"
        let parsed: MountOptions
        do throws(SpecError) {
            parsed = try MountOptions(parsing: options)
        } catch {
            throw RuntimeError("mount option \(error)", hint: hint)
        }
        if let unknown = parsed.data.first { throw RuntimeError("unknown mount option \"\(unknown)\"", hint: hint) }
    }
}
