import Foundation
import Testing

@testable import swrun

/// A line typed up to the cursor, and the words that a shell offers for its last word.
private let lines: [(line: String, offered: Set<String>)] = [
    ("swrun cr", ["create"]),
    ("swrun --log-f", ["--log-format"]),
    ("swrun --log-format ", ["text", "json"]),
    ("swrun --log-format j", ["json"]),
    ("swrun --log-format json st", ["start", "state"]),
    ("swrun --log-format=json st", ["start", "state"]),
    ("swrun --debug=true st", ["start", "state"]),
    ("swrun create --b", ["--bundle"]),
    ("swrun create --pid-file x --no-", ["--no-pivot", "--no-new-keyring"]),
    ("swrun create --bundle bund", ["bundle-a"]),
    ("swrun create --pid-file bund", ["bundle-a", "bundle-file"]),
    ("swrun delete ", ["web", "db"]),
    ("swrun delete --force w", ["web"]),
    ("swrun --root /other delete o", ["other"]),
    ("swrun --root=/other delete o", ["other"]),
    ("swrun kill web K", ["KILL"]),
    ("swrun list -f t", ["table"]),
    ("swrun help fe", ["features"]),
    ("swrun completion z", ["zsh"]),
]

@Suite("Completions")
final class CompletionTests {
    /// Holds a program `swrun` that knows three containers, files to complete, and the completions of all shells.
    private let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)

    init() throws {
        try FileManager.default.createDirectory(
            at: directory.appending(path: "bundle-a"), withIntermediateDirectories: true)
        let program = """
            #!/bin/sh
            case "$*" in
                "list --quiet") printf 'web\\ndb\\n' ;;
                "--root /other list --quiet" | "--root=/other list --quiet") echo other ;;
            esac
            """
        for (name, text) in [
            ("swrun", program), ("bundle-file", ""), ("swrun.bash", BashCompletion.text),
            ("_swrun", ZshCompletion.text), ("swrun.fish", FishCompletion.text),
        ] {
            try Data(text.utf8).write(to: directory.appending(path: name))
        }
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o755], ofItemAtPath: directory.appending(path: "swrun").path)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private func offered(by shell: String, _ script: String) throws -> Set<String> {
        let result = try run("cd '\(directory.path)'\n" + script, path: directory.path, shell: "/usr/bin/" + shell)
        #expect(result.stderr == "")
        return Set(result.stdout.split(separator: "\n").map { $0.hasSuffix("/") ? String($0.dropLast()) : String($0) })
    }

    @Test("bash offers what fits", .enabled(if: isInstalled("bash")), arguments: lines)
    func bash(line: String, wanted: Set<String>) throws {
        // As readline hands the words over: "=" is a word of its own.
        let words = line.replacingOccurrences(of: "=", with: " = ").components(separatedBy: " ").map { "'\($0)'" }
        let script = """
            source swrun.bash
            compopt() { :; }
            COMP_WORDS=(\(words.joined(separator: " ")))
            COMP_CWORD=\(words.count - 1)
            _swrun
            printf '%s\\n' "${COMPREPLY[@]}"
            """
        #expect(try offered(by: "bash", script) == wanted)
    }

    @Test("fish offers what fits", .enabled(if: isInstalled("fish")), arguments: lines)
    func fish(line: String, wanted: Set<String>) throws {
        let script = "source swrun.fish; complete -C '\(line)' | string replace -r '\\t.*' ''"
        #expect(try offered(by: "fish", script) == wanted)
    }

    /// But not behind a flag with a value: zsh's own functions know none.
    @Test(
        "zsh offers what fits", .enabled(if: isInstalled("zsh")),
        arguments: lines.filter { !$0.line.contains("--debug=") })
    func zsh(line: String, wanted: Set<String>) throws {
        // Completion works in an interactive shell only: one on a pseudoterminal, whose compadd tells what it is given.
        let script = """
            zmodload zsh/zpty
            zpty z zsh -f -i
            zpty -w z "stty -echo; PROMPT=; fpath=($PWD \\$fpath); autoload -Uz compinit; compinit -u -D"
            zpty -w z 'compadd() {
                if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
                local -a hits; builtin compadd -A hits "$@"; builtin compadd "$@"
                local result=$?; print -l -- "HIT:"$^hits; return $result
            }'
            zpty -w z 'tab() { zle complete-word; print; print END; exit }; zle -N tab; bindkey "^I" tab; print READY'
            while zpty -r z text; do [[ $text == *READY* ]] && break; done
            zpty -w -n z '\(line)'$'\\t'
            while zpty -r z text; do
                [[ $text == *HIT:* ]] && { text=${text##*HIT:}; print -r -- ${text%%[$'\\r\\n']*} }
                [[ $text == END* ]] && break
            done
            zpty -d z
            """
        // On a loaded machine the shell may not listen yet when the line is typed.
        var seen: Set<String> = []
        for _ in 0..<4 where seen != wanted { seen = try offered(by: "zsh", script) }
        #expect(seen == wanted)
    }

    @Test("shellcheck accepts the completions for bash", .enabled(if: isInstalled("shellcheck")))
    func shellcheck() throws {
        #expect(try run("shellcheck -s bash -", input: BashCompletion.text).stdout == "")
    }
}
