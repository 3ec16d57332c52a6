internal import ContainerRuntime
internal import ImageBundle
internal import RuntimeSpec

extension Command {
    static let features = Command(
        verb: .features,
        summary: "print what this swrun supports on this machine, as JSON",
        isParsed: true,
        run: FeaturesCommand.run)
}

enum FeaturesCommand {
    static func run(_ call: Invocation) throws(RuntimeError) -> Int32 {
        try output(
            RuntimeFeatures.describe(
                version: Version.number, commit: Version.commit,
                libraries: [
                    KeyValue("io.github.seccomp.libseccomp.version", Version.libseccomp),
                    KeyValue("org.digip.jansson.version", Version.jansson),
                ],
                annotations: [MakeBundle.modeAnnotation]
            ).json.serialized(indent: "  ") + "\n")
        return 0
    }
}
