internal import LinuxSystem

/// A process that has what is copied written to the disk while the copying goes on: else the disk would have nothing to do
/// until the kernel finds that too much waits for it, and whoever wants to know it all there would wait for nearly all.
/// It is a hint and no more: nothing depends on how far it comes.
final class Writeback {
    private let child: ChildProcess
    /// Milliseconds between two looks.
    private static let pause: Int32 = 50

    /// - Parameters:
    ///   - directory: on the filesystem that is written to
    ///   - written: how far the copying is
    init(_ directory: borrowing FileDescriptor, _ written: SharedCounter) throws(SystemError) {
        switch try cloneHelper() {
        case .child:
            try? Self.follow(written, directory.rawValue)
            exitNow(0)
        case .parent(let child): self.child = child
        }
    }

    deinit { child.kill() }

    private static func follow(_ written: SharedCounter, _ directory: Int32) throws(SystemError) {
        var pace = WritebackPace()
        while true {
            sleep(milliseconds: pause)
            switch pace.step(at: written.value) {
            case .wait: continue
            case .stop: return
            case .write: break
            }
            let began = monotonicMilliseconds()
            try syncFilesystem(directory)
            pace.tookMilliseconds(UInt64(max(0, monotonicMilliseconds() - began)))
        }
    }
}

/// When to write. A process that waits for the disk cannot be ended: whoever copies to a slow one is not to wait for that,
/// nor is a signal. So a small piece shows how fast the disk is, and no writing is begun that would take long.
struct WritebackPace {
    enum Step { case wait, write, stop }

    /// Bytes from which on there is something to write: at first, and then.
    static let (first, least): (UInt64, UInt64) = (16 << 20, 64 << 20)
    /// Milliseconds that one writing may be expected to take.
    static let longest: UInt64 = 500

    private var done: UInt64 = 0
    private var waiting: UInt64 = 0
    /// Bytes a millisecond; nil before anything was written.
    private var speed: UInt64?

    /// What to do when so many bytes are copied.
    mutating func step(at copied: UInt64) -> Step {
        waiting = copied - done
        guard let speed else { return waiting < Self.first ? .wait : .write }
        if waiting < Self.least { return .wait }
        return waiting / speed > Self.longest ? .stop : .write
    }

    /// How long it took.
    mutating func tookMilliseconds(_ time: UInt64) {
        speed = max(1, waiting / max(1, time))
        done += waiting
    }
}
