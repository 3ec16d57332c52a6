internal import ContainerRuntime
internal import RuntimeSpec

extension Option {
    static let stats = Option("stats", help: "print what was counted until now, and end")
    static let interval = Option(
        "interval", nil, .text("DURATION"), help: "the time between two counts, such as 500ms or 1m30s (default: 5s)")
}

extension Command {
    static let events = Command(
        verb: .events,
        summary: "print what happens to a container, as JSON",
        details: [
            "One line each: the type stats tells of time, memory, processes and transfers used so far, the type oom that "
                + "the kernel killed a process for lack of memory. It ends with the container."
        ],
        operands: [.container],
        options: [.stats, .interval],
        isParsed: true,
        run: EventsCommand.run)
}

enum EventsCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        let text = call.arguments[.interval] ?? "5s"
        guard let interval = milliseconds(text) else {
            throw RuntimeError(
                "events: option --interval needs a time such as 5s, not \"\(text)\"",
                hint: "numbers with the units ms, s, m and h")
        }
        guard interval > 0 else { throw RuntimeError("events: option --interval must be greater than 0") }
        let (id, root) = (try ContainerID(call.arguments.operands[0]), call.global.stateRoot)
        if call.arguments.has(.stats) {
            try print(try WatchContainer.statistics(id, in: root))
        } else {
            try WatchContainer.run(id, in: root, interval: interval, print)
        }
        return 0
    }

    private static func print(_ event: JSON) throws(RuntimeError) { try output(event.serialized() + "\n") }
}

/// A time as Go programs write it: numbers, which may have decimals, each with a unit ("1h", "1m30s", "1.5s"), or 0.
/// What is shorter than a millisecond counts as one.
func milliseconds(_ text: String) -> Int64? {
    if text == "0" { return 0 }
    let units: [(name: String, milliseconds: Double)] = [
        ("ms", 1), ("us", 0.001), ("µs", 0.001), ("ns", 0.000_001), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
    ]
    var rest = text[...]
    var sum = 0.0
    while !rest.isEmpty {
        let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        rest = rest[digits.endIndex...]
        guard digits != ".", let number = Double(digits), let unit = units.first(where: { rest.hasPrefix($0.name) })
        else { return nil }
        rest = rest.dropFirst(unit.name.count)
        sum += number * unit.milliseconds
    }
    guard !text.isEmpty, sum < 1e15 else { return nil }
    return sum > 0 ? max(1, Int64(sum)) : 0
}
