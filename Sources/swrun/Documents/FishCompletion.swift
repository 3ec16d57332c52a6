/// The completions for fish.
enum FishCompletion {
    static var text: String {
        var text = """
            # fish completion for swrun, printed by "swrun completion fish"

            # Prints the command on the line; fails where none has been given yet.
            function __swrun_command
                set -l words (commandline -opc)
                set -l isvalue 0
                for word in $words[2..-1]
                    if test $isvalue = 1
                        set isvalue 0
                    else if contains -- $word \(optionsWithValue)
                        set isvalue 1
                    else if not string match -q -- '-*' $word
                        echo $word
                        return 0
                    end
                end
                return 1
            end

            function __swrun_in
                test (__swrun_command; or echo -) = $argv[1]
            end

            # Whether so many arguments of the command have been given.
            function __swrun_operands
                set -l words (commandline -opc)
                set -l command (__swrun_command)
                set -l index (contains -i -- $command $words)
                set -l count 0
                set -l isvalue 0
                for word in $words[(math $index + 1)..-1]
                    if test $isvalue = 1
                        set isvalue 0
                    else if contains -- $command:$word \(commandOptionsWithValue)
                        set isvalue 1
                    else if not string match -q -- '-*' $word
                        set count (math $count + 1)
                    end
                end
                test $count = $argv[1]
            end

            function __swrun_containers
                set -l words (commandline -opc)
                set -l root (string replace -rf -- '^--root=' '' $words)
                set -l index (contains -i -- --root $words); and set root $words[(math $index + 1)]
                set -q root[1]; and set root --root $root[1]
                $words[1] $root list --quiet 2>/dev/null
            end

            complete -c swrun -f

            """
        for option in GlobalOptions.table { text += line(for: option, when: "not __swrun_command") }
        for verb in Verb.allCases {
            let command = verb.command
            text += "complete -c swrun -n 'not __swrun_command' -a \(verb.rawValue) -d \(quoted(command.summary))\n"
            for option in command.options + [.help] { text += line(for: option, when: "__swrun_in \(verb.rawValue)") }
            for (index, operand) in command.operands.enumerated() {
                guard let words = words(for: operand.kind) else { continue }
                let condition = "__swrun_in \(verb.rawValue); and __swrun_operands \(index)"
                text += "complete -c swrun -n '\(condition)' -a \(quoted(words))\n"
            }
        }
        return text
    }

    private static var optionsWithValue: String {
        names(of: GlobalOptions.table, prefix: "").joined(separator: " ")
    }

    private static var commandOptionsWithValue: String {
        var all: [String] = []
        for verb in Verb.allCases { all += names(of: verb.command.options, prefix: verb.rawValue + ":") }
        return all.joined(separator: " ")
    }

    /// The spellings of those options that take their value from the next word.
    private static func names(of options: [Option], prefix: String) -> [String] {
        var names: [String] = []
        for option in options where option.value.placeholder != nil {
            names.append(prefix + option.dashed)
            if let short = option.short { names.append("\(prefix)-\(short)") }
        }
        return names
    }

    private static func line(for option: Option, when condition: String) -> String {
        if option.isHidden { return "" }
        let short = option.short.map { " -s \($0)" } ?? ""
        let value =
            switch option.value {
            case .flag: ""
            case .text, .number: " -x"
            case .file: " -r -F"
            case .directory: " -x -a '(__fish_complete_directories)'"
            case .choice(let choices): " -x -a '\(choices.replacing(["|": " "]))'"
            }
        return "complete -c swrun -n '\(condition)'\(short) -l \(option.name)\(value) -d \(quoted(option.help))\n"
    }

    private static func words(for kind: Command.Operand.Kind) -> String? {
        switch kind {
        case .container: "(__swrun_containers)"
        case .signal: completedSignals
        case .command: Verb.allCases.map(\.rawValue).joined(separator: " ")
        case .choice(let choices): choices.replacing(["|": " "])
        case .other: nil
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.replacing(["\\": "\\\\", "'": "\\'"]) + "'"
    }
}
