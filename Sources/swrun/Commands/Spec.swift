internal import ContainerRuntime
internal import LinuxSystem
internal import RuntimeSpec

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
        let path = (call.arguments[.bundle] ?? ".") + "/config.json"
        let config = DefaultConfig.make(
            rootless: call.arguments.has(.rootlessSpec), uid: effectiveUserID(), gid: effectiveGroupID())
        do throws(SystemError) {
            let file = try FileDescriptor.open(path, [.writeOnly, .create, .exclusive], mode: 0o666)
            try file.write(config.json.serialized(indent: "    ") + "\n", subject: path)
        } catch {
            throw RuntimeError(
                "cannot write the specification", error,
                hint: error.errno == .exists ? "remove the file \(path) first" : nil)
        }
        return 0
    }
}
