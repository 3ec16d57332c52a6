internal import LinuxSystem
internal import RuntimeSpec

/// The signal that asks a container's program to end. The specification of images has it, and the annotation under which
/// it comes into a bundle:
///
///     "org.opencontainers.image.stopSignal": "SIGRTMIN+3"
package enum StopSignal {
    package static let annotation = "org.opencontainers.image.stopSignal"

    /// What a SIGTERM to `run` in the foreground becomes for the container.
    static func number(_ annotations: [KeyValue]) -> Int32 {
        annotations[annotation].flatMap { signalNumber($0) } ?? SignalNumber.terminate
    }
}
