internal import ContainerRuntime

extension Command {
    static let man = Command(
        verb: .man,
        summary: "print the manual page",
        examples: [
            Example(command: "swrun man | man -l -", meaning: "read it"),
            Example(command: "swrun man > /usr/local/share/man/man8/swrun.8", meaning: "install it"),
        ],
        run: ManCommand.run)
}

enum ManCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        try output(ManualPage.text)
        return 0
    }
}
