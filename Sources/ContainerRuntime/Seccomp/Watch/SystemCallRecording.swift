internal import LinuxSystem
internal import RuntimeSpec

/// The system calls that were seen, each once.
struct SystemCallRecording {
    private struct Seen {
        /// libseccomp's SCMP_ARCH_*
        let token: UInt32
        /// Numbers below `limit`, a bit each.
        var numbers = [UInt64](repeating: 0, count: limit / 64)
        /// Larger ones, which no kernel has; a few are kept to be told of.
        var strange: [UInt32] = []
        var makesThreads = false
        private let clone: UInt32?
        private let clone3: UInt32?

        static let limit = 1024
        static let strangeLimit = 16
        private static let threadFlag: UInt64 = 0x1_0000  // CLONE_THREAD

        init(token: UInt32) {
            self.token = token
            clone = SystemCallNames.number(of: "clone", on: token)
            clone3 = SystemCallNames.number(of: "clone3", on: token)
        }

        /// Whether a call makes a thread. The flags of clone3(2) are in memory; C libraries use it for threads.
        func isThread(_ call: SystemCall) -> Bool {
            call.number == clone3
                || call.number == clone && call.arguments.first.map { $0 & Self.threadFlag != 0 } ?? false
        }
    }

    private var seen: [Seen] = []
    private(set) var total: UInt64 = 0

    mutating func add(_ call: SystemCall) {
        total += 1
        let token = SystemCallArchitecture.token(of: call)
        let number =
            token == SystemCallArchitecture.x32Token ? call.number & ~SystemCallArchitecture.x32Bit : call.number
        var index = 0
        while index < seen.count, seen[index].token != token { index += 1 }
        if index == seen.count { seen.append(Seen(token: token)) }
        if seen[index].isThread(call) { seen[index].makesThreads = true }
        if number < UInt32(Seen.limit) {
            seen[index].numbers[Int(number / 64)] |= 1 << UInt64(number % 64)
        } else if seen[index].strange.count < Seen.strangeLimit, !seen[index].strange.contains(number) {
            seen[index].strange.append(number)
        }
    }

    /// The names of the calls of each architecture, sorted, and the numbers that have none.
    var byArchitecture: [(architecture: String, names: [String], nameless: [UInt32])] {
        seen.map { (one) in
            var names: [String] = []
            var nameless = one.strange
            let mark = one.token == SystemCallArchitecture.x32Token ? SystemCallArchitecture.x32Bit : 0
            for number in 0..<UInt32(Seen.limit)
            where one.numbers[Int(number / 64)] & 1 << UInt64(number % 64) != 0 {
                if let name = SystemCallNames.name(of: number | mark, on: one.token) {
                    names.append(name)
                } else {
                    nameless.append(number)
                }
            }
            return (SystemCallArchitecture.name(of: one.token), names.sorted(), nameless)
        }
    }

    /// What the same program may call in its next run without having called it in this one, sorted.
    var companions: [String] {
        var found: Set<String> = []
        for (one, part) in zip(seen, byArchitecture) {
            let companions = SystemCallCompanions(made: part.names, makesThreads: one.makesThreads)
            for name in companions.names where SystemCallNames.number(of: name, on: one.token) != nil {
                found.insert(name)
            }
        }
        for part in byArchitecture { found.subtract(part.names) }
        return found.sorted()
    }

    /// A profile that allows what was seen, what goes with that, and nothing else, or `before` with that added.
    ///
    /// A profile holds names for all its architectures together: what one of them needs, all are allowed.
    func profile(addedTo before: Seccomp? = nil) -> Seccomp {
        var profile =
            before
            ?? Seccomp(defaultAction: .errno, defaultErrnoRet: SystemCallRecording.defaultErrno, architectures: [])
        var architectures = profile.architectures
        if before != nil, architectures.isEmpty,
            let native = SystemCallArchitecture.word(for: SystemCallArchitecture.native)
        {
            architectures = [native]
        }
        for one in seen {
            guard let word = SystemCallArchitecture.word(for: one.token), !architectures.contains(word) else {
                continue
            }
            architectures.append(word)
        }
        profile.architectures = architectures
        for name in Set(byArchitecture.flatMap(\.names) + companions).sorted() { profile.allow(name) }
        return profile
    }

    /// EPERM, what a filter answers that says nothing else; written down for readers of the profile.
    private static let defaultErrno: UInt32 = 1
}
