internal import ContainerRuntime
internal import ImageBundle
internal import LinuxSystem
internal import RuntimeSpec

extension Option {
    static let containerName = Option(
        "name", nil, .text("NAME"), help: "the container's name for the other commands (default: launch-PID)")
}

extension Command {
    static let launch = Command(
        verb: .launch,
        summary: "run a command in a root filesystem, without a bundle",
        details: [
            "The container runs in the foreground, with a terminal when standard input is one; swrun exits with the "
                + "status of the command, and nothing is left of the container.",
            "Without any of -i, -n, -m, -p, -u and -c the container has all these namespaces of its own; with some of "
                + "them, those only. An ordinary user needs a user namespace (-U), and gets one when no namespace is named.",
            "swrun spec takes the same options and writes the config.json that they mean.",
        ],
        operands: [
            Operand(name: "ROOTFS", kind: .other, presence: .optional),
            Operand(name: "-- COMMAND", kind: .other, presence: .anyNumber),
        ],
        options: [.containerName] + LaunchFlag.options + [.seccompRecord, .seccompMerge, .seccompExplain],
        examples: [
            Example(command: "swrun launch /srv/debian", meaning: "a shell with namespaces of its own"),
            Example(
                command: "swrun launch -i -m -p -u -c -P /srv/alpine -C '/bin/sh -l'",
                meaning: "the same on the network of the host"),
            Example(
                command: "swrun launch --memory 512m -v /data:/data:ro /srv/debian -- python3 /data/x.py",
                meaning: "a program with a limit and a directory of the host"),
        ],
        run: LaunchCommand.run)
}

enum LaunchCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        try call.sealExecutable()
        var caller = LaunchCaller.current
        var wishes = try LaunchWishes(call.arguments)
        try wishes.settle(for: caller)
        if wishes.wants(.user), !wishes.mapsOwnIDsOnly { caller.mapSubordinateIDs() }
        let name = call.arguments[.containerName] ?? "launch-\(currentProcessID())"
        let id = try ContainerID(name)
        clearAbandoned(call)
        let root = try openRoot(&wishes, call)
        defer { root.detach() }

        var request = CreateRequest(id: id, bundle: "", stateRoot: call.global.stateRoot)
        request.configuration = LaunchConfiguration(wishes, for: caller).make(rootfs: root.path, name: name)
        request.rootless = call.global.isRootless
        request.cgroupDriver = call.global.cgroupManager ?? .cgroupfs
        request.startsAtOnce = true
        request.detached = false
        request.endsWithCaller = true
        request.seccompWatch = try SeccompWatch(call.arguments, detached: false)
        return try RunContainer.run(
            request, keep: false, reaper: true, started: { call.report.flush() }, tell: { call.report.tell($0) },
            { call.report.warning($0) })
    }

    /// Other commands leave containers alone that they are not asked about; only a launch that was killed has nobody to
    /// miss its container, or what it was going to make one of.
    private static func clearAbandoned(_ call: Invocation) {
        do throws(RuntimeError) {
            _ = try BundleCommand.clearAbandoned(in: call.global.stateRoot) { call.report.warning($0) }
        } catch {
            call.report.warning(error.message)
        }
    }

    private static func openRoot(
        _ wishes: inout LaunchWishes, _ call: Invocation
    ) throws(RuntimeError) -> AttachedRoot {
        if let image = wishes.containerImage {
            let registry = ImageRegistry(stateRoot: call.global.stateRoot.path)
            return try ContainerImageRoot.attach(image, &wishes, registry) { call.report.warning($0) }
        }
        if let image = wishes.image {
            return try DiskImageRoot.attach(
                try absolute(image), readOnly: wishes.readOnly, in: call.global.stateRoot
            ) { call.report.warning($0) }
        }
        guard let path = wishes.rootfs else {
            throw RuntimeError("no root filesystem", hint: "give its directory: swrun launch ROOTFS")
        }
        do throws(SystemError) {
            _ = try FileDescriptor.open(path, .place)
        } catch {
            throw RuntimeError(
                error.errno == .notDirectory
                    ? "the root filesystem \(path) is a file" : "cannot open the root filesystem",
                error, hint: error.errno == .notDirectory ? "give a directory; disk images go with --qcow2 (-Q)" : nil)
        }
        return AttachedRoot(path: path, detach: {})
    }
}
