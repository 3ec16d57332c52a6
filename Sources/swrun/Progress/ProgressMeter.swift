/// How far a step is, how fast it goes and how long it still takes: the numbers of a progress display, and their texts.
struct ProgressMeter: Equatable {
    let step: String
    /// The bytes that the step will take; nil when nobody can know.
    let total: UInt64?
    private(set) var bytes: UInt64 = 0
    private(set) var files: UInt64 = 0
    private let start: Int64
    /// Where the step was at some moments of the last seconds: a rate over the whole time would tell of what was in a cache.
    private var marks: [Mark]

    private struct Mark: Equatable {
        let time: Int64
        let bytes: UInt64
    }

    /// Over how many milliseconds the rate is taken.
    private static let window: Int64 = 10_000

    init(step: String, total: UInt64?, now: Int64) {
        self.step = step
        self.total = total
        start = now
        marks = [Mark(time: now, bytes: 0)]
    }

    mutating func advance(bytes: UInt64, files: UInt64) {
        self.bytes += bytes
        self.files += files
    }

    /// To be called whenever the numbers are going to be shown. `now` is in milliseconds.
    mutating func mark(_ now: Int64) {
        marks.append(Mark(time: now, bytes: bytes))
        while marks.count > 2, let first = marks.first, now - first.time > Self.window { marks.removeFirst() }
    }

    /// Bytes a second.
    func rate(_ now: Int64) -> UInt64 {
        guard let first = marks.first, now > first.time else { return 0 }
        return (bytes - first.bytes) * 1000 / UInt64(now - first.time)
    }

    /// Seconds; nil when nobody can know.
    func remaining(_ now: Int64) -> UInt64? {
        let rate = rate(now)
        guard let total, rate > 0 else { return nil }
        return total > bytes ? (total - bytes + rate - 1) / rate : 0
    }

    /// 0 to 100; nil when nobody can know. What was expected can turn out to be too little.
    var percent: Int? {
        guard let total else { return nil }
        return total == 0 ? 100 : Int(min(100, bytes * 100 / total))
    }

    func milliseconds(_ now: Int64) -> Int64 { now - start }

    // MARK: - Texts

    /// "unpacking  [=====>    ]  54 %  120.1 MiB  88.0 MiB/s  0:02 left", at most `columns` wide.
    func bar(_ now: Int64, columns: Int) -> String {
        var numbers = "  \(Self.amount(bytes))  \(Self.amount(rate(now)))/s"
        if let remaining = remaining(now) { numbers += "  \(Self.duration(remaining)) left" }
        guard let percent else { return clip(step + numbers, columns) }
        let shown = String(percent)
        numbers = "  " + String(repeating: " ", count: 3 - shown.utf8.count) + shown + " %" + numbers
        let room = columns - step.utf8.count - numbers.utf8.count - 4
        guard room >= 5 else { return clip(step + numbers, columns) }
        let width = min(room, 40)
        let filled = width * percent / 100
        var bar = String(repeating: "=", count: filled)
        if filled < width { bar += ">" + String(repeating: " ", count: width - filled - 1) }
        return "\(step)  [\(bar)]\(numbers)"
    }

    private func clip(_ text: String, _ columns: Int) -> String { String(text.prefix(max(0, columns))) }

    /// "unpacking: 54 %, 120.1 of 222.0 MiB ..."
    func line(_ now: Int64) -> String {
        var text = "\(step): "
        if let percent, let total {
            text += "\(percent) %, \(Self.amount(bytes)) of \(Self.amount(total))"
        } else {
            text += Self.amount(bytes)
        }
        text += ", \(Self.amount(rate(now)))/s"
        if let remaining = remaining(now) { text += ", \(Self.duration(remaining)) left" }
        return text
    }

    /// What is said at the end of a step.
    func summary(_ now: Int64) -> String {
        let time = milliseconds(now)
        return "\(step): \(Self.amount(bytes)) in \(time / 1000).\(time / 100 % 10) s"
    }

    /// "120.1 MiB"
    static func amount(_ bytes: UInt64) -> String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var unit = 0
        // Tenths of the unit, so that no floating-point text is needed.
        var tenths = bytes / 1024 * 10 + bytes % 1024 * 10 / 1024
        while tenths >= 10_240, unit < units.count - 1 {
            tenths /= 1024
            unit += 1
        }
        return "\(tenths / 10).\(tenths % 10) \(units[unit])"
    }

    /// "0:07", "1:02:03"
    static func duration(_ seconds: UInt64) -> String {
        func two(_ number: UInt64) -> String { (number < 10 ? "0" : "") + String(number) }
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
        return (hours > 0 ? "\(hours):\(two(minutes))" : "\(minutes)") + ":" + two(seconds % 60)
    }
}
