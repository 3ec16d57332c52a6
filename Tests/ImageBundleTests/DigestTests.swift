import Testing

@testable import ImageBundle

@Suite("SHA-256 and digests")
struct DigestTests {
    /// FIPS 180-4's examples, and lengths around the borders of a block; sums by sha256sum(1).
    private static let known: [(text: String, hex: String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ]

    @Test("known sums, with and without the processor's instructions", arguments: [true, false])
    func sums(_ accelerated: Bool) {
        for (text, hex) in Self.known {
            var sum = SHA256(accelerated: accelerated)
            Array(text.utf8).withUnsafeBytes { sum.update($0) }
            #expect(Digest(sum.finish()).hex == hex)
        }
    }

    @Test("both ways of summing agree, however the bytes come")
    func pieces() {
        var bytes: [UInt8] = []
        for index in 0..<1000 { bytes.append(UInt8(truncatingIfNeeded: index &* index &+ index >> 3)) }
        for length in [0, 1, 55, 56, 63, 64, 65, 127, 128, 129, 1000] {
            let part = Array(bytes[..<length])
            var slow = SHA256(accelerated: false)
            part.withUnsafeBytes { slow.update($0) }
            let wanted = slow.finish()
            for step in [1, 3, 64, 100] {
                var fast = SHA256()
                for start in stride(from: 0, to: length, by: step) {
                    part[start..<min(start + step, length)].withUnsafeBytes { fast.update($0) }
                }
                #expect(fast.finish() == wanted, "\(length) bytes by \(step)")
            }
        }
    }

    @Test("what is no digest is refused")
    func parsing() throws {
        let hex = Self.known[0].hex
        #expect(try Digest(parsing: "sha256:" + hex).hex == hex)
        for text in [
            "", "sha256:", "sha256:" + hex.uppercased(), "sha256:" + hex + "0", "sha512:" + hex, "sha256:../x", hex,
        ] {
            #expect(throws: BundleError.self) { try Digest(parsing: text) }
        }
    }
}
