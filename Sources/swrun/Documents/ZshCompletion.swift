/// The completions for zsh, built on its own `_arguments`.
enum ZshCompletion {
    static var text: String {
        """
        #compdef swrun
        # zsh completion for swrun, printed by "swrun completion zsh"

        _swrun_containers() {
            local -a ids
            ids=(${(f)"$("${_swrun[@]}" list --quiet 2>/dev/null)"})
            compadd -a ids
        }

        _swrun() {
            local curcontext=$curcontext state line
            local -a _swrun=($words[1])
            local -A opt_args
            _arguments -C \\
        \(specifications(GlobalOptions.table, indent: 8))        '1:COMMAND:->command' \\
                '*::ARGUMENT:->argument' && return
            [[ -n $opt_args[--root] ]] && _swrun+=(--root ${(Q)opt_args[--root]})
            case $state in
                command)
                    local -a commands=(
        \(commands)            )
                    _describe command commands ;;
                argument)
                    case $words[1] in
        \(sections)            esac ;;
            esac
        }

        if [[ $funcstack[1] == _swrun ]]; then
            _swrun "$@"
        else
            compdef _swrun swrun
        fi

        """
    }

    private static var commands: String {
        var text = ""
        for verb in Verb.allCases { text += "                \(quoted("\(verb.rawValue):\(verb.command.summary)"))\n" }
        return text
    }

    private static var sections: String {
        var text = ""
        for verb in Verb.allCases {
            text += "                \(verb.rawValue))\n                    _arguments \\\n"
            text += specifications(verb.command.options + [.help], indent: 24)
            for (index, operand) in verb.command.operands.enumerated() {
                let position = operand.presence == .anyNumber ? "*" : String(index + 1)
                text += spaces(24) + quoted("\(position):\(operand.name):\(action(for: operand.kind))") + " \\\n"
            }
            text = String(text.dropLast(3)) + " ;;\n"
        }
        return text
    }

    /// One line for each option.
    private static func specifications(_ options: [Option], indent: Int) -> String {
        var text = ""
        for option in options where !option.isHidden {
            let isFlag = option.value.placeholder == nil
            let long = option.dashed + (isFlag ? "" : "=")
            let names: String
            if let short = option.short {
                let alone = option.repeats ? "'*'" : "'(-\(short) \(option.dashed))'"
                names = "\(alone){-\(short)\(isFlag ? "" : "+"),\(long)}"
            } else {
                names = (option.repeats ? "'*'" : "") + long
            }
            let help = option.help.replacing(["[": "\\[", "]": "\\]"])
            let value = option.value.placeholder.map { ":\($0):\(action(for: option.value))" } ?? ""
            text += spaces(indent) + "\(names)\(quoted("[\(help)]\(value)")) \\\n"
        }
        return text
    }

    private static func action(for value: Option.Value) -> String {
        switch value {
        case .flag, .text, .number: " "
        case .file: "_files"
        case .directory: "_directories"
        case .choice(let choices): "(\(choices.replacing(["|": " "])))"
        }
    }

    private static func action(for kind: Command.Operand.Kind) -> String {
        switch kind {
        case .container: "_swrun_containers"
        case .signal: "(\(completedSignals))"
        case .command: "(\(Verb.allCases.map(\.rawValue).joined(separator: " ")))"
        case .choice(let choices): "(\(choices.replacing(["|": " "])))"
        case .other: " "
        }
    }

    private static func quoted(_ text: String) -> String { "'" + text.replacing(["'": "'\\''"]) + "'" }
}
