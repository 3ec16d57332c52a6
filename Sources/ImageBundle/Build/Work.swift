internal import LinuxSystem

/// What accompanies the making of a bundle: the request, its limits, who hears of progress and warnings, and whether
/// somebody asked to stop.
package final class Work {
    package let request: BundleRequest
    /// Who asked, whatever this process is inside a user namespace of its own.
    package let user = effectiveUserID()
    package let group = effectiveGroupID()
    /// Replaced in a process that tells another one.
    package internal(set) var progress: any ProgressSink
    private let warnUser: (String) -> Void
    private let signals: SignalDescriptor
    private let blockedBefore: SignalSet
    private var bytes: UInt64 = 0
    private var files: UInt64 = 0

    /// Holds back the signals that would end this process: they are noticed in `checkpoint`, so that everything is undone
    /// first.
    package init(
        _ request: BundleRequest, _ progress: any ProgressSink, _ warn: @escaping (String) -> Void
    ) throws(BundleError) {
        self.request = request
        self.progress = progress
        warnUser = warn
        let ending = SignalSet([1, 2, 3, 15])  // HUP, INT, QUIT, TERM
        blockedBefore = blockSignals(ending)
        signals = try explain("cannot receive signals") { () throws(SystemError) in try SignalDescriptor(ending) }
    }

    deinit { setBlockedSignals(blockedBefore) }

    /// Whether there are things that only root could do.
    package var isRootless: Bool { user != 0 }

    /// The ids that an ordinary user has in the bundle's user namespace.
    private(set) var ownIDs = OwnIDs.alone

    /// Makes this process, an ordinary user's, root of a user namespace, where there may be such.
    func becomeRoot() {
        let wanted = request.mapsOwnIDsOnly ? OwnIDs.alone : .granted
        if let ids = try? LinuxSystem.becomeRoot(of: wanted, warn) { ownIDs = ids }
    }

    /// The same, with mounts of its own as well.
    ///
    /// - Returns: whether it has them
    func becomeRootWithMounts() -> Bool {
        if isRootless { becomeRoot() }
        return (try? unshare(.mount)) != nil && (try? setPropagation(.private, ofEverythingBelow: "/")) != nil
    }

    package func warn(_ message: String) { warnUser(message) }

    /// To be called at least once a file or a MiB.
    ///
    /// - Throws: when a signal asks this process to end
    package func checkpoint() throws(BundleError) {
        if let signal = signals.next() {
            throw BundleError("interrupted by signal \(signal)", exitCode: 128 + signal)
        }
    }

    /// Can be read when a signal asks this process to end.
    package var interruption: Int32 { signals.descriptor.rawValue }

    /// Counts what was written against the limits, and tells the progress. Holes are no bytes.
    package func count(bytes: UInt64 = 0, files: UInt64 = 0) throws(BundleError) {
        progress.advance(bytes: bytes, files: files)
        try admit(bytes: bytes, files: files)
    }

    /// Counts against the limits alone: of an archive, progress is what was read of it.
    package func admit(bytes: UInt64 = 0, files: UInt64 = 0) throws(BundleError) {
        self.bytes += bytes
        self.files += files
        try checkSize(0)
        if self.files > request.maximumFiles {
            throw BundleError(
                "\(request.image): has more than \(request.maximumFiles) files", hint: "--max-files allows more")
        }
    }

    /// Whether as many bytes may still be read or written.
    package func checkSize(_ more: UInt64) throws(BundleError) {
        if more > request.maximumBytes || bytes > request.maximumBytes - more {
            throw BundleError(
                "\(request.image): unpacks to more than \(request.maximumBytes) bytes", hint: "--max-size allows more")
        }
    }
}
