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
    // A section for each function, which the linker can put where it is wanted; metadata of generic types made by the
    // compiler instead of at run time, as far as it can; values copied and destroyed without the metadata of their
    // types; and no atomic counting of references, for there is one thread.
    .unsafeFlags(
        [
            "-Xfrontend", "-function-sections", "-Xfrontend", "-prespecialize-generic-metadata",
            "-Xfrontend", "-assume-single-threaded", "-enforce-exclusivity=unchecked",
            "-Xfrontend", "-disable-concrete-type-metadata-mangled-name-accessors",
            "-Xfrontend", "-disable-type-layout",
        ], .when(configuration: .release)),
]

/// The symbols that every container needs, side by side in the executable: see conformance/bench/hot-symbols.
let hotSymbols = Context.packageDirectory + "/Sources/hot-symbols.txt"

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
                .unsafeFlags(["-Wall", "-Wextra", "-Werror", "-ffunction-sections"]),
                .define("SWRUN_STATIC", .when(configuration: .release)),
            ]),
        // By itself, because it is another one with each commit: whatever imports it is compiled anew then.
        .target(name: "CBuildInfo", cSettings: [.define("SWRUN_COMMIT", to: "\"\(commit)\"")]),
        .systemLibrary(name: "CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"])]),
        .systemLibrary(name: "CLibcap", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),
        .systemLibrary(name: "CLibseccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CBzip2", providers: [.apt(["libbz2-dev"])]),
        .systemLibrary(name: "CLzma", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
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
            name: "ImageBundle",
            dependencies: [
                "LinuxSystem", "RuntimeSpec", "CLinux", "CLibseccomp", "CBzip2", "CLzma", "CZlib", "CZstd",
            ],
            swiftSettings: strict),

        // The command line. The release build is one static executable, so that nothing on the host, and nothing
        // that a container can reach, takes part in starting it.
        .executableTarget(
            name: "swrun",
            dependencies: [
                "ContainerRuntime", "ImageBundle", "RuntimeSpec", "LinuxSystem", "CLinux", "CBuildInfo", "CJansson",
                "CLibseccomp",
            ],
            swiftSettings: strict,
            linkerSettings: [
                .unsafeFlags(
                    [
                        "-static-executable", "-use-ld=lld", "-Xlinker", "--entry=cl_sealed_start",
                        "-Xlinker", "--strip-debug", "-Xlinker", "--symbol-ordering-file=\(hotSymbols)",
                        "-Xlinker", "--no-warn-symbol-ordering",
                    ],
                    .when(configuration: .release))
            ]),

        .testTarget(name: "LinuxSystemTests", dependencies: ["LinuxSystem"], swiftSettings: strict),
        .testTarget(name: "RuntimeSpecTests", dependencies: ["RuntimeSpec"], swiftSettings: strict),
        .testTarget(
            name: "ContainerRuntimeTests", dependencies: ["ContainerRuntime", "RuntimeSpec", "LinuxSystem"],
            swiftSettings: strict),
        .testTarget(
            name: "ImageBundleTests", dependencies: ["ImageBundle", "RuntimeSpec", "LinuxSystem"], exclude: ["Corpus"],
            swiftSettings: strict),
        .testTarget(name: "swrunTests", dependencies: ["swrun"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
