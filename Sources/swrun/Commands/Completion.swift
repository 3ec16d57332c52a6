internal import ContainerRuntime

extension Command {
    static let completion = Command(
        verb: .completion,
        summary: "print the completions for a shell",
        operands: [Operand(name: "SHELL", kind: .choice("bash|zsh|fish"), presence: .required)],
        examples: [
            Example(command: "eval \"$(swrun completion bash)\"", meaning: "use them in this bash"),
            Example(
                command: "swrun completion bash > /etc/bash_completion.d/swrun",
                meaning: "install them for every bash"),
            Example(
                command: "swrun completion zsh > /usr/local/share/zsh/site-functions/_swrun",
                meaning: "install them for every zsh"),
            Example(
                command: "swrun completion fish > /etc/fish/completions/swrun.fish",
                meaning: "install them for every fish"),
        ],
        run: CompletionCommand.run)
}

enum CompletionCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        switch call.arguments.operands[0] {
        case "bash": try output(BashCompletion.text)
        case "zsh": try output(ZshCompletion.text)
        default: try output(FishCompletion.text)
        }
        return 0
    }
}
