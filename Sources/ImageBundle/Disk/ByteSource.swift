internal import LinuxSystem

/// Something with bytes at numbered places: a disk, a partition, a file in an image. Nothing in it is trusted, and every
/// number read from it is checked before it is used.
protocol ByteSource {
    /// In bytes.
    var size: UInt64 { get }

    /// Exactly `count` bytes at `offset`.
    ///
    /// - Throws: when they do not all lie inside
    func bytes(at offset: UInt64, count: Int) throws(BundleError) -> [UInt8]
}

/// A file as bytes.
final class FileBytes: ByteSource {
    let name: String
    let size: UInt64
    private let descriptor: Int32

    /// - Parameter descriptor: an open file, which outlives this object
    init(_ descriptor: Int32, size: UInt64, name: String) {
        self.descriptor = descriptor
        self.size = size
        self.name = name
    }

    func bytes(at offset: UInt64, count: Int) throws(BundleError) -> [UInt8] {
        guard count >= 0, offset <= size, UInt64(count) <= size - offset else {
            throw BundleError("\(name): ends before byte \(offset &+ UInt64(clamping: count))")
        }
        let (descriptor, name) = (descriptor, name)
        let bytes = try explain("cannot read \(name)") { () throws(SystemError) in
            try readAt(descriptor, Int64(offset), upTo: count)
        }
        guard bytes.count == count else { throw BundleError("\(name): ends unexpectedly at \(offset)") }
        return bytes
    }
}

/// A part of other bytes.
struct PartialBytes: ByteSource {
    let whole: any ByteSource
    let start: UInt64
    let size: UInt64

    func bytes(at offset: UInt64, count: Int) throws(BundleError) -> [UInt8] {
        guard count >= 0, offset <= size, UInt64(count) <= size - offset else {
            throw BundleError("a partition ends before byte \(offset &+ UInt64(clamping: count)) of it")
        }
        return try whole.bytes(at: start + offset, count: count)
    }
}

extension ByteSource {
    /// As `bytes`; nil where the end comes before.
    func bytesIfPresent(at offset: UInt64, count: Int) throws(BundleError) -> [UInt8]? {
        guard offset <= size, UInt64(count) <= size - offset else { return nil }
        return try bytes(at: offset, count: count)
    }
}

// Numbers at a place. The place is checked by the trap of the array alone, so only for structures of a known length.

extension Array<UInt8> {
    func little16(_ at: Int) -> UInt16 { UInt16(self[at]) | UInt16(self[at + 1]) << 8 }
    func little32(_ at: Int) -> UInt32 { UInt32(little16(at)) | UInt32(little16(at + 2)) << 16 }
    func little64(_ at: Int) -> UInt64 { UInt64(little32(at)) | UInt64(little32(at + 4)) << 32 }
    func big16(_ at: Int) -> UInt16 { little16(at).byteSwapped }
    func big32(_ at: Int) -> UInt32 { little32(at).byteSwapped }
    func big64(_ at: Int) -> UInt64 { little64(at).byteSwapped }

    func has(_ magic: StaticString, at offset: Int) -> Bool {
        guard offset >= 0, offset + magic.utf8CodeUnitCount <= count else { return false }
        for index in 0..<magic.utf8CodeUnitCount where self[offset + index] != magic.utf8Start[index] { return false }
        return true
    }

    /// Text that ends at the first zero or with the field.
    func text(_ range: Range<Int>) -> String {
        String(decoding: self[range].prefix { $0 != 0 }, as: UTF8.self)
    }

    /// A UUID in the byte order of RFC 9562: `11111111-1111-4111-8111-111111111111`.
    func uuid(_ at: Int) -> String { Self.groups(Array(self[at..<(at + 16)])) }

    /// A GUID as UEFI and Microsoft store it: the first three groups are little-endian numbers.
    func guid(_ at: Int) -> String {
        let raw = Array(self[at..<(at + 16)])
        let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
        return Self.groups(order.map { raw[$0] })
    }

    private static func groups(_ bytes: [UInt8]) -> String {
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text += "-" }
            text += hexadecimal(UInt64(byte), width: 2)
        }
        return text
    }
}

/// The number in lower-case hexadecimal digits, `width` of them at least.
func hexadecimal(_ number: UInt64, width: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: Swift.max(0, width - digits.utf8.count)) + digits
}
