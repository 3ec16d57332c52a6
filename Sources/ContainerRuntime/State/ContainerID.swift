/// The name of a container: letters, digits, "_", "+", "-" and ".", at most 255 bytes, and not "." or "..": it becomes
/// the name of a directory and of cgroups.
package struct ContainerID: Equatable, Sendable {
    package let text: String

    package init(_ text: String) throws(RuntimeError) {
        let wellFormed = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
        guard wellFormed, !text.isEmpty, text.utf8.count <= 255, text != ".", text != ".." else {
            throw RuntimeError(
                "invalid container ID format: \"\(text.escapedForMessage)\"",
                hint: "use letters, digits and _ + - . (at most 255, not \".\" or \"..\")")
        }
        self.text = text
    }
}

extension String {
    /// The text with control characters replaced, cut to what fits in a one-line message.
    var escapedForMessage: String {
        let clean = String(String.UnicodeScalarView(unicodeScalars.prefix(80).map { $0.value < 32 ? "?" : $0 }))
        return unicodeScalars.count > 80 ? clean + "..." : clean
    }
}
