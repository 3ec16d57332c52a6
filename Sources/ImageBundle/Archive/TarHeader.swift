/// One 512-byte header of a tar archive, as POSIX.1-2017 (pax, "ustar Interchange Format") and GNU tar lay it out. What
/// extended headers say about the file is not in here yet.
struct TarHeader {
    static let size = 512

    var name: [UInt8]
    var linkName: [UInt8]
    /// The permission bits, 0 to 0o7777.
    var mode: UInt32
    var uid: UInt32
    var gid: UInt32
    /// How many bytes follow the header, without the padding.
    var size: UInt64
    /// Seconds since 1970.
    var modified: Int64
    /// The type flag as written; "0" where old archives have a zero byte.
    var type: UInt8
    var major: UInt32
    var minor: UInt32
    var isGNU: Bool

    /// - Parameter block: 512 bytes.
    init(_ block: UnsafeRawBufferPointer) throws(BundleError) {
        try Self.verifyChecksum(block)
        let magic = block[257..<265]
        isGNU = magic.elementsEqual("ustar  \0".utf8)
        let isUstar = !isGNU && magic.starts(with: "ustar".utf8)
        type = block[156] == 0 ? UInt8(ascii: "0") : block[156]
        name = Self.text(block[0..<100])
        linkName = Self.text(block[157..<257])
        if isUstar {
            // star keeps times in the last bytes of the prefix, and says so in the last bytes of the block.
            let isStar = block[508..<512].elementsEqual("tar\0".utf8)
            let prefix = Self.text(block[345..<(isStar ? 476 : 500)])
            if !prefix.isEmpty { name = prefix + [UInt8(ascii: "/")] + name }
        }
        mode = UInt32(try Self.number(block[100..<108], "mode", in: 0...Int64.max) & 0o7777)
        uid = UInt32(try Self.number(block[108..<116], "uid", in: 0...Int64(UInt32.max) - 1))
        gid = UInt32(try Self.number(block[116..<124], "gid", in: 0...Int64(UInt32.max) - 1))
        size = UInt64(try Self.number(block[124..<136], "size", in: 0...Int64.max - 1024))
        modified = try Self.number(block[136..<148], "mtime", in: Int64.min...Int64.max)
        (major, minor) = (0, 0)
        if isGNU || isUstar, type == UInt8(ascii: "3") || type == UInt8(ascii: "4") {
            major = UInt32(try Self.number(block[329..<337], "devmajor", in: 0...0xfff))
            minor = UInt32(try Self.number(block[337..<345], "devminor", in: 0...0xfffff))
        }
    }

    static func isZero(_ block: UnsafeRawBufferPointer) -> Bool { block.allSatisfy { $0 == 0 } }

    /// The sum over the block with its own field as spaces. Some old programs added signed bytes.
    private static func verifyChecksum(_ block: UnsafeRawBufferPointer) throws(BundleError) {
        var unsigned: Int64 = 0
        var signed: Int64 = 0
        for (index, byte) in block.enumerated() {
            let value = (148..<156).contains(index) ? UInt8(ascii: " ") : byte
            unsigned += Int64(value)
            signed += Int64(Int8(bitPattern: value))
        }
        let written = try? number(block[148..<156], "checksum", in: 0...Int64.max)
        guard written == unsigned || written == signed else {
            throw BundleError("not a tar header, or a damaged one: its checksum is wrong")
        }
    }

    /// The field up to its first zero byte.
    private static func text(_ field: Slice<UnsafeRawBufferPointer>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    /// Octal digits between blanks, or GNU's base 256: two's complement, big-endian, with the highest bit set.
    static func number(
        _ field: Slice<UnsafeRawBufferPointer>, _ what: StaticString, in range: ClosedRange<Int64>
    ) throws(BundleError) -> Int64 {
        let value: Int64?
        if let first = field.first, first & 0x80 != 0 {
            value = base256(field)
        } else {
            value = octal(field)
        }
        guard let value else { throw BundleError("\(what) \(shown(field)) is not a number") }
        guard range.contains(value) else { throw BundleError("\(what) \(value) is out of range") }
        return value
    }

    private static func base256(_ field: Slice<UnsafeRawBufferPointer>) -> Int64? {
        // The bit that marks the form is no digit: bit 6 is the sign.
        let isNegative = field[field.startIndex] & 0x40 != 0
        var value: Int64 = isNegative ? -1 : 0
        for (index, byte) in field.enumerated() {
            let digit = index == 0 ? (isNegative ? byte | 0x80 : byte & 0x7f) : byte
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 256)
            if overflow { return nil }
            value = shifted | Int64(digit)
        }
        return value
    }

    private static func octal(_ field: Slice<UnsafeRawBufferPointer>) -> Int64? {
        let digits = field.drop { $0 == 0x20 || $0 == 0 }.prefix { $0 != 0x20 && $0 != 0 }
        var value: Int64 = 0
        for byte in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(byte), value <= Int64.max >> 3 else { return nil }
            value = value << 3 | Int64(byte & 7)
        }
        return value
    }
}
