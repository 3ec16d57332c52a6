// swift-tools-version: 6.2
import PackageDescription

// Every target is compiled with warnings as errors: a warning nobody mends is a warning nobody reads.
let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // Not imported unasked: one call of String.replacing would link in the engine of regular expressions, and the
    // larger executable starts a fifth slower.
    .unsafeFlags(["-Xfrontend", "-disable-implicit-string-processing-module-import"]),
]

/// What `swrun --version` says it was built from.
let commit = Context.gitInformation.map { $0.currentCommit + ($0.hasUncommittedChanges ? "-dirty" : "") } ?? "unknown"

let package = Package(
    name: "swrun",
    products: [
        .executable(name: "swrun", targets: ["swrun"])
    ],
    targets: [
        // C: what Swift cannot import, and the libraries of the system.
        .target(
            name: "CLinux",
            cSettings: [
                .unsafeFlags(["-Wall", "-Wextra", "-Werror"]),
                .define("SWRUN_COMMIT", to: "\"\(commit)\""),
            ]),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        .systemLibrary(name: "CLibcap", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),
        .systemLibrary(name: "CLibseccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),

        // The two foundations; they do not know each other.
        .target(name: "LinuxSystem", dependencies: ["CLinux"], swiftSettings: strict),
        .target(name: "RuntimeSpec", dependencies: ["CJansson"], swiftSettings: strict),

        .target(
            name: "ContainerRuntime",
            dependencies: ["LinuxSystem", "RuntimeSpec", "CLinux", "CLibcap", "CLibseccomp"],
            swiftSettings: strict),

        .target(
            name: "ImageBundle", dependencies: ["LinuxSystem", "RuntimeSpec", "CLinux", "CZlib", "CZstd"],
            swiftSettings: strict),

        // The command line. The release build is one static executable, so that nothing on the host, and nothing
        // that a container can reach, takes part in starting it.
        .executableTarget(
            name: "swrun",
            dependencies: [
                "ContainerRuntime", "ImageBundle", "RuntimeSpec", "LinuxSystem", "CLinux", "CJansson", "CLibseccomp",
            ],
            swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags(
                    ["-static-executable", "-Xlinker", "--entry=cl_sealed_start", "-Xlinker", "--strip-debug"],
                    .when(configuration: .release))
            ]),

        .testTarget(name: "LinuxSystemTests", dependencies: ["LinuxSystem"], swiftSettings: strict),
        .testTarget(name: "RuntimeSpecTests", dependencies: ["RuntimeSpec"], swiftSettings: strict),
        .testTarget(
            name: "ContainerRuntimeTests", dependencies: ["ContainerRuntime", "RuntimeSpec", "LinuxSystem"],
            swiftSettings: strict),
        .testTarget(
            name: "ImageBundleTests", dependencies: ["ImageBundle", "RuntimeSpec", "LinuxSystem"],
            swiftSettings: strict),
        .testTarget(name: "swrunTests", dependencies: ["swrun"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
