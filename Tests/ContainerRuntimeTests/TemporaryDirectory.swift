import Glibc
import LinuxSystem

/// A directory that goes away, with what is in it, at the end of a test.
struct TemporaryDirectory: ~Copyable {
    let path: String

    init() throws {
        var template = Array("/tmp/swrun-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        if let directory = try? FileDescriptor.open(path, [.directory, .noFollow]),
            let names = try? directoryEntries(directory)
        {
            for name in names { remove("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    func entries() throws -> [String] { try directoryEntries(try FileDescriptor.open(path, .directory)) }
}
