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
        details: [
            "Without more options it is a shell in the directory rootfs of the bundle, as runc spec writes it. With "
                + "options of swrun launch it is the container that they mean."
        ],
        operands: [
            Operand(name: "ROOTFS", kind: .other, presence: .optional),
            Operand(name: "-- COMMAND", kind: .other, presence: .anyNumber),
        ],
        options: [.bundle, .rootlessSpec] + LaunchFlag.options,
        examples: [
            Example(
                command: "swrun spec -i -m -p -u -c -P /srv/alpine -C '/bin/sh -l'",
                meaning: "what swrun launch would run with these options")
        ],
        run: SpecCommand.run)
}

enum SpecCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        let path = (call.arguments[.bundle] ?? ".") + "/config.json"
        let config = try configuration(call.arguments)
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

    private static func configuration(_ arguments: Arguments) throws(RuntimeError) -> Config {
        let isRootless = arguments.has(.rootlessSpec)
        let isPlain = arguments.operands.isEmpty && LaunchFlag.options.allSatisfy { arguments.values($0).isEmpty }
        if isPlain {
            return DefaultConfig.make(
                rootless: isRootless, uid: effectiveUserID(), gid: effectiveGroupID(),
                unifiedCgroups: try CgroupLayout.detect().kind == .v2)
        }
        var caller = LaunchCaller.current
        var wishes = try LaunchWishes(arguments)
        if isRootless, !wishes.wants(.user) { wishes.namespaces.append(.user) }
        // Who writes it need not be who runs it.
        if !wishes.wants(.user) { caller.isPrivileged = true }
        if let image = wishes.image {
            throw RuntimeError(
                "--qcow2: a config.json cannot name a disk image",
                hint: "launch \(image), or make a bundle of it first")
        }
        if let image = wishes.containerImage {
            throw RuntimeError(
                "--image: a config.json cannot name an image", hint: "launch \(image), or make a bundle of it first")
        }
        try wishes.settle(for: caller)
        if wishes.wants(.user), !wishes.mapsOwnIDsOnly { caller.mapSubordinateIDs() }
        return LaunchConfiguration(wishes, for: caller).make(rootfs: wishes.rootfs ?? "rootfs", name: "swrun")
    }
}
