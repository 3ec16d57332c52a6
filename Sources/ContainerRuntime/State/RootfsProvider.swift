package import RuntimeSpec

/// Makes the root filesystem of a bundle appear that is not simply a directory with files in it, and takes it away again.
/// Which bundles those are is written in their annotations: others cost no system call. A class, because to copy a value
/// of any other kind the runtime of Swift has to make a type first.
package protocol RootfsProvider: AnyObject, Sendable {
    /// Before anything of the bundle but config.json is looked at.
    ///
    /// - Parameter bundle: the absolute path of its directory
    /// - Throws: when it cannot be there; then nothing is left of it
    func prepare(
        _ bundle: String, _ annotations: [KeyValue], _ warn: @escaping (String) -> Void
    ) throws(RuntimeError)

    /// After the container is gone, or was never made.
    func release(_ bundle: String, _ annotations: [KeyValue], _ warn: (String) -> Void)
}
