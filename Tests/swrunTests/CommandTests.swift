import ContainerRuntime
import LinuxSystem
import Testing

@testable import swrun

@Suite("The table of commands")
struct CommandTests {
    private func complaint(_ verb: Verb, _ operands: [String]) -> String {
        do throws(RuntimeError) {
            try verb.command.check(operands: operands)
            return ""
        } catch {
            return error.message
        }
    }

    @Test("each command is the one of its name, and has names of options that are its own", arguments: Verb.allCases)
    func rows(verb: Verb) throws {
        #expect(verb.command.verb == verb)
        #expect(try Command.named(verb.rawValue).verb == verb)
        checkNames(verb.command.options + [.help])
    }

    @Test("global options have names of their own")
    func globals() { checkNames(GlobalOptions.table) }

    private func checkNames(_ options: [Option]) {
        var names: [String] = []
        for option in options {
            names.append(option.dashed)
            if let short = option.short { names.append("-\(short)") }
            if let alias = option.alias { names.append("--" + alias.description) }
            #expect(!option.help.hasSuffix("."), "\(option.dashed): the documents add the full stop")
        }
        #expect(Set(names).count == names.count, "\(names)")
    }

    @Test(
        "every option that runc has is here",
        arguments: [
            (Verb.create, "bundle b console-socket pidfd-socket pid-file no-pivot no-new-keyring preserve-fds"),
            (
                .run,
                "bundle b console-socket pidfd-socket pid-file no-pivot no-new-keyring preserve-fds detach d keep no-subreaper"
            ),
            (.kill, "all a"), (.delete, "force f"), (.list, "format f quiet q"), (.spec, "bundle b rootless"),
            (.ps, "format f"), (.events, "stats interval"),
            (
                .update,
                "resources r blkio-weight cpu-period cpu-quota cpu-burst cpu-share cpu-rt-period cpu-rt-runtime cpu-idle cpuset-cpus cpuset-mems kernel-memory kernel-memory-tcp memory memory-reservation memory-swap pids-limit l3-cache-schema mem-bw-schema"
            ),
        ])
    func complete(verb: Verb, names: String) {
        var have: Set<String> = []
        for option in verb.command.options {
            have.insert(option.name.description)
            if let short = option.short { have.insert(String(short)) }
        }
        for name in names.split(separator: " ") { #expect(have.contains(String(name)), "\(verb.rawValue) --\(name)") }
    }

    @Test("the number of operands is checked, and the surplus named")
    func operands() {
        #expect(complaint(.state, ["a"]) == "")
        #expect(complaint(.state, []) == "requires exactly 1 argument: CONTAINER-ID")
        #expect(complaint(.state, ["a", "b"]) == "requires exactly 1 argument: CONTAINER-ID; not expected: \"b\"")
        #expect(complaint(.kill, []) == "requires at least 1 argument: CONTAINER-ID [SIGNAL]")
        #expect(complaint(.kill, ["a", "9"]) == "")
        #expect(
            complaint(.kill, ["a", "9", "x"]) == "takes at most 2 arguments: CONTAINER-ID [SIGNAL]; not expected: \"x\""
        )
        #expect(complaint(.completion, ["zsh"]) == "")
        #expect(complaint(.completion, ["csh"]) == "SHELL must be one of bash|zsh|fish, not \"csh\"")
        #expect(complaint(.list, ["x"]) == "takes no arguments; not expected: \"x\"")
    }

    @Test("an unknown command is an error with the nearest name")
    func unknown() {
        #expect(throws: RuntimeError("unknown command \"crate\" (did you mean create?); see 'swrun --help'")) {
            try Command.named("crate")
        }
        #expect(throws: RuntimeError("unknown command \"xyzzy\"; see 'swrun --help'")) { try Command.named("xyzzy") }
        #expect(throws: RuntimeError.self) { try Command.named("") }
        #expect(throws: RuntimeError.self) { try Command.named("Create") }
    }

    @Test(
        "the nearest name is near",
        arguments: [
            ("delte", "delete"), ("stat", "state"), ("strat", "start"), ("comp", "completion"), ("k", nil),
            ("remove", nil),
        ])
    func nearestName(word: String, wanted: String?) {
        #expect(nearest(to: word, in: Verb.allCases.map(\.rawValue)) == wanted)
    }

    @Test("a word of a megabyte is far from every name, and soon known to be")
    func longWord() {
        #expect(nearest(to: String(repeating: "a", count: 1 << 20), in: ["create"]) == nil)
    }

    @Test("the signals that completions offer are signals")
    func signals() {
        for name in completedSignals.split(separator: " ") { #expect(signalNumber(String(name)) != nil, "\(name)") }
    }
}
