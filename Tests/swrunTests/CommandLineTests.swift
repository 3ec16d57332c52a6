import ContainerRuntime
import Glibc
import Testing

@testable import swrun

/// getopt_long keeps its place in global variables, so these tests take turns.
@Suite("The command line", .serialized)
struct CommandLineTests {
    /// What a command with these options reads from the words after its name.
    private func read(
        _ words: [String], options: [Option], stops: Bool = false
    ) throws(RuntimeError) -> (arguments: Arguments, next: Int) {
        let arguments = Arguments(options: options + [.help])
        let next = try arguments.read(words, stops: stops)
        return (arguments, next)
    }

    private func message(_ words: [String], options: [Option]) -> String {
        do throws(RuntimeError) {
            _ = try read(words, options: options)
            return "no error"
        } catch {
            return error.message
        }
    }

    @Test(
        "a value follows as the next word, after an equals sign, or at once after a short option",
        arguments: [["--bundle", "/b"], ["--bundle=/b"], ["-b", "/b"], ["-b/b"]])
    func values(words: [String]) throws {
        #expect(try read(words + ["id"], options: [.bundle, .force]).arguments[.bundle] == "/b")
    }

    @Test("a value may look like an option, or be a single dash")
    func oddValues() throws {
        #expect(try read(["--bundle", "--force"], options: [.bundle, .force]).arguments[.bundle] == "--force")
        #expect(try read(["--bundle", "-"], options: [.bundle]).arguments[.bundle] == "-")
        #expect(try read(["--bundle=a=b"], options: [.bundle]).arguments[.bundle] == "a=b")
    }

    @Test("the last of several values counts, and an empty one is none")
    func lastCounts() throws {
        #expect(try read(["-b", "a", "--bundle", "c"], options: [.bundle]).arguments[.bundle] == "c")
        #expect(try read(["--bundle="], options: [.bundle]).arguments[.bundle] == nil)
        #expect(try read([], options: [.bundle]).arguments[.bundle] == nil)
    }

    @Test("an option that repeats gives all its values in order")
    func repeating() throws {
        let env = Option("env", "e", .text("NAME=VALUE"), repeats: true, help: "set a variable")
        #expect(try read(["-e", "A=1", "--env=B=2"], options: [env]).arguments.all(env) == ["A=1", "B=2"])
    }

    @Test("an alias is the same option")
    func alias() throws {
        let share = Option("cpu-share", nil, .text("N"), alias: "cpu-shares", help: "set the weight")
        #expect(try read(["--cpu-shares", "5"], options: [share]).arguments[share] == "5")
        #expect(try read(["--cpu-share=6"], options: [share]).arguments[share] == "6")
    }

    @Test("the option that containerd's shim writes with one dash is understood")
    func oneDash() throws {
        let read = try read(["-no-subreaper", "id"], options: [.noSubreaper, .detach]).arguments
        #expect(read.has(.noSubreaper) && read.operands == ["id"])
        #expect(message(["-no-subreaper"], options: [.detach]) == "unknown option -n")
    }

    @Test("short flags may stand together, the last with its value")
    func clusters() throws {
        let arguments = try read(["-qfjson"], options: [.quiet, .format]).arguments
        #expect(arguments.has(.quiet))
        #expect(arguments[.format] == "json")
    }

    @Test(
        "a flag takes Go's words for true and false", arguments: ["true", "1", "T", "TRUE"],
        ["false", "0", "f", "False"])
    func flags(yes: String, no: String) throws {
        #expect(try read(["--force=\(yes)"], options: [.force]).arguments.has(.force))
        #expect(try !read(["--force", "--force=\(no)"], options: [.force]).arguments.has(.force))
        #expect(message(["--force=maybe"], options: [.force]) == "option --force is true or false, not \"maybe\"")
    }

    @Test("options may stand before, between and behind operands, and -- ends them")
    func order() throws {
        let arguments = try read(["web", "--all", "KILL"], options: [.allProcesses]).arguments
        #expect(arguments.has(.allProcesses))
        #expect(arguments.operands == ["web", "KILL"])
        #expect(try read(["--", "--all", "x"], options: [.allProcesses]).arguments.operands == ["--all", "x"])
        #expect(try !read(["--", "--all", "x"], options: [.allProcesses]).arguments.has(.allProcesses))
    }

    @Test("the environment does not change where options may stand")
    func posixlyCorrect() throws {
        setenv("POSIXLY_CORRECT", "1", 1)
        defer { unsetenv("POSIXLY_CORRECT") }
        #expect(try read(["web", "--force"], options: [.force]).arguments.has(.force))
    }

    @Test("where a program's own arguments follow, the first operand ends the options")
    func stops() throws {
        let (arguments, next) = try read(["--force", "id", "ls", "--force=no"], options: [.force], stops: true)
        #expect(arguments.has(.force))
        #expect(next == 1)
        #expect(arguments.operands == [])
    }

    @Test("numbers are whole, not negative, and not too large")
    func numbers() throws {
        #expect(try read(["--preserve-fds=3"], options: [.preserveFDs]).arguments.number(.preserveFDs) == 3)
        #expect(try read([], options: [.preserveFDs]).arguments.number(.preserveFDs) == nil)
        for wrong in ["-1", "x", "1.5", "2147483648", "0x3", " 3"] {
            #expect(
                message(["--preserve-fds", wrong], options: [.preserveFDs])
                    == "option --preserve-fds needs a whole number, 0 or more, not \"\(wrong)\"")
        }
    }

    @Test("a choice is one of its words, whole")
    func choices() throws {
        #expect(try read(["--format=table"], options: [.format]).arguments[.format] == "table")
        for wrong in ["tab", "table|json", "xml"] {
            #expect(
                message(["--format", wrong], options: [.format])
                    == "option --format must be one of table|json, not \"\(wrong)\"")
        }
    }

    @Test("a missing value is named in the words that podman looks for")
    func missingValue() {
        #expect(message(["--bundle"], options: [.bundle]) == "option --bundle requires an argument: DIR")
        #expect(message(["-b"], options: [.bundle]) == "option -b requires an argument: DIR")
    }

    @Test("an unknown option is an error with the nearest name")
    func unknown() {
        #expect(
            message(["--bundel", "x"], options: [.bundle]) == "unknown option --bundel (did you mean --bundle?)")
        #expect(message(["--zebra=1"], options: [.bundle]) == "unknown option --zebra")
        #expect(message(["-x"], options: [.bundle]) == "unknown option -x")
        #expect(message(["-qx"], options: [.quiet]) == "unknown option -x")
        #expect(
            message(["--root=/r", "id"], options: [.bundle])
                == "option --root stands before the command: swrun --root ... COMMAND")
    }

    @Test("the beginning of a name is not the name", arguments: ["--bund", "--bund=x", "--no-"])
    func abbreviations(word: String) {
        #expect(message([word, "x"], options: [.bundle, .noPivot, .noNewKeyring]).hasPrefix("unknown option --"))
    }

    @Test("a word that is not UTF-8 is refused")
    func notUTF8() {
        let arguments = Arguments(options: [.bundle])
        var word: [CChar] = [0x61, -1, 0]
        var name: [CChar] = [0x78, 0]
        word.withUnsafeMutableBufferPointer { word in
            name.withUnsafeMutableBufferPointer { name in
                var vector = [name.baseAddress, word.baseAddress, nil]
                #expect(throws: RuntimeError.self) { try arguments.parse(&vector, count: 2, stops: false) }
            }
        }
    }

    @Test("what stood before an error has been read: the log that is to have it")
    func beforeError() {
        let arguments = Arguments(options: GlobalOptions.table)
        #expect(throws: RuntimeError.self) { try arguments.read(["--log=/l", "--bogus", "--debug"], stops: true) }
        #expect(arguments[.log] == "/l")
        #expect(!arguments.has(.debug))
    }

    @Test("--help is noticed among other words")
    func help() throws {
        #expect(try read(["id", "--help"], options: [.force]).arguments.wantsHelp)
        #expect(try read(["-h"], options: [.force]).arguments.wantsHelp)
    }

    @Test("the systemd cgroup manager has two spellings; the precise one counts")
    func cgroupManager() throws {
        func manager(_ words: [String]) throws -> CgroupDriver? {
            try GlobalOptions(read(words, options: GlobalOptions.table).arguments).cgroupManager
        }
        #expect(try manager([]) == nil)
        #expect(try manager(["--systemd-cgroup"]) == .systemd)
        #expect(try manager(["--systemd-cgroup=false"]) == nil)
        #expect(try manager(["--cgroup-manager", "disabled", "--systemd-cgroup"]) == .disabled)
    }

    @Test("the state directory is absolute")
    func stateRoot() throws {
        let here = String(cString: getcwd(nil, 0))
        let relative = try GlobalOptions(read(["--root", "r"], options: GlobalOptions.table).arguments)
        #expect(relative.stateRoot.path == here + "/r")
        let given = try GlobalOptions(read(["--root=/r/s"], options: GlobalOptions.table).arguments)
        #expect(given.stateRoot.path == "/r/s")
    }
}

extension Arguments {
    /// Reads Swift strings; gives the number of words read.
    func read(_ words: [String], stops: Bool) throws(RuntimeError) -> Int {
        let copies = (["swrun"] + words).map { strdup($0) }
        defer { for word in copies { free(word) } }
        var vector = copies + [nil]
        let next = try parse(&vector, count: Int32(words.count + 1), stops: stops)
        if !stops { try add(operandsOf: &vector, from: next, to: Int32(words.count + 1)) }
        return Int(next) - 1
    }
}
