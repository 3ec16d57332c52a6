/// The name of a user of the host, from /etc/passwd (passwd(5)); empty when it is not there.
package func userName(_ uid: UInt32) -> String {
    if uid == 0 { return "root" }
    guard let bytes = try? readFile("/etc/passwd") else { return "" }
    return passwdEntry(uid, bytes)?.name ?? ""
}

/// A line of a passwd file: name, password, uid, gid, comment, home, shell.
package func passwdEntry(_ uid: UInt32, _ file: [UInt8]) -> (name: String, home: String)? {
    for line in file.split(separator: UInt8(ascii: "\n")) {
        let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard fields.count > 5, UInt32(String(decoding: fields[2], as: UTF8.self)) == uid else { continue }
        return (String(decoding: fields[0], as: UTF8.self), String(decoding: fields[5], as: UTF8.self))
    }
    return nil
}
