/// The name of a blob: `sha256:` and 64 digits, image-spec, descriptor.md, "Digests". Other algorithms are refused: nothing
/// could be said of what they name.
struct Digest: Equatable, Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        precondition(bytes.count == 32)
        self.bytes = bytes
    }

    init(parsing text: String) throws(BundleError) {
        let prefix = "sha256:"
        guard text.hasPrefix(prefix) else {
            throw BundleError("the digest \(shown(text.utf8)) is not of sha256, the only algorithm that is known here")
        }
        guard let digest = Digest(hex: text.utf8.dropFirst(prefix.utf8.count)) else {
            throw BundleError("\(shown(text.utf8)) is no digest: sha256: is followed by 64 digits in lower case")
        }
        self = digest
    }

    /// 64 digits, in lower case.
    init?(hex: some Collection<UInt8>) {
        guard hex.count == 64 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in hex {
            guard !(UInt8(ascii: "A")...UInt8(ascii: "F")).contains(character), let digit = hexDigit(character) else {
                return nil
            }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        self.bytes = bytes
    }

    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    var description: String { "sha256:" + hex }
}
