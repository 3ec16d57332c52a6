/// The version of the runtime specification, in SemVer 2.0.0 form (config.md, Specification version).
package struct SpecVersion: Equatable, Sendable {
    /// What this runtime implements, and writes into the documents it makes.
    package static let current = "1.3.0"
    /// Of the configurations that swrun writes for others to read: it has all the properties in them, and every runtime
    /// in use accepts it. crun 1.8 takes none from 1.1 on.
    package static let customary = "1.0.2"
    /// The oldest version it accepts, with the development versions before it.
    package static let oldest = "1.0.0"

    package var major: Int
    package var minor: Int
    package var patch: Int

    /// nil when `text` is not SemVer.
    package init?(_ text: String) {
        // major.minor.patch [ "-" pre-release ] [ "+" build ], where a pre-release cannot have a plus sign.
        let withoutBuild = text.utf8.split(separator: UInt8(ascii: "+"), maxSplits: 1, omittingEmptySubsequences: false)
        if withoutBuild.count > 1, !Self.areIdentifiers(withoutBuild[1], allowLeadingZeros: true) { return nil }
        let parts = withoutBuild[0].split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count > 1, !Self.areIdentifiers(parts[1], allowLeadingZeros: false) { return nil }
        let numbers = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard numbers.count == 3, let major = Self.number(numbers[0]), let minor = Self.number(numbers[1]),
            let patch = Self.number(numbers[2])
        else { return nil }
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Versions are compatible within a major version, but only with a runtime at least as new (in minor version).
    package var isSupported: Bool {
        major == 1 && minor <= 3
    }

    /// Checks an `ociVersion`.
    static func requireSupported(_ text: String) throws(SpecError) {
        guard let version = SpecVersion(text) else {
            throw SpecError(
                .invalid, at: "ociVersion", "not a semantic version:", quoted(text),
                expected: "expected one such as \(current)")
        }
        guard version.isSupported else {
            throw SpecError(
                .unsupportedVersion, at: "ociVersion", "unsupported version", quoted(text),
                expected: "expected \(oldest) to 1.3.x")
        }
    }

    private static func number(_ digits: Substring.UTF8View) -> Int? {
        guard isNumeric(digits), digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        return Int(Substring(digits))
    }

    private static func areIdentifiers(_ text: Substring.UTF8View, allowLeadingZeros: Bool) -> Bool {
        text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { identifier in
            guard !identifier.isEmpty, identifier.allSatisfy(isIdentifierCharacter) else { return false }
            let hasLeadingZero = identifier.count > 1 && identifier.first == UInt8(ascii: "0")
            return allowLeadingZeros || !hasLeadingZero || !isNumeric(identifier)
        }
    }

    private static func isNumeric(_ text: Substring.UTF8View) -> Bool {
        !text.isEmpty && text.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    }

    private static func isIdentifierCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
