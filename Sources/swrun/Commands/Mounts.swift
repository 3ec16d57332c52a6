internal import ContainerRuntime

extension Command {
    static let mounts = Command(
        verb: .mounts,
        summary: "add mounts to a running container, or remove them",
        details: [
            "FILE has a list of mounts in JSON, as config.json has it (or is a config.json). Of mounts to be removed only "
                + "the destination counts. Either all mounts of the list are added or none."
        ],
        operands: [
            Operand(name: "ACTION", kind: .choice("add|remove"), presence: .required), .container,
            Operand(name: "FILE", kind: .other, presence: .required),
        ],
        examples: [Example(command: "swrun mounts add web more.json", meaning: "mount what more.json lists")],
        run: MountsCommand.run)
}

enum MountsCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        let operands = call.arguments.operands
        let id = try ContainerID(operands[1])
        if operands[0] == "add" {
            try LiveMounts.add(id, in: call.global.stateRoot, file: operands[2])
        } else {
            try LiveMounts.remove(id, in: call.global.stateRoot, file: operands[2])
        }
        return 0
    }
}
