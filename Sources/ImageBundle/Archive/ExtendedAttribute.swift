/// A name and a value beside a file, xattr(7).
package struct ExtendedAttribute: Equatable, Sendable {
    package let name: [UInt8]
    package let value: [UInt8]

    /// The most that Linux takes as a value (XATTR_SIZE_MAX), and as a name (XATTR_NAME_MAX).
    static let maximumSize = 64 << 10
    static let maximumNameLength = 255
}

extension PaxRecords {
    /// What GNU tar, star, Go and bsdtar write of extended attributes: `SCHILY.xattr.NAME` with the bytes as they are,
    /// `LIBARCHIVE.xattr.NAME` with the name percent-encoded and the value in base 64. Access lists are texts still.
    func extendedAttributes() throws(BundleError) -> [ExtendedAttribute] {
        var found: [ExtendedAttribute] = []
        for record in records {
            let name: [UInt8]
            var value = Array(record.value)
            if record.key.starts(with: "SCHILY.xattr.".utf8) {
                name = Array(record.key.dropFirst(13))
            } else if record.key.starts(with: "LIBARCHIVE.xattr.".utf8) {
                guard let decoded = percentDecoded(record.key.dropFirst(17)), let bytes = base64Decoded(record.value)
                else { throw BundleError("\(shown(record.key)) of an extended header is not encoded as it should be") }
                (name, value) = (decoded, bytes)
            } else if AccessList.isText(record.key) {
                name = Array(record.key)
            } else {
                continue
            }
            guard !name.isEmpty, name.count <= ExtendedAttribute.maximumNameLength, !name.contains(0),
                value.count <= ExtendedAttribute.maximumSize
            else { throw BundleError("the extended attribute \(shown(name)) is larger than any can be") }
            // bsdtar writes both forms.
            found.removeAll { $0.name == name }
            found.append(ExtendedAttribute(name: name, value: value))
        }
        return found
    }
}

private func percentDecoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "%") else {
            bytes.append(byte)
            continue
        }
        guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
            return nil
        }
        bytes.append(high << 4 | low)
    }
    return bytes
}

func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

/// RFC 4648, with or without padding.
func base64Decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in text where byte != UInt8(ascii: "=") && byte != UInt8(ascii: "\n") {
        let digit: UInt8
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): digit = 62
        case UInt8(ascii: "/"): digit = 63
        default: return nil
        }
        bits = bits << 6 | UInt32(digit)
        count += 6
        if count >= 8 {
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
    }
    return count == 6 ? nil : bytes
}
