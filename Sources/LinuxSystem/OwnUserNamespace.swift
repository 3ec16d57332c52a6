internal import Glibc

/// Makes this process, an ordinary user's, root of a new user namespace: over his own files it then has the capabilities that
/// root has, the right to give them capabilities of their own among them, and it may give them to the other users that there
/// are in the namespace. user_namespaces(7).
///
/// - Parameters:
///   - ids: more than one of each kind are mapped by newuidmap(1) and newgidmap(1), which may do what this process may not
///   - warn: hears why there is root alone, where more was asked for
/// - Returns: what is mapped
package func becomeRoot(of ids: OwnIDs, _ warn: (String) -> Void) throws(SystemError) -> OwnIDs {
    let alone = OwnIDs.alone
    if ids.hasOthers {
        let refusal = try unshareMapped(ids)
        if refusal.isEmpty { return ids }
        warn("files can have no other owner than you: \(refusal)")
    } else {
        try unshare(.user)
    }
    // Who may not leave his groups may map his own. What a program has mapped before the other failed stays.
    try writeFile("/proc/self/setgroups", "deny")
    try? writeFile("/proc/self/uid_map", "0 \(alone.users[0].outside) 1")
    try writeFile("/proc/self/gid_map", "0 \(alone.groups[0].outside) 1")
    return alone
}

/// - Returns: why there is no mapping, or nothing
private func unshareMapped(_ ids: OwnIDs) throws(SystemError) -> String {
    let pid = currentProcessID()
    let go = try Pipe()
    let report = try Pipe()
    switch try cloneHelper() {
    case .child:
        let begun = go.reader()
        let failure = report.writer()
        // Nothing comes where no namespace was made.
        if let byte = try? begun.read(upTo: 1), !byte.isEmpty {
            let refusal = map("newuidmap", pid, ids.users) + map("newgidmap", pid, ids.groups)
            try? failure.write(refusal.isEmpty ? "done" : refusal)
        }
        exitNow(0)
    case .parent(let child):
        let begin = go.writer()
        let answer = report.reader()
        var failure: SystemError?
        do throws(SystemError) {
            try unshare(.user)
            try begin.write([1])
        } catch { failure = error }
        closeNow(begin)
        let message = String(decoding: try answer.readToEnd(limit: 64 << 10), as: UTF8.self)
        try waitForEnd(of: child.pid)
        if let failure { throw failure }
        return message == "done" ? "" : message.isEmpty ? "nobody mapped the ids" : message
    }
}

/// - Returns: why it did not, or nothing
private func map(_ program: String, _ pid: Int32, _ ranges: [IDRange]) -> String {
    let numbers = ranges.flatMap { ["\($0.inside)", "\($0.outside)", "\($0.count)"] }
    do throws(SystemError) {
        let result = try runProgram(program, ["\(pid)"] + numbers)
        if result.end == .exited(0) { return "" }
        let output = String(decoding: result.output.prefix(1000), as: UTF8.self)
            .split(whereSeparator: \.isNewline).map(String.init)
        return output.first ?? "\(program) was ended by \(result.end)"
    } catch {
        return "\(program) is needed (Debian, Ubuntu: uidmap; Fedora: shadow-utils): \(error.text)"
    }
}

/// Removes a directory and everything in it. What there belongs to an ordinary user's subordinate ids he may not remove as
/// himself: a child does, which is root of them.
package func removeOwnTree(_ path: String) throws(SystemError) {
    do throws(SystemError) {
        return try removeTree(path)
    } catch {
        guard effectiveUserID() != 0, error.errno == .accessDenied || error.errno == .notPermitted else { throw error }
        guard try asRoot(of: .granted, { () throws(SystemError) in try removeTree(path) }) else { throw error }
    }
}

private func removeTree(_ path: String) throws(SystemError) {
    try removeByteTree(in: try FileDescriptor.open(path, .directoryItself))
    try removeDirectory(path)
}

/// Calls `body` in a child that is root of a user namespace.
///
/// - Returns: false when there is no such namespace to be had
/// - Throws: what `body` did
private func asRoot(of ids: OwnIDs, _ body: () throws(SystemError) -> Void) throws(SystemError) -> Bool {
    guard ids.hasOthers else { return false }
    let unavailable: Int32 = 255
    switch try cloneHelper() {
    case .child:
        guard let mapped = try? becomeRoot(of: ids, { _ in }), mapped.hasOthers else { exitNow(unavailable) }
        do throws(SystemError) { try body() } catch { exitNow(error.errno.code) }
        exitNow(0)
    case .parent(let child):
        switch try waitForEnd(of: child.pid) {
        case .exited(0): return true
        case .exited(let code) where code != unavailable:
            throw SystemError("unlinkat", "in a user namespace", Errno(code))
        default: return false
        }
    }
}
