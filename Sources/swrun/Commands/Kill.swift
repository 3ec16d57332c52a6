internal import ContainerRuntime
internal import LinuxSystem

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
        options: [.allProcesses, .regex],
        examples: [Example(command: "swrun kill web KILL", meaning: "end the container web at once")],
        run: KillCommand.run)
}

enum KillCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        let operands = call.arguments.operands
        let name = operands.count > 1 ? operands[1] : "TERM"
        guard let signal = signalNumber(name) else {
            throw RuntimeError(
                "kill: unknown signal \"\(name)\"",
                hint: "give a name such as TERM or SIGTERM, or a number from 1 to 64")
        }
        let all = call.arguments.has(.allProcesses)
        try call.forEachContainer { (id) throws(RuntimeError) in
            try KillContainer.run(id, in: call.global.stateRoot, signal: signal, all: all)
        }
        return 0
    }
}
