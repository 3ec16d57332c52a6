internal import LinuxSystem

/// Finds the program that `process.args[0]` names, as execvp(3) does, in the container: with its root, its working
/// directory and its user. The texts begin as engines expect them ("executable file not found in $PATH").
func findExecutable(_ name: String, path: String) throws(RuntimeError) -> String {
    guard !name.isEmpty else { throw RuntimeError(at: "process.args[0]", "the name of the program is empty") }
    if name.utf8.contains(UInt8(ascii: "/")) {
        switch examine(name) {
        case .executable: return name
        case .nothing(let error):
            throw RuntimeError(
                at: "process.args[0]", "exec: \"\(name)\": \(error.text)",
                hint: "the path is one inside the root filesystem")
        case .directory:
            // "permission denied" is what older engines know to mean 126, "is a directory" what newer ones know
            throw RuntimeError(at: "process.args[0]", "exec: \"\(name)\": permission denied: it is a directory")
        case .forbidden(let error): throw forbidden(name, error)
        }
    }
    var refusal: (path: String, error: SystemError)?
    for directory in path.split(separator: ":", omittingEmptySubsequences: false) {
        let candidate = directory.isEmpty ? "./\(name)" : "\(directory)/\(name)"
        switch examine(candidate) {
        case .executable: return candidate
        case .forbidden(let error): refusal = refusal ?? (candidate, error)
        case .directory, .nothing: continue
        }
    }
    if let refusal { throw forbidden(refusal.path, refusal.error) }
    throw RuntimeError(
        at: "process.args[0]", "exec: \"\(name)\": executable file not found in $PATH",
        hint: "PATH is \"\(path)\" in process.env; give the full path, or install the program in the root filesystem")
}

/// For a process whose environment has no PATH.
let defaultSearchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

private enum Finding {
    case executable, directory
    case nothing(SystemError)
    case forbidden(SystemError)
}

private func examine(_ path: String) -> Finding {
    do throws(SystemError) {
        try checkAccess(path, 1)
        return try fileStatus(path)?.isDirectory == true ? .directory : .executable
    } catch {
        guard error.errno == .accessDenied else { return .nothing(SystemError("stat", path, error.errno)) }
        return .forbidden(error)
    }
}

private func forbidden(_ path: String, _ error: SystemError) -> RuntimeError {
    RuntimeError(
        at: "process.args[0]", "exec: \"\(path)\": \(error.errno.text)",
        hint: "the container's user needs execute permission on it and on the directories above")
}

/// What execve(2) means by an error that is not about the program itself, but about what it asks for: nil when the file
/// does not tell.
func diagnoseExecution(_ path: String, _ error: SystemError) -> String? {
    guard (try? fileStatus(path))??.kind == .regular,
        let file = try? FileDescriptor.open(path, [.readOnly, .nonBlocking, .noControllingTerminal]),
        let head = try? file.read(upTo: 4096)
    else {
        return nil
    }
    if head.starts(with: [UInt8(ascii: "#"), UInt8(ascii: "!")]) { return diagnoseScript(head, error) }
    if head.starts(with: [0x7f, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")]) {
        return diagnoseProgram(head, error)
    }
    guard error.errno == .noExecFormat else { return nil }
    return head.isEmpty
        ? "the file is empty" : "it is neither a program nor a script that begins with \"#!\""
}

private func diagnoseScript(_ head: [UInt8], _ error: SystemError) -> String? {
    let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
    if line.last == UInt8(ascii: "\r") {
        return "its interpreter line ends in a carriage return (CRLF): convert the script to unix line ends"
    }
    let interpreter = line.drop { $0 == UInt8(ascii: " ") }.prefix {
        $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t")
    }
    let name = String(decoding: interpreter, as: UTF8.self)
    guard error.errno == .noEntry || error.errno == .accessDenied else { return nil }
    return "it is a script, and its interpreter \"\(name.escapedForMessage)\" cannot be executed: \(error.errno.text)"
}

private func diagnoseProgram(_ head: [UInt8], _ error: SystemError) -> String? {
    let machine = head.count > 19 ? Int(head[18]) | Int(head[19]) << 8 : 0
    if error.errno == .noExecFormat {
        let name = machineNames.first { $0.number == machine }?.name ?? "machine \(machine)"
        return "it is a program for another processor (\(name)), or damaged"
    }
    guard error.errno == .noEntry, let loader = programInterpreter(head) else { return nil }
    return "the root filesystem lacks its loader \"\(loader.escapedForMessage)\""
}

/// elf(5): e_machine
private let machineNames: [(number: Int, name: String)] = [
    (3, "x86"), (8, "mips"), (20, "ppc"), (21, "ppc64"), (22, "s390"), (40, "arm"), (62, "x86-64"), (183, "aarch64"),
    (243, "riscv"), (258, "loongarch"),
]

/// The PT_INTERP segment of a 64-bit little-endian program (elf(5)), as far as it lies in `head`.
private func programInterpreter(_ head: [UInt8]) -> String? {
    func number(_ offset: Int, _ size: Int) -> Int? {
        guard offset >= 0, offset + size <= head.count else { return nil }
        var value: UInt64 = 0
        for index in (0..<size).reversed() { value = value << 8 | UInt64(head[offset + index]) }
        return Int(exactly: value)
    }
    guard head.count > 64, head[4] == 2, head[5] == 1, let table = number(32, 8), let entry = number(54, 2),
        let count = number(56, 2), table < head.count, entry >= 56
    else { return nil }
    for index in 0..<count {
        let start = table + index * entry
        guard let type = number(start, 4) else { return nil }
        guard type == 3, let offset = number(start + 8, 8), let size = number(start + 32, 8),
            offset < head.count, size < 4096
        else { continue }
        return String(decoding: head[offset...].prefix(size).prefix { $0 != 0 }, as: UTF8.self)
    }
    return nil
}
