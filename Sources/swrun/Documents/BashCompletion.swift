/// The completions for bash. They need no package of helpers: bash alone suffices.
enum BashCompletion {
    static var text: String {
        """
        # bash completion for swrun, printed by "swrun completion bash"

        # Sets "kind": what the value of an option is, or nothing for a flag.
        _swrun_option_kind() {
            kind=''
            case "$1:$2" in
        \(optionKinds)    esac
        }

        # Sets "kind": what the operand of that number is.
        _swrun_operand_kind() {
            kind=''
            case "$1:$2" in
        \(operandKinds)    esac
        }

        # Sets "options": those of a command, or the global ones.
        _swrun_options() {
            options=''
            case "$1" in
        \(options)    esac
        }

        _swrun() {
            local swrun=${COMP_WORDS[0]/#\\~/$HOME} word=${COMP_WORDS[COMP_CWORD]}
            local command='' option='' operand=0 kind='' options='' root=() index given
            COMPREPLY=()
            for ((index = 1; index < COMP_CWORD; index++)); do
                given=${COMP_WORDS[index]}
                if [[ $given == '=' ]]; then
                    # bash takes --option=value for three words
                    option=${option:-flag}
                elif [[ -n $option ]]; then
                    [[ $command$option == --root ]] && root=(--root "$given")
                    option=''
                elif [[ $given == -* ]]; then
                    _swrun_option_kind "$command" "$given"
                    [[ -n $kind ]] && option=$given
                    [[ $command$given == --root=* ]] && root=("$given")
                elif [[ -z $command ]]; then
                    command=$given
                else
                    operand=$((operand + 1))
                fi
            done
            [[ $word == '=' ]] && word=''
            if [[ -n $option ]]; then
                _swrun_option_kind "$command" "$option"
            elif [[ $word == -* ]]; then
                _swrun_options "$command"
                mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
                return
            elif [[ -z $command ]]; then
                kind='words \(words(Verb.allCases.map(\.rawValue)))'
            else
                _swrun_operand_kind "$command" "$operand"
            fi
            case $kind in
                file)
                    compopt -o filenames
                    mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
                directory)
                    compopt -o filenames
                    mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
                words*)
                    mapfile -t COMPREPLY < <(compgen -W "${kind#words }" -- "$word") ;;
                container)
                    mapfile -t COMPREPLY < <(compgen -W "$("$swrun" "${root[@]}" list --quiet 2>/dev/null)" -- "$word") ;;
            esac
        }

        complete -F _swrun swrun

        """
    }

    private static var optionKinds: String {
        var text = kinds(of: GlobalOptions.table, command: "")
        for verb in Verb.allCases { text += kinds(of: verb.command.options, command: verb.rawValue) }
        return text
    }

    private static func kinds(of options: [Option], command: String) -> String {
        var text = ""
        for option in options where !option.isHidden {
            let kind: String
            switch option.value {
            case .flag: continue
            case .text, .number: kind = "text"
            case .file: kind = "file"
            case .directory: kind = "directory"
            case .choice(let choices): kind = "words \(choices.replacing(["|": " "]))"
            }
            let short = option.short.map { " | \(command):-\($0)" } ?? ""
            text += "        \(command):\(option.dashed)\(short)) kind='\(kind)' ;;\n"
        }
        return text
    }

    private static var operandKinds: String {
        var text = ""
        for verb in Verb.allCases {
            for (index, operand) in verb.command.operands.enumerated() {
                let kind: String
                switch operand.kind {
                case .other: continue
                case .container: kind = "container"
                case .signal: kind = "words \(completedSignals)"
                case .command: kind = "words \(words(Verb.allCases.map(\.rawValue)))"
                case .choice(let choices): kind = "words \(choices.replacing(["|": " "]))"
                }
                text += "        \(verb.rawValue):\(index)) kind='\(kind)' ;;\n"
            }
        }
        return text
    }

    private static var options: String {
        var text = "        '') options='\(words(GlobalOptions.table.filter { !$0.isHidden }.map(\.dashed)))' ;;\n"
        for verb in Verb.allCases {
            let names = (verb.command.options + [.help]).filter { !$0.isHidden }.map(\.dashed)
            text += "        \(verb.rawValue)) options='\(words(names))' ;;\n"
        }
        return text
    }

    private static func words(_ list: [String]) -> String { list.joined(separator: " ") }
}

/// The signals that people send, for the completions of every shell.
let completedSignals = "TERM KILL HUP INT QUIT USR1 USR2 STOP CONT WINCH ABRT ALRM PWR RTMIN+3 RTMIN+4"
