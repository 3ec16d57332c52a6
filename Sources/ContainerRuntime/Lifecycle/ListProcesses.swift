internal import LinuxSystem

/// The processes of a container, as the host numbers them.
package enum ListProcesses {
    package static func run(_ id: ContainerID, in root: StateRoot) throws(RuntimeError) -> [Int32] {
        try root.open(id).readRecord().processes()
    }

    fileprivate static func familyOf(_ pid: Int32) -> [Int32] {
        var family = [pid]
        var index = 0
        while index < family.count {
            family += children(of: family[index])
            index += 1
        }
        return family
    }

    /// Of all threads (proc_tid_children(5)).
    private static func children(of pid: Int32) -> [Int32] {
        guard let directory = try? FileDescriptor.open("/proc/\(pid)/task", .directory),
            let threads = try? directoryEntries(directory)
        else { return [] }
        return threads.flatMap { thread in
            ((try? readFile("/proc/\(pid)/task/\(thread)/children")) ?? []).split(separator: UInt8(ascii: " "))
                .compactMap { Int32(String(decoding: $0, as: UTF8.self)) }
        }
    }
}

extension ContainerRecord {
    func processes() throws(RuntimeError) -> [Int32] {
        if !cgroup.directories.isEmpty { return try cgroup.processes() }
        // Without a cgroup of its own, a container is its first process and what that has brought forth.
        return openProcess() == nil ? [] : ListProcesses.familyOf(pid)
    }
}

/// What ps(1) says about some processes of the host.
package enum ProcessTable {
    /// - Parameter arguments: for ps; its columns must include PID.
    /// - Returns: the heading and the lines of `pids`, each with its newline.
    package static func lines(of pids: [Int32], arguments: [String]) throws(RuntimeError) -> String {
        let (output, end) = try explain("cannot run ps", hint: "install procps, or use --format json") {
            () throws(SystemError) in try runProgram("ps", arguments)
        }
        let text = String(decoding: output, as: UTF8.self)
        guard end == .exited(0) else {
            throw RuntimeError("ps \(arguments.joined(separator: " ")) failed: \(text)")
        }
        return try select(pids, from: text)
    }

    static func select(_ pids: [Int32], from table: String) throws(RuntimeError) -> String {
        let lines = table.split(separator: "\n")
        guard let heading = lines.first, let column = heading.split(separator: " ").firstIndex(of: "PID") else {
            throw RuntimeError("ps prints no column PID", hint: "give it other arguments, such as -ef")
        }
        let chosen = Set(pids)
        let kept = lines.dropFirst().filter { line in
            let words = line.split(separator: " ")
            return column < words.count && Int32(words[column]).map(chosen.contains) == true
        }
        return ([heading] + kept).map { $0 + "\n" }.joined()
    }
}
