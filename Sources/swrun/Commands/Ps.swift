internal import ContainerRuntime
internal import RuntimeSpec

extension Command {
    static let ps = Command(
        verb: .ps,
        summary: "print the processes of a container",
        details: [
            "The table is what ps(1) of the host says about them; ps gets the arguments after the id, or -ef. In JSON it "
                + "is a list of process ids. They are numbered as on the host."
        ],
        operands: [.container, Operand(name: "PS-ARGUMENT", kind: .other, presence: .anyNumber)],
        options: [.format],
        examples: [
            Example(command: "swrun ps web -o pid,rss,args", meaning: "the memory and the command of each process")
        ],
        stopsAtFirstOperand: true,
        isParsed: true,
        run: PsCommand.run)
}

enum PsCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        let operands = call.arguments.operands
        let pids = try ListProcesses.run(try ContainerID(operands[0]), in: call.global.stateRoot)
        if call.arguments[.format] == "json" {
            try output(JSON.array(pids.map { .int(Int64($0)) }).serialized() + "\n")
        } else {
            let arguments = operands.count > 1 ? Array(operands[1...]) : ["-ef"]
            try output(try ProcessTable.lines(of: pids, arguments: arguments))
        }
        return 0
    }
}
