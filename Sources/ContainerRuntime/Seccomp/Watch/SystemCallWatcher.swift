internal import LinuxSystem
internal import RuntimeSpec

/// Answers for the system calls of a container, from the moment its filter is loaded. The container waits for every
/// answer: whoever waits for the container must go on answering, with `wait` or with `pollEntry` and `handle`.
final class SystemCallWatcher {
    private enum Work {
        case record(SystemCallRecording, RecordingFile)
        case explain(DenialReport)
    }

    /// Nil until the filter is loaded.
    private var listener: FileDescriptor?
    private let reader: NotificationReader
    private var work: Work
    /// No process of the container is left.
    private var isOver = false

    /// - Parameter profile: what config.json asks for
    init(_ watch: SeccompWatch, _ profile: Seccomp?, _ cache: SeccompCache) throws(RuntimeError) {
        reader = try explain("cannot watch system calls") { () throws(SystemError) in try NotificationReader() }
        switch watch {
        case .record(let file): work = .record(SystemCallRecording(), file)
        case .explain:
            let profile = profile ?? Seccomp(defaultAction: .allow)
            work = .explain(try DenialReport(profile, try SeccompFilter.compile(profile, cache: cache)))
        }
    }

    /// Takes the listener out of the container's first process.
    ///
    /// - Parameter number: what that process announced (`FileDescriptor.nextNumber()`)
    func attach(_ number: Int32, of process: borrowing FileDescriptor) throws(RuntimeError) {
        let taken = try SeccompListener.take(number, from: process)
        taken.wakeSynchronously()
        listener = consume taken
    }

    /// What to wait for beside other things.
    var pollEntry: PollEntry? {
        guard !isOver, let number = listener.number else { return nil }
        return PollEntry(number, readable: true)
    }

    /// Answers one call, when `entry` says that there is one.
    ///
    /// - Parameter warn: told about calls that are denied
    func handle(_ entry: PollEntry, _ warn: (String) -> Void) throws(RuntimeError) {
        guard entry.isReadable else {
            if entry.isReady { isOver = true }
            return
        }
        do throws(SystemError) {
            guard let notification = try reader.next(from: entry.descriptor) else { return }
            switch work {
            case .record(var recording, let file):
                // Taken out while it is changed: a second owner would have it copied.
                work = .record(SystemCallRecording(), file)
                recording.add(notification.call)
                work = .record(recording, file)
                try letProceed(notification, by: entry.descriptor)
            case .explain(let report):
                try report.answer(notification, entry.descriptor, warn)
            }
        } catch {
            throw RuntimeError("cannot answer the container's system calls", error)
        }
    }

    /// Answers calls until one of two files can be read, or its other end is closed.
    func wait(for file: Int32, or other: Int32, _ warn: (String) -> Void) throws(RuntimeError) {
        while true {
            var entries = [PollEntry(file, readable: true), PollEntry(other, readable: true)]
            if let pollEntry { entries.append(pollEntry) }
            try explain("cannot wait for the container") { () throws(SystemError) in _ = try poll(&entries) }
            if entries.count > 2 { try handle(entries[2], warn) }
            if entries[0].isReady || entries[1].isReady { return }
        }
    }

    /// Answers calls while another process does `work`, for which this one would have to wait.
    func answer(during work: () throws(RuntimeError) -> Void, _ warn: (String) -> Void) throws(RuntimeError) {
        let report = try explain("cannot make a pipe") { () throws(SystemError) in try Pipe() }
        let made = try explain("cannot make a process for hooks") { () throws(SystemError) in try clone() }
        switch consume made {
        case .child:
            do throws(RuntimeError) {
                try work()
                exitNow(0)
            } catch {
                try? report.write.write(error.message)
                exitNow(1)
            }
        case .parent(let worker):
            let reader = report.reader()
            try wait(for: worker.pidfd.rawValue, or: reader.rawValue, warn)
            let said = try explain("cannot hear from the process for hooks") { () throws(SystemError) in
                let said = try reader.read(upTo: 8192)
                try waitForEnd(of: worker.pid)
                return said
            }
            if !said.isEmpty { throw RuntimeError(String(decoding: said, as: UTF8.self)) }
        }
    }

    /// How the process ended, as far as the kernel's filter would have it: what had to be killed here in its stead.
    func corrected(_ end: ProcessEnd, of process: Int32) -> ProcessEnd {
        guard case .explain(let report) = work, report.killed.contains(process),
            end == .killed(signal: SignalNumber.kill)
        else { return end }
        return .killed(signal: SignalNumber.badSystemCall)
    }

    /// The container could not be started: a recording of that is worth nothing, but a denial may be the reason.
    func giveUp(_ tell: (String) -> Void) {
        guard case .explain(let report) = work, report.hasDenied else { return }
        for line in report.summary { tell(line) }
    }

    /// Writes down what was learnt.
    ///
    /// - Parameter tell: gets the summary, line by line
    func finish(_ tell: (String) -> Void) throws(RuntimeError) {
        switch work {
        case .record(let recording, let file):
            try file.write(recording)
            for line in recording.summary(writtenTo: file.description) { tell(line) }
        case .explain(let report):
            for line in report.summary { tell(line) }
        }
    }
}

extension SystemCallRecording {
    fileprivate func summary(writtenTo path: String) -> [String] {
        let parts = byArchitecture
        let counts = parts.map { "\($0.names.count) on \($0.architecture)" }.joined(separator: ", ")
        var lines = [
            "recorded system calls: \(counts), of \(total) made; \(path) allows these, and nothing that this run did not do"
        ]
        let companions = companions
        if !companions.isEmpty {
            lines.append(
                "allowed too, for whether they are made depends on signals, pauses and which thread is first: "
                    + companions.joined(separator: ", "))
        }
        for part in parts where !part.nameless.isEmpty {
            let numbers = part.nameless.map { "\($0)" }.joined(separator: ", ")
            lines.append("left out, for no call has such a number on \(part.architecture): \(numbers)")
        }
        return lines
    }
}
