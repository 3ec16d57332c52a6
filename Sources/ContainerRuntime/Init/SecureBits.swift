internal import LinuxSystem
internal import RuntimeSpec

/// The securebits of a process (capabilities(7)): which privileges being root brings. The specification has no property
/// for them; an annotation names them:
///
///     "org.swrun.securebits": "noroot,noroot-locked"
package enum SecureBits {
    package static let annotation = Annotation.secureBits.rawValue

    /// Names of bits, in the order of their numbers (linux/securebits.h).
    package static let names = [
        "noroot", "noroot-locked", "no-setuid-fixup", "no-setuid-fixup-locked", "keep-caps", "keep-caps-locked",
        "no-cap-ambient-raise", "no-cap-ambient-raise-locked",
    ]

    /// What the annotation asks for; 0 without it.
    static func parse(_ annotations: [KeyValue]) throws(RuntimeError) -> UInt32 {
        guard let text = annotations[annotation] else { return 0 }
        var bits: UInt32 = 0
        for word in text.split(separator: ",") {
            guard let number = names.firstIndex(of: String(word)) else {
                throw RuntimeError(
                    at: "annotations[\"\(annotation)\"]", "unknown securebit \"\(word)\"",
                    hint: "known are \(names.joined(separator: ", "))")
            }
            bits |= 1 << UInt32(number)
        }
        return bits
    }
}
