/// What is to be learnt about the system calls of a container in the foreground. Either way the kernel asks this process
/// about calls (seccomp_unotify(2)); nothing is traced.
package enum SeccompWatch: Equatable, Sendable {
    /// Everything is allowed, whatever config.json says; the calls that were made become a profile.
    case record(RecordingFile)
    /// The filter of config.json is in force; what it denies is reported.
    case explain
}
