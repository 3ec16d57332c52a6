internal import LinuxSystem

/// The descriptors after the standard streams that a program gets from the runtime's caller: first those that a service
/// manager passes along (sd_listen_fds(3)), then those of `--preserve-fds`.
struct InheritedDescriptors: Equatable {
    let preserved: Int32
    /// They are announced to the program.
    let listening: Int32

    init(preserved: Int32) {
        self.preserved = preserved
        listening = Self.announced
    }

    private static var announced: Int32 {
        guard let text = environmentVariable("LISTEN_FDS"), let count = Int32(text), count > 0, count < 1024 else {
            return 0
        }
        if let pid = environmentVariable("LISTEN_PID"), pid != "\(currentProcessID())" { return 0 }
        return count
    }

    /// The number after the last of them.
    var end: Int32 { 3 + preserved + listening }

    /// They must exist now, before others get their numbers; everything else is kept from the program.
    func check() throws(RuntimeError) {
        for number in 3..<end where !isDescriptorOpen(number) {
            throw RuntimeError("--preserve-fds: file descriptor \(number) is not open")
        }
        let end = self.end
        try explain("cannot mark inherited descriptors") { () throws(SystemError) in try closeOnExec(from: end) }
    }
}
