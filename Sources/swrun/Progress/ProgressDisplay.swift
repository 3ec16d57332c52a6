internal import ContainerRuntime
internal import ImageBundle
internal import LinuxSystem
internal import RuntimeSpec

/// Shows how far `bundle` is: a bar on a terminal, lines elsewhere, JSON for programs.
final class ProgressDisplay: ProgressSink {
    enum Style: Equatable {
        /// One line on a terminal that is written again and again.
        case bar
        /// A line now and then. `isPatient`: none for what is over soon.
        case plain(isPatient: Bool)
        /// An object on a line of stdout, several times a second.
        case json
        case none

        /// Milliseconds between two showings.
        var interval: Int64 {
            switch self {
            case .bar, .json: 100
            case .plain: 2000
            case .none: .max
            }
        }
    }

    private let style: Style
    private var meter: ProgressMeter?
    private var lastShown: Int64 = 0
    private var hasSpoken = false
    /// Whether the cursor stands behind a bar.
    private var isBarOnScreen = false
    /// Looking at the clock for each file would cost as much as the file.
    private var sinceLook: UInt64 = 0

    init(_ style: Style) { self.style = style }

    /// - Parameter choice: the value of `--progress`: auto, plain, json or none.
    convenience init(choice: String?) {
        switch choice {
        case "plain": self.init(.plain(isPatient: false))
        case "json": self.init(.json)
        case "none": self.init(.none)
        default: self.init(isTerminal(2) ? .bar : .plain(isPatient: true))
        }
    }

    func begin(_ step: String, total: UInt64?) {
        guard style != .none else { return }
        let now = monotonicMilliseconds()
        meter = ProgressMeter(step: step, total: total, now: now)
        hasSpoken = false
        lastShown = now
        if style != .plain(isPatient: true) { show(now) }
    }

    func advance(bytes: UInt64, files: UInt64) {
        guard meter != nil else { return }
        meter?.advance(bytes: bytes, files: files)
        sinceLook += bytes + files << 14
        guard sinceLook >= 1 << 18 else { return }
        sinceLook = 0
        let now = monotonicMilliseconds()
        if now - lastShown >= style.interval { show(now) }
    }

    func finish() {
        guard var meter else { return }
        let now = monotonicMilliseconds()
        meter.mark(now)
        self.meter = nil
        switch style {
        case .bar:
            clear()
            // What took a moment needs no line of its own.
            if meter.milliseconds(now) >= 1000 { say(meter.summary(now) + "\n") }
        case .plain(let isPatient):
            if hasSpoken || !isPatient { say(meter.summary(now) + "\n") }
        case .json: say(json(meter, now, isFinished: true))
        case .none: break
        }
    }

    /// Takes the bar off the screen, for a line that somebody else writes.
    func clear() {
        guard isBarOnScreen else { return }
        say("\r\u{1b}[K")
        isBarOnScreen = false
    }

    private func show(_ now: Int64) {
        lastShown = now
        guard var meter else { return }
        meter.mark(now)
        self.meter = meter
        switch style {
        case .bar:
            let columns = terminalColumns(2) ?? 80
            say("\r" + meter.bar(now, columns: columns - 1) + "\u{1b}[K")
            isBarOnScreen = true
        case .plain: say(meter.line(now) + "\n")
        case .json: say(json(meter, now, isFinished: false))
        case .none: break
        }
        hasSpoken = true
    }

    private func json(_ meter: ProgressMeter, _ now: Int64, isFinished: Bool) -> String {
        var members: [JSON.Member] = [
            JSON.Member("step", .string(meter.step)), JSON.Member("bytes", .uint(meter.bytes)),
            JSON.Member("files", .uint(meter.files)),
        ]
        if let total = meter.total { members.append(JSON.Member("total", .uint(total))) }
        members.append(JSON.Member("rate", .uint(meter.rate(now))))
        if let remaining = meter.remaining(now) { members.append(JSON.Member("remaining", .uint(remaining))) }
        members.append(JSON.Member("finished", .bool(isFinished)))
        return JSON.object(members).serialized() + "\n"
    }

    /// A reader that has gone away is no reason to stop.
    private func say(_ text: String) { try? write(text, to: style == .json ? 1 : 2) }
}
