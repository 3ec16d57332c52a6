import ContainerRuntime
import RuntimeSpec
import Testing

@testable import swrun

@Suite("The values of launch's options")
struct LaunchTextTests {
    private func complaint<Value>(_ body: () throws(RuntimeError) -> Value) -> String {
        do throws(RuntimeError) {
            _ = try body()
            return "no error"
        } catch {
            return error.message
        }
    }

    @Test(
        "a command in one word is split as a shell splits it",
        arguments: [
            ("/bin/sh", ["/bin/sh"]), ("  a  b\tc\n", ["a", "b", "c"]),
            ("sh -c 'a \"b\" \\c'", ["sh", "-c", "a \"b\" \\c"]),
            ("a \"b 'c' \\\"d\\\" \\e\"", ["a", "b 'c' \"d\" \\e"]), ("a\\ b c''d \"\"", ["a b", "cd", ""]),
        ])
    func command(text: String, words: [String]) throws { #expect(try splitCommand(text) == words) }

    @Test("a command that is not whole is refused", arguments: ["", "  ", "a 'b", "a \"b", "a \\"])
    func brokenCommand(text: String) { #expect(throws: RuntimeError.self) { try splitCommand(text) } }

    @Test(
        "a size is bytes, or has a unit",
        arguments: [("1", 1), ("512m", 512 << 20), ("1K", 1024), ("2g", 2 << 30), ("7b", 7)])
    func size(text: String, bytes: Int64) throws { #expect(try memorySize(text) == bytes) }

    @Test(
        "what is no size is named",
        arguments: ["", "m", "-1", "0", "1x", "1.5g", "9999999999999t", "9223372036854775807k"])
    func noSize(text: String) {
        #expect(complaint { () throws(RuntimeError) in try memorySize(text) }.mentions("\"\(text)\""))
    }

    @Test(
        "processors become a quota",
        arguments: [("1", 100_000), ("1.5", 150_000), (".25", 25_000), ("0.01", 1000), ("2.123456", 212_345)])
    func processors(text: String, quota: Int64) throws {
        #expect(try processorTime(text) == CPU(quota: quota, period: 100_000))
    }

    @Test(
        "what is no number of processors is named",
        arguments: ["", "0", "-1", "1.", "a", "1.x", "1.2.3", "0.001", "1e3"])
    func noProcessors(text: String) {
        #expect(complaint { () throws(RuntimeError) in try processorTime(text) }.mentions("\"\(text)\""), "\(text)")
    }

    @Test("users are numbers")
    func users() throws {
        #expect(try userIDs("1000") == User(uid: 1000, gid: 1000))
        #expect(try userIDs("1000:7") == User(uid: 1000, gid: 7))
        for text in ["", "root", "1:", ":1", "1:2:3", "4294967295", "-1"] {
            #expect(complaint { () throws(RuntimeError) in try userIDs(text) }.mentions("\"\(text)\""), "\(text)")
        }
    }

    @Test("a volume is a bind mount; the options follow what is usual")
    func volumes() throws {
        #expect(try Volume("/etc:/x").mount.options == ["rbind", "nosuid", "nodev"])
        #expect(try Volume("/etc:/x:ro,bind").mount.options == ["nosuid", "nodev", "ro", "bind", "rro"])
        #expect(try Volume("/etc:/a\\:b\\c").mount.destination == "/a:b\\c")
    }

    @Test("a colon in a path has a backslash before it")
    func colons() {
        let text = complaint { () throws(RuntimeError) in try Volume("/no\\:where:/x") }
        #expect(text == "the volume /no:where cannot be read: stat /no:where: no such file or directory")
    }

    @Test(
        "a volume that is none is refused",
        arguments: [
            "", "/etc", "/etc:", "/etc:x", ":/x", "/etc:/x:ro:more", "/etc:/x:colour=red", "/nowhere-at-all:/x",
        ])
    func noVolume(text: String) { #expect(throws: RuntimeError.self, "\(text)") { try Volume(text) } }

    @Test("system calls are names, or numbers of the machine")
    func systemCalls() throws {
        #if arch(x86_64)
            #expect(try systemCallNames("49,51,connect") == ["bind", "getsockname", "connect"])
        #endif
        for word in ["99999", "-1", "conect", "", "socketcall,", "9999999999999"] {
            #expect(throws: RuntimeError.self, "\(word)") { try systemCallNames(word) }
        }
        #expect(complaint { () throws(RuntimeError) in try systemCallNames("connect,99999") }.mentions("99999"))
        #expect(complaint { () throws(RuntimeError) in try systemCallNames("connect,conect") }.mentions("\"conect\""))
    }
}

extension String {
    /// Whether `part` is in it.
    func mentions(_ part: String) -> Bool {
        var rest = utf8[...]
        while !rest.isEmpty {
            if rest.starts(with: part.utf8) { return true }
            rest = rest.dropFirst()
        }
        return part.isEmpty
    }
}
