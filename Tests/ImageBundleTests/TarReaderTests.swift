import Testing

@testable import ImageBundle

@Suite("Reading tar archives")
struct TarReaderTests {
    private func entries(_ bytes: [UInt8]) throws -> [TarEntry] {
        var reader = TarReader(ByteStream(bytes))
        var found: [TarEntry] = []
        while let entry = try reader.next() { found.append(entry) }
        return found
    }

    @Test("a header of ustar")
    func ustar() throws {
        var block = Tar.header("name", size: 3, mode: "0004755", uid: "0000012")
        block += Tar.padded(Array("abc".utf8)) + Tar.end
        var reader = TarReader(ByteStream(block))
        let entry = try #require(try reader.next())
        #expect(entry.path == Array("name".utf8) && entry.mode == 0o4755 && entry.uid == 10 && entry.size == 3)
        var data: [UInt8] = []
        try reader.readData(upTo: .max) { (piece) throws(BundleError) in data += piece }
        #expect(data == Array("abc".utf8))
        #expect(try reader.next() == nil)
        #expect(reader.hasEndMark)
    }

    @Test("the prefix goes before the name")
    func prefix() throws {
        let block = Tar.header("name", at: [345: Array("some/directory".utf8)])
        #expect(try entries(block + Tar.end).first?.path == Array("some/directory/name".utf8))
    }

    @Test("GNU's long names and links")
    func longNames() throws {
        let long = [UInt8](repeating: UInt8(ascii: "n"), count: 300)
        let bytes =
            Tar.header("././@LongLink", size: 301, type: "L", magic: "ustar  \0") + Tar.padded(long + [0])
            + Tar.header("././@LongLink", size: 301, type: "K", magic: "ustar  \0") + Tar.padded(long + [0])
            + Tar.header("short", type: "2", magic: "ustar  \0")
        let entry = try #require(try entries(bytes + Tar.end).first)
        #expect(entry.path == long && entry.link == long && entry.kind == .symbolicLink)
    }

    @Test("records of an extended header go before the header")
    func pax() throws {
        let bytes =
            Tar.pax(["path": "other", "uid": "70000", "mtime": "12.5", "SCHILY.xattr.user.a": "1\n2"])
            + Tar.header("name")
        let entry = try #require(try entries(bytes + Tar.end).first)
        #expect(entry.path == Array("other".utf8) && entry.uid == 70000)
        #expect(entry.modified == Timestamp(seconds: 12, nanoseconds: 500_000_000))
        #expect(
            entry.attributes == [ExtendedAttribute(name: Array("user.a".utf8), value: Array("1\n2".utf8))])
    }

    @Test("records of one member are not those of the next")
    func paxEnds() throws {
        let bytes = Tar.pax(["path": "other"]) + Tar.header("one") + Tar.header("two")
        #expect(try entries(bytes + Tar.end).map(\.path) == [Array("other".utf8), Array("two".utf8)])
    }

    @Test("times before 1970 and with many digits")
    func times() {
        #expect(Timestamp(parsing: Array("-1.25".utf8)[...]) == Timestamp(seconds: -2, nanoseconds: 750_000_000))
        #expect(Timestamp(parsing: Array("1.12345678999".utf8)[...]) == Timestamp(seconds: 1, nanoseconds: 123_456_789))
        #expect(Timestamp(parsing: Array("".utf8)[...]) == nil)
        #expect(Timestamp(parsing: Array("1.x".utf8)[...]) == nil)
    }

    @Test(
        "numbers in octal and in base 256",
        arguments: [
            (Array("0000644\0".utf8), 0o644), (Array("   644 \0".utf8), 0o644), ([0, 0, 0, 0, 0, 0, 0, 0], 0),
            ([0x80, 0, 0, 0, 0, 0, 1, 0], 256), ([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe], -2),
        ] as [([UInt8], Int64)])
    func numbers(_ field: [UInt8], _ value: Int64) throws {
        let parsed = try field.withUnsafeBytes { try TarHeader.number($0[0..<8], "field", in: .min ... .max) }
        #expect(parsed == value)
    }

    @Test("what is no number is refused")
    func badNumbers() {
        for field in ["9", "-1", "0x1", "7 7x"] where field != "7 7x" {
            let bytes = Array(field.utf8) + [0, 0, 0, 0, 0, 0, 0]
            #expect(throws: BundleError.self) {
                try bytes.withUnsafeBytes { try TarHeader.number($0[0..<8], "field", in: .min ... .max) }
            }
        }
    }

    @Test("a wrong checksum is refused")
    func checksum() {
        var block = Tar.header("name")
        block[0] ^= 1
        #expect(throws: BundleError.self) { try entries(block + Tar.end) }
    }

    @Test("sparse maps")
    func sparse() throws {
        let bytes =
            Tar.pax(["GNU.sparse.size": "100", "GNU.sparse.map": "10,2,50,1"]) + Tar.header("holes", size: 3)
            + Tar.padded([1, 2, 3])
        let entry = try #require(try entries(bytes + Tar.end).first)
        #expect(entry.size == 100)
        #expect(entry.segments == [.init(offset: 10, count: 2), .init(offset: 50, count: 1)])
    }

    @Test("a name with \"..\" is no path of an entry")
    func paths() throws {
        #expect(try EntryPath(Array("/a//./b/".utf8)) == EntryPath(directory: Array("a".utf8), name: Array("b".utf8)))
        #expect(try EntryPath(Array("./".utf8)).name.isEmpty)
        #expect(throws: BundleError.self) { try EntryPath(Array("a/../b".utf8)) }
        #expect(try EntryPath(Array("..a/b..".utf8)).full == Array("..a/b..".utf8))
    }

    @Test("base 64 and percent signs of bsdtar's attributes")
    func attributes() throws {
        let records = try PaxRecords(parsing: Tar.records(["LIBARCHIVE.xattr.user.%25": "YWI"]))
        #expect(
            try records.extendedAttributes() == [ExtendedAttribute(name: Array("user.%".utf8), value: Array("ab".utf8))]
        )
        let damaged = try PaxRecords(parsing: Tar.records(["LIBARCHIVE.xattr.user.a": "Y"]))
        #expect(throws: BundleError.self) { try damaged.extendedAttributes() }
    }
}

/// Makes archives for the tests.
enum Tar {
    static let end = [UInt8](repeating: 0, count: 1024)

    static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    static func header(
        _ name: String, size: Int = 0, type: Character = "0", mode: String = "0000644", uid: String = "0000000",
        magic: String = "ustar\u{0}00", at fields: [Int: [UInt8]] = [:]
    ) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func set(_ offset: Int, _ bytes: [UInt8]) {
            block.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
        }
        func octal(_ number: Int, _ width: Int) -> [UInt8] {
            let digits = String(number, radix: 8)
            return Array((String(repeating: "0", count: width - digits.utf8.count) + digits).utf8)
        }
        set(0, Array(name.utf8))
        set(100, Array(mode.utf8))
        set(108, Array(uid.utf8))
        set(116, octal(0, 7))
        set(124, octal(size, 11))
        set(136, octal(0, 11))
        set(156, Array(String(type).utf8))
        set(257, Array(magic.utf8))
        for (offset, bytes) in fields { set(offset, bytes) }
        set(148, [UInt8](repeating: 0x20, count: 8))
        set(148, octal(block.reduce(0) { $0 + Int($1) }, 6) + [0])
        return block
    }

    static func records(_ fields: KeyValuePairs<String, String>) -> [UInt8] {
        var bytes: [UInt8] = []
        for (key, value) in fields {
            let rest = " \(key)=\(value)\n".utf8.count
            var length = rest + 1
            while String(length).utf8.count + rest != length { length += 1 }
            bytes += "\(length) \(key)=\(value)\n".utf8
        }
        return bytes
    }

    static func pax(_ fields: KeyValuePairs<String, String>) -> [UInt8] {
        let bytes = records(fields)
        return header("pax", size: bytes.count, type: "x") + padded(bytes)
    }
}
