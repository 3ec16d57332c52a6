internal import ContainerRuntime

extension Option {
    static let rootlessSpec = Option("rootless", help: "write one for a container of an ordinary user")
}

extension Command {
    static let spec = Command(
        verb: .spec,
        summary: "write a config.json to start from",
        options: [.bundle, .rootlessSpec],
        run: SpecCommand.run)
}

enum SpecCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        throw RuntimeError("spec: not wired yet")
    }
}
