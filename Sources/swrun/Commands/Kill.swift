internal import ContainerRuntime

extension Option {
    /// runc's, from the time when a container could share its pid namespace; engines still pass it.
    static let allProcesses = Option("all", "a", isHidden: true, help: "send the signal to every process")
}

extension Command {
    static let kill = Command(
        verb: .kill,
        summary: "send a signal to the process of a container",
        details: [
            "SIGNAL is a name with or without SIG, a number, or SIGRTMIN+N or SIGRTMAX-N; TERM when it is left out."
        ],
        operands: [.container, Operand(name: "SIGNAL", kind: .signal, presence: .optional)],
        options: [.allProcesses],
        examples: [Example(command: "swrun kill web KILL", meaning: "end the container web at once")],
        run: KillCommand.run)
}

enum KillCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        throw RuntimeError("kill: not wired yet")
    }
}
