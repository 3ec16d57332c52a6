internal import CLinux
internal import Glibc

/// A set of signals as the kernel writes it: bit N-1 is signal N (rt_sigprocmask(2)).
package struct SignalSet: Sendable {
    package let bits: UInt64

    package init(bits: UInt64) { self.bits = bits }
    package init(_ signals: [Int32]) { bits = signals.reduce(0) { $0 | 1 << UInt64($1 - 1) } }

    package static let all = SignalSet(bits: .max)
    package static let none = SignalSet(bits: 0)
}

/// Blocks every signal; returns what was blocked before.
@discardableResult
package func blockSignals(_ signals: SignalSet = .all) -> SignalSet {
    var old: UInt64 = 0
    var set = signals.bits
    _ = cl_sigprocmask(CL_SIG_BLOCK, &set, &old)
    return SignalSet(bits: old)
}

package func setBlockedSignals(_ signals: SignalSet) {
    var set = signals.bits
    _ = cl_sigprocmask(CL_SIG_SETMASK, &set, nil)
}

/// Nothing blocked, as a program expects to be started: what is blocked stays so over execve(2). Nothing is ignored either in
/// a child that `clone` has made.
package func unblockSignals() { setBlockedSignals(.none) }

package func restoreSignal(_ signal: Int32) { _ = cl_signal_default(signal) }

package func ignoreSignal(_ signal: Int32) { _ = cl_signal_ignore(signal) }

/// Signals delivered as records that are read, signalfd(2).
package struct SignalDescriptor: ~Copyable {
    package let descriptor: FileDescriptor

    package init(_ signals: SignalSet = .all) throws(SystemError) {
        descriptor = FileDescriptor(
            owning: try check(cl_signalfd(signals.bits, CL_O_CLOEXEC | O_NONBLOCK), "signalfd"))
    }

    /// The next pending signal; nil when there is none.
    package borrowing func next() -> Int32? {
        var record = signalfd_siginfo()
        let count = cl_read(descriptor.rawValue, &record, MemoryLayout<signalfd_siginfo>.size)
        return count == MemoryLayout<signalfd_siginfo>.size ? Int32(record.ssi_signo) : nil
    }
}

extension SignalDescriptor? {
    /// The descriptor to poll, if there is one.
    package var number: Int32? {
        switch self {
        case .some(let signals): signals.descriptor.rawValue
        case .none: nil
        }
    }
}

/// A signal by its number, its name ("TERM") or its full name ("SIGTERM", "SIGRTMIN+3"), signal(7).
package func signalNumber(_ text: String) -> Int32? {
    if let number = Int32(text) { return (0...64).contains(number) ? number : nil }
    var name = text.uppercased()
    if name.hasPrefix("SIG") { name.removeFirst(3) }
    if let number = signalNames[name] { return number }
    for (prefix, base, sign) in [("RTMIN+", Int32(34), Int32(1)), ("RTMAX-", 64, -1)] where name.hasPrefix(prefix) {
        guard let offset = Int32(name.dropFirst(prefix.count)), (0...30).contains(offset) else { return nil }
        return base + sign * offset
    }
    return nil
}

private let signalNames: [String: Int32] = [
    "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "ILL": SIGILL, "TRAP": SIGTRAP, "ABRT": SIGABRT, "IOT": SIGABRT,
    "BUS": SIGBUS, "FPE": SIGFPE, "KILL": SIGKILL, "USR1": SIGUSR1, "SEGV": SIGSEGV, "USR2": SIGUSR2, "PIPE": SIGPIPE,
    "ALRM": SIGALRM, "TERM": SIGTERM, "STKFLT": 16, "CHLD": SIGCHLD, "CLD": SIGCHLD, "CONT": SIGCONT,
    "STOP": SIGSTOP, "TSTP": SIGTSTP, "TTIN": SIGTTIN, "TTOU": SIGTTOU, "URG": SIGURG, "XCPU": SIGXCPU,
    "XFSZ": SIGXFSZ, "VTALRM": SIGVTALRM, "PROF": SIGPROF, "WINCH": SIGWINCH, "IO": SIGIO, "POLL": SIGIO, "PWR": SIGPWR,
    "SYS": SIGSYS, "UNUSED": SIGSYS, "RTMIN": 34, "RTMAX": 64,
]
