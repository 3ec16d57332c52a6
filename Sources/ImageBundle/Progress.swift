/// Where the work tells how far it is. How it is shown is the implementation's affair; calls are frequent and must be
/// cheap.
package protocol ProgressSink: AnyObject {
    /// A step begins ("copying"). `total`: the bytes it will take, as far as they can be known: allocated bytes, never
    /// sizes of files, which holes make meaningless.
    func begin(_ step: String, total: UInt64?)
    func advance(bytes: UInt64, files: UInt64)
    /// The step is done.
    func finish()
}

/// Tells nobody.
package final class SilentProgress: ProgressSink {
    package init() {}
    package func begin(_ step: String, total: UInt64?) {}
    package func advance(bytes: UInt64, files: UInt64) {}
    package func finish() {}
}
