internal import LinuxSystem

/// Reading of control files. What a kernel does not count has no file, and counts as nothing.
struct ControlReader {
    let directory: String

    func bytes(_ file: String) -> [UInt8] {
        (try? readFile("\(directory)/\(file)", limit: 4 << 20)) ?? []
    }

    /// The number in a file of one; 0 for "max" unless told otherwise.
    func number(_ file: String, max: UInt64 = 0) -> UInt64 {
        let text = Self.text(bytes(file).prefix { $0 != UInt8(ascii: "\n") })
        return text == "max" ? max : UInt64(text) ?? 0
    }

    /// Numbers with a space between them.
    func numbers(_ file: String) -> [UInt64] { Self.words(bytes(file)).compactMap { UInt64(Self.text($0)) } }

    /// A file of lines "name number".
    func table(_ file: String) -> [CgroupStatistics.Named<UInt64>] {
        lines(file).compactMap { line in
            guard line.count == 2, let value = UInt64(line[1]) else { return nil }
            return CgroupStatistics.Named(line[0], value)
        }
    }

    /// The words of each line.
    func lines(_ file: String) -> [[String]] {
        bytes(file).split(separator: UInt8(ascii: "\n")).map { Self.words($0).map(Self.text) }
    }

    /// The members of a list such as "0-3,7".
    func list(_ file: String) -> [UInt32] {
        var members: [UInt32] = []
        for range in bytes(file).prefix(while: { $0 != UInt8(ascii: "\n") }).split(separator: UInt8(ascii: ",")) {
            let ends = range.split(separator: UInt8(ascii: "-")).compactMap { UInt32(Self.text($0)) }
            guard let first = ends.first, let last = ends.last, first <= last, last - first < 1 << 16 else { continue }
            members += first...last
        }
        return members
    }

    /// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"; nil where the kernel does not measure it.
    func pressure(_ file: String) -> CgroupStatistics.Pressure? {
        let lines = lines(file)
        guard !lines.isEmpty else { return nil }
        var pressure = CgroupStatistics.Pressure()
        for line in lines {
            var values = CgroupStatistics.Pressure.Line()
            for word in line.dropFirst() {
                let parts = word.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else { continue }
                // A number with two decimals is a hundred times a whole one.
                let value = UInt64(parts[1].filter { $0 != "." }) ?? 0
                switch parts[0] {
                case "avg10": values.averages[0] = value
                case "avg60": values.averages[1] = value
                case "avg300": values.averages[2] = value
                case "total": values.total = value
                default: continue
                }
            }
            if line[0] == "some" { pressure.some = values } else { pressure.full = values }
        }
        return pressure
    }

    private static func words(_ bytes: some Collection<UInt8>) -> [ArraySlice<UInt8>] {
        Array(bytes).split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}

extension [CgroupStatistics.Named<UInt64>] {
    subscript(name: String) -> UInt64 { first { $0.name == name }?.value ?? 0 }
}
