internal import CBuildInfo
internal import CJansson
internal import CLibseccomp

/// What `swrun --version` prints.
///
/// The form is runc's, for docker reads it: the first line is `NAME version X`, the next two are `commit: ` and `spec: `, and
/// no other line may hold the word "version".
enum Version {
    static let number = "0.1.0"
    /// The version of the OCI runtime specification that config.json, state and features follow.
    static let specification = "1.3.0"
    /// The day of the last change to the manual, as mdoc(7) writes it.
    static let date = "August 1, 2026"

    static var text: String {
        "swrun version \(number)\ncommit: \(commit)\nspec: \(specification)\nlibseccomp: \(libseccomp)\njansson: \(jansson)\n"
    }

    /// What the program was built from.
    static var commit: String { String(cString: cl_build_commit()) }

    /// The libseccomp that is linked in, `2.5.4`.
    static var libseccomp: String {
        guard let found = seccomp_version()?.pointee else { return "unknown" }
        return "\(found.major).\(found.minor).\(found.micro)"
    }

    /// The Jansson that is linked in, `2.14`.
    static var jansson: String { String(cString: jansson_version_str()) }
}
