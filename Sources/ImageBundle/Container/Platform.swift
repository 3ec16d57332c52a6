internal import RuntimeSpec

/// An operating system and a processor, in Go's words: image-spec, image-index.md.
struct Platform: Equatable, Sendable, CustomStringConvertible {
    var os: String
    var architecture: String
    /// nil: the processor has none, or all of them will do.
    var variant: String?

    /// "linux/arm64/v8"
    init(parsing text: String) throws(BundleError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2 || parts.count == 3, !parts.contains("") else {
            throw BundleError("--platform is OS/ARCHITECTURE[/VARIANT], as in linux/arm64, not \"\(text)\"")
        }
        os = String(parts[0])
        architecture = Self.aliases[String(parts[1])] ?? String(parts[1])
        variant = parts.count == 3 ? String(parts[2]) : nil
    }

    init(os: String, architecture: String, variant: String? = nil) {
        (self.os, self.architecture, self.variant) = (os, architecture, variant)
    }

    /// The names that uname(2) has for what Go names otherwise.
    private static let aliases = ["x86_64": "amd64", "aarch64": "arm64", "i686": "386", "i386": "386"]

    /// The machine that this was compiled for.
    static var host: Platform {
        #if arch(x86_64)
            Platform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
            Platform(os: "linux", architecture: "arm64")
        #elseif arch(arm)
            Platform(os: "linux", architecture: "arm")
        #elseif arch(s390x)
            Platform(os: "linux", architecture: "s390x")
        #elseif arch(powerpc64le)
            Platform(os: "linux", architecture: "ppc64le")
        #else
            Platform(os: "linux", architecture: "riscv64")
        #endif
    }

    var description: String { "\(os)/\(architecture)" + (variant.map { "/" + $0 } ?? "") }

    /// How well an image for `offered` serves who wants this; nil: not at all. Lower is better.
    func distance(to offered: Platform) -> Int? {
        guard os == offered.os, architecture == offered.architecture else { return nil }
        if let variant {
            if variant == offered.variant { return 0 }
            // v8 is all there is of arm64, v1 is what every amd64 has.
            return Self.baseline[architecture] == variant && offered.variant == nil ? 1 : nil
        }
        guard let other = offered.variant else { return 0 }
        if other == Self.baseline[architecture] { return 1 }
        // Every processor of today runs v7; what asks for more than the baseline of another may not run.
        guard let level = Int(other.drop { $0 == "v" }) else { return 100 }
        return architecture == "arm" ? 10 + abs(7 - level) : 10 + level
    }

    private static let baseline = ["arm64": "v8", "amd64": "v1", "arm": "v7"]
}

extension Platform: JSONDecodable {
    init(json: JSONValue) throws(SpecError) {
        let object = try json.object()
        self.init(
            os: try object.text("os") ?? "", architecture: try object.text("architecture") ?? "",
            variant: try object.text("variant"))
    }
}
