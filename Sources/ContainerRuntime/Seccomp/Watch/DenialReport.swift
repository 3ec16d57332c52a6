internal import LinuxSystem
internal import RuntimeSpec

/// Denies what a filter denies, and says so: each call of each program once as it happens, and all of them at the end.
final class DenialReport {
    private struct Kind: Hashable {
        let token: UInt32
        let number: UInt32
        let answer: UInt32
        let program: String
    }

    private let profile: Seccomp
    private let machine: FilterMachine
    /// Those that the filter has rules for.
    private let architectures: [UInt32]
    private var seen: [Kind: Int] = [:]
    private var order: [Kind] = []
    private var untold = 0
    /// Processes that were killed here because the filter would have had them killed.
    private(set) var killed: Set<Int32> = []

    /// A container may invent names of programs without end.
    private static let kindLimit = 1000

    init(_ profile: Seccomp, _ filter: SeccompFilter) throws(RuntimeError) {
        self.profile = profile
        machine = FilterMachine(program: filter.program)
        architectures = try SeccompCompiler.architectures(of: profile).map(\.token)
    }

    func answer(
        _ notification: SystemCallNotification, _ listener: Int32, _ warn: (String) -> Void
    ) throws(SystemError) {
        guard let value = machine.run(notification.call)?.answer, SeccompAnswer(value).isDenial else {
            return try letProceed(notification, by: listener)
        }
        let answer = SeccompAnswer(value)
        let caller = CallingProcess(notification)
        let arguments = caller.arguments(of: notification.call)
        // Whoever does not wait any more was killed, or makes its call again; what was read may be another's.
        guard isWaiting(notification, at: listener) else { return }
        note(notification.call, answer, caller, arguments, warn)
        if let errno = answer.errno { return try fail(notification, with: errno, by: listener) }
        if caller.end(mayHandle: answer.isTrap) { killed.insert(caller.process) }
        try fail(notification, with: .notImplemented, by: listener)
    }

    private func note(
        _ call: SystemCall, _ answer: SeccompAnswer, _ caller: CallingProcess, _ arguments: String,
        _ warn: (String) -> Void
    ) {
        let token = SystemCallArchitecture.token(of: call)
        let kind = Kind(token: token, number: call.number, answer: answer.value, program: caller.program)
        if let count = seen[kind] {
            seen[kind] = count + 1
            return
        }
        guard order.count < Self.kindLimit else {
            untold += 1
            return
        }
        seen[kind] = 1
        order.append(kind)
        let name = SystemCallNames.name(of: call.number, on: token)
        warn(
            "seccomp denied \(label(token, call.number)) to \(caller.program) (process \(caller.process)): "
                + "\(name ?? "syscall")(\(arguments)) = \(answer.text)\(reason(token, name, answer))")
    }

    /// "socket (41)", with the architecture where it is not the machine's own.
    private func label(_ token: UInt32, _ number: UInt32) -> String {
        let name = SystemCallNames.name(of: number, on: token)
        let foreign = token == SystemCallArchitecture.native ? "" : " on \(SystemCallArchitecture.name(of: token))"
        return (name.map { "\($0) (\(number))" } ?? "number \(number)") + foreign
    }

    /// Why, where the profile does not say it in so many words.
    private func reason(_ token: UInt32, _ name: String?, _ answer: SeccompAnswer) -> String {
        if !architectures.contains(token) { return ", for linux.seccomp.architectures does not list this one" }
        let isNamed = profile.syscalls.contains { rule in name.map { rule.names.contains($0) } ?? false }
        if isNamed {
            return profile.syscalls.contains { !$0.args.isEmpty && $0.names.contains(name ?? "") }
                ? ", by a rule about its arguments" : ""
        }
        if answer.errno == .notImplemented, profile.defaultErrnoRet.map({ Int32($0) }) != Errno.notImplemented.code {
            return ", as for every call that is younger than the profile"
        }
        return ""
    }

    // MARK: The summary

    private struct Total {
        let token: UInt32
        let number: UInt32
        var count: Int
        /// Whether every answer was ENOSYS.
        var isUnknown: Bool

        /// Whether a program that was told that there is no such call has done without. Programs know kernels that lack
        /// the calls since Linux 5.1, whose numbers are the same on all architectures; of older ones they do not expect it.
        var hasSubstitute: Bool {
            let mark = token == SystemCallArchitecture.x32Token ? SystemCallArchitecture.x32Bit : 0
            return isUnknown && number & ~mark >= Self.firstOfLinux51
        }

        /// pidfd_send_signal
        private static let firstOfLinux51: UInt32 = 424
    }

    private var totals: [Total] {
        var totals: [Total] = []
        for kind in order {
            let count = seen[kind] ?? 0
            let isUnknown = SeccompAnswer(kind.answer).errno == .notImplemented
            if let index = totals.firstIndex(where: { $0.token == kind.token && $0.number == kind.number }) {
                totals[index].count += count
                totals[index].isUnknown = totals[index].isUnknown && isUnknown
            } else {
                totals.append(Total(token: kind.token, number: kind.number, count: count, isUnknown: isUnknown))
            }
        }
        return totals
    }

    var hasDenied: Bool { !order.isEmpty }

    var summary: [String] {
        let totals = totals
        if totals.isEmpty { return ["seccomp denied nothing in this run"] }
        let times = totals.map { "\(label($0.token, $0.number)) \($0.count == 1 ? "once" : "\($0.count) times")" }
        var lines = ["seccomp denied \(times.joined(separator: ", "))"]
        if untold > 0 { lines.append("seccomp denied \(untold) more calls, to further programs") }
        // Numbers are those of the machine's own architecture; a name stands for the call on all of them.
        let allowable = totals.filter { architectures.contains($0.token) }
        let listed = allowable.filter { !$0.hasSubstitute }
        let names = listed.compactMap { SystemCallNames.name(of: $0.number, on: $0.token) }
        let numbers = listed.filter { $0.token == SystemCallArchitecture.native }.compactMap { (total) in
            SystemCallNames.name(of: total.number, on: total.token) == nil ? nil : "\(total.number)"
        }
        if !names.isEmpty {
            lines.append(
                "to allow them: -S \(unique(names).joined(separator: ","))"
                    + (numbers.isEmpty ? "" : " (by number: -S \(numbers.joined(separator: ",")))"))
        }
        let replaced = unique(
            allowable.filter(\.hasSubstitute).compactMap { SystemCallNames.name(of: $0.number, on: $0.token) })
        if !replaced.isEmpty {
            lines.append(
                "\(replaced.joined(separator: ", ")) answered ENOSYS, upon which programs take an older call: not in the "
                    + "list; where one did not, allow it too: -S \(replaced.joined(separator: ","))")
        }
        let foreign = unique(
            totals.filter { !architectures.contains($0.token) }.compactMap {
                SystemCallArchitecture.word(for: $0.token)?.rawValue
            })
        if !foreign.isEmpty {
            lines.append("to allow calls of \(foreign.joined(separator: ", ")): list it in linux.seccomp.architectures")
        }
        return lines
    }

    private func unique(_ words: [String]) -> [String] {
        var result: [String] = []
        for word in words where !result.contains(word) { result.append(word) }
        return result
    }
}
