internal import ContainerRuntime

extension Command {
    static let features = Command(
        verb: .features,
        summary: "print what this swrun supports on this machine, as JSON",
        isParsed: true,
        run: FeaturesCommand.run)
}

enum FeaturesCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        throw RuntimeError("features: not wired yet")
    }
}
