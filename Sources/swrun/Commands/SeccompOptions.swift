internal import ContainerRuntime

extension Option {
    static let seccompRecord = Option(
        "seccomp-record", nil, .file("FILE"),
        help: "allow every system call, and write a seccomp profile of those that were made")
    static let seccompMerge = Option(
        "seccomp-merge", help: "keep the profile in FILE and add to it, instead of replacing it")
    static let seccompExplain = Option(
        "seccomp-explain", help: "say which system calls the filter denies, and how to allow them")
}

extension SeccompWatch {
    /// What the options above ask for; nil when they are not given.
    init?(_ arguments: Arguments, detached: Bool) throws(RuntimeError) {
        let file = arguments[.seccompRecord]
        let explains = arguments.has(.seccompExplain)
        if file == nil, arguments.has(.seccompMerge) {
            throw RuntimeError("--seccomp-merge: there is nothing to merge without --seccomp-record FILE")
        }
        guard file != nil || explains else { return nil }
        if file != nil, explains {
            throw RuntimeError(
                "--seccomp-record and --seccomp-explain exclude each other: one allows everything, the other denies",
                hint: "record first, and explain under the recorded profile")
        }
        if detached {
            throw RuntimeError(
                "\(explains ? "--seccomp-explain" : "--seccomp-record") and --detach exclude each other: the container's "
                    + "system calls wait for answers that swrun gives as long as it runs", hint: "leave out --detach")
        }
        self =
            try file.map { (file) throws(RuntimeError) in
                .record(try RecordingFile(file, merging: arguments.has(.seccompMerge)))
            } ?? .explain
    }
}
