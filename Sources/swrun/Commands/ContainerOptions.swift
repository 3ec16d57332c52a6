internal import ContainerRuntime
internal import LinuxSystem

/// Options that several commands which make or enter a container share.
extension Option {
    static let bundle = Option(
        "bundle", "b", .directory("DIR"), help: "the bundle's directory (default: the working directory)")
    static let config = Option(
        "config", "f", .file("FILE"), help: "read FILE instead of the bundle's config.json")
    static let consoleSocket = Option(
        "console-socket", nil, .file("SOCKET"),
        help: "send the master side of the container's terminal over this Unix socket")
    static let pidfdSocket = Option(
        "pidfd-socket", nil, .file("SOCKET"), help: "send a pidfd of the container's process over this Unix socket")
    static let pidFile = Option(
        "pid-file", nil, .file("FILE"), help: "write the process id of the container's process to FILE")
    static let noPivot = Option(
        "no-pivot",
        help: "move the root mount instead of pivot_root(2), for a root filesystem on an initial ramdisk")
    static let noNewKeyring = Option(
        "no-new-keyring", help: "keep the caller's session keyring instead of a new one")
    static let preserveFDs = Option(
        "preserve-fds", nil, .number("N"),
        help: "leave N descriptors after stdio (and those of $LISTEN_FDS) open in the container (default: 0)")
    static let detach = Option("detach", "d", help: "return when the process has started")
    static let regex = Option("regex", help: "the id is a regular expression: take every container that matches it")
}

extension Invocation {
    /// The container that the first operand names, or with --regex all whose ids it matches.
    func containers() throws(RuntimeError) -> [ContainerID] {
        let text = arguments.operands[0]
        guard arguments.has(.regex) else { return [try ContainerID(text)] }
        let pattern: Pattern
        do throws(SystemError) { pattern = try Pattern(text) } catch {
            throw RuntimeError("--regex: \"\(text)\" is no regular expression: \(error.subject)")
        }
        var ids: [ContainerID] = []
        for id in try global.stateRoot.containerIDs() where pattern.matches(id.text) { ids.append(id) }
        return ids
    }

    /// Does something to each of them. A failure does not keep it from the others; the first is thrown in the end.
    func forEachContainer(_ body: (ContainerID) throws(RuntimeError) -> Void) throws(RuntimeError) {
        var failure: RuntimeError?
        for id in try containers() {
            do throws(RuntimeError) { try body(id) } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }
}
