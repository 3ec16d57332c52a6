import LinuxSystem
import Testing

@testable import ImageBundle
@testable import RuntimeSpec

/// Feeds the parsers of untrusted bytes with changed documents and archives. The changes follow from a seed, so that what
/// is found once is found again: put it into the corpus below.
@Suite("Parsers survive whatever they read")
struct ImageFuzzTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        /// SplitMix64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var z = state
            z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
            z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
            return z ^ (z >> 31)
        }
    }

    private static let rounds = 4000

    /// Changes some bytes, cuts, doubles or swaps parts.
    private func mutate(_ seed: [UInt8], _ random: inout Random) -> [UInt8] {
        var bytes = seed
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard !bytes.isEmpty else { return [0] }
            let place = Int.random(in: 0..<bytes.count, using: &random)
            let length = Int.random(in: 1...min(64, bytes.count - place), using: &random)
            switch Int.random(in: 0..<7, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[place] = Self.interesting.randomElement(using: &random)!
            case 2: bytes.removeSubrange(place..<(place + length))
            case 3: bytes.insert(contentsOf: bytes[place..<(place + length)], at: place)
            case 4: bytes.removeSubrange(place...)
            case 5: bytes.replaceSubrange(place..<(place + length), with: [UInt8](repeating: 0xff, count: length))
            default: bytes.insert(contentsOf: Self.words.randomElement(using: &random)!, at: place)
            }
        }
        return bytes
    }

    private static let interesting: [UInt8] = [0, 1, 0x20, 0x2f, 0x30, 0x37, 0x38, 0x7f, 0x80, 0xff, 0x0a, 0x3d]
    private static let words = [
        "..", "/", "99999999999999999999", "-1", "\0", "\n", "=", "GNU.sparse.map", "0,0", "{", "\"", "[",
    ]
    .map { Array($0.utf8) }

    /// A header's sum is made right again, so that the fields behind it are looked at.
    private func mendChecksums(_ bytes: inout [UInt8]) {
        for start in stride(from: 0, to: bytes.count - 511, by: 512) {
            var sum = 0
            for index in 0..<512 { sum += (148..<156).contains(index) ? 32 : Int(bytes[start + index]) }
            let digits = String(sum, radix: 8)
            let field = Array((String(repeating: "0", count: 6 - digits.utf8.count) + digits).utf8) + [0, 0x20]
            bytes.replaceSubrange((start + 148)..<(start + 156), with: field)
        }
    }

    /// Archives of every form that the reader knows.
    private static let archives: [[UInt8]] = [
        Tar.header("file", size: 3) + Tar.padded([1, 2, 3]) + Tar.end,
        Tar.pax(["path": "a/b", "mtime": "1.5", "SCHILY.xattr.user.x": "y", "LIBARCHIVE.xattr.user.%41": "YWI="])
            + Tar.header("f") + Tar.end,
        Tar.pax(["GNU.sparse.size": "100", "GNU.sparse.map": "10,2,50,1"]) + Tar.header("s", size: 3)
            + Tar.padded([1, 2, 3])
            + Tar.end,
        Tar.pax(["GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "n", "GNU.sparse.realsize": "99"])
            + Tar.header("s", size: 515) + Tar.padded(Array("1\n10\n3\n".utf8)) + Tar.padded([1, 2, 3]) + Tar.end,
        Tar.pax([
            "GNU.sparse.size": "20", "GNU.sparse.numblocks": "1", "GNU.sparse.offset": "5", "GNU.sparse.numbytes": "3",
        ])
            + Tar.header("s", size: 3) + Tar.padded([1, 2, 3]) + Tar.end,
        Tar.header(
            "s", size: 3, type: "S", magic: "ustar  \0",
            at: [
                386: Array("00000000005\0".utf8), 398: Array("00000000003\0".utf8), 482: [1],
                483: Array("00000000100\0".utf8),
            ])
            + Tar.padded(Array("00000000050\0".utf8) + Array("00000000000\0".utf8)) + Tar.padded([1, 2, 3]) + Tar.end,
        Tar.header("L", size: 5, type: "L", magic: "ustar  \0") + Tar.padded(Array("long\0".utf8))
            + Tar.header("f", type: "1")
            + Tar.header("d", type: "5") + Tar.header("c", type: "3", at: [329: Array("0000001\0".utf8)]) + Tar.end,
    ]

    @Test("archives", arguments: 0..<7)
    func tar(_ index: Int) {
        var random = Random(state: UInt64(index) + 1)
        for _ in 0..<Self.rounds {
            var bytes = mutate(Self.archives[index], &random)
            mendChecksums(&bytes)
            read(bytes)
        }
    }

    /// Reads an archive as the writer of the tree does, without the tree.
    private func read(_ bytes: [UInt8]) {
        var reader = TarReader(ByteStream(bytes, capacity: 4096))
        var count = 0
        var total: UInt64 = 0
        do throws(BundleError) {
            while let entry = try reader.next() {
                count += 1
                _ = try EntryPath(entry.path)
                try reader.readData(upTo: .max) { (piece) throws(BundleError) in total += UInt64(piece.count) }
            }
        } catch {
            #expect(!error.message.isEmpty && !error.message.utf8.contains(10), "\(error.message)")
        }
        // Nothing is made up: no more members and no more bytes than there are.
        #expect(count <= bytes.count / 512 && total <= UInt64(bytes.count))
    }

    /// What old archives of `docker save` look like: a layer, and a link to it.
    private static let image =
        Tar.header("l/layer.tar", size: 3) + Tar.padded([1, 2, 3])
        + Tar.header("m/layer.tar", type: "2", at: [157: Array("../l/layer.tar".utf8)])
        + Tar.header("manifest.json", size: 2) + Tar.padded(Array("[]".utf8)) + Tar.end

    @Test("where the files of an archive are")
    func index() throws {
        var random = Random(state: 9)
        for round in 0..<(Self.rounds / 4) {
            var bytes = Self.image
            if round > 0 {
                bytes = mutate(bytes, &random)
                mendChecksums(&bytes)
            }
            let file = try FileDescriptor.open("/tmp", [.readWrite, .unnamed], mode: 0o600)
            try file.write(bytes)
            let index = try? ArchiveIndex(file) { (_, _) in true }
            if round == 0 { #expect(index?["m/layer.tar"] == ArchiveIndex.Extent(offset: 512, count: 3)) }
            for path in ["l/layer.tar", "m/layer.tar", "manifest.json"] {
                guard let extent = index?[path] else { continue }
                #expect(extent.offset >= 0 && extent.offset <= Int64.max - Int64(clamping: extent.count))
            }
        }
    }

    @Test("what an image is")
    func kinds() {
        var random = Random(state: 11)
        for magic in [
            "QFI\u{fb}", "KDMV", "# Disk DescriptorFile", "vhdxfile", "conectix", "\u{1}CD001", "BZh", "ustar",
        ] {
            for _ in 0..<(Self.rounds / 10) {
                let bytes = mutate(magic.unicodeScalars.map { UInt8($0.value) }, &random)
                _ = SourceKind.detect(head: bytes, volumeDescriptor: bytes, tail: bytes)
                _ = Compression(head: bytes)
            }
        }
    }

    @Test("extended headers")
    func records() {
        let seed = Tar.records([
            "path": "a", "SCHILY.xattr.user.a": "b\nc", "mtime": "1.5", "GNU.sparse.map": "0,1,2,3",
        ])
        var random = Random(state: 77)
        for _ in 0..<Self.rounds {
            let bytes = mutate(seed, &random)
            guard let records = try? PaxRecords(parsing: bytes) else { continue }
            _ = try? records.extendedAttributes()
            _ = try? records.time("mtime")
            _ = try? SparseMap(records: records)
            #expect(records.records.allSatisfy { $0.key.count + $0.value.count < bytes.count })
        }
    }

    private static let documents = [
        #"{"schemaVersion":2,"manifests":[{"mediaType":"m","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":5,"platform":{"os":"linux","architecture":"arm","variant":"v7"},"annotations":{"a":"b"}}]}"#,
        #"{"schemaVersion":2,"config":{"digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":1},"layers":[]}"#,
        #"{"os":"linux","architecture":"amd64","rootfs":{"type":"layers","diff_ids":["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]},"config":{"User":"a:b","Env":["A=b"],"ExposedPorts":{"80/tcp":{}},"Labels":{"k":"v"},"Cmd":null}}"#,
        #"[{"Config":"c.json","RepoTags":["a:b"],"Layers":["l.tar"]}]"#,
    ]

    @Test("documents of images", arguments: 0..<4)
    func documents(_ index: Int) {
        var random = Random(state: UInt64(index) + 100)
        for _ in 0..<Self.rounds {
            let bytes = mutate(Array(Self.documents[index].utf8), &random)
            _ = try? ManifestOrIndex.decode(bytes, name: "d")
            _ = try? ImageConfiguration.decode(bytes, name: "d")
            _ = try? [DockerArchiveEntry].decode(bytes, name: "d")
            _ = try? LayoutVersion.decode(bytes, name: "d")
        }
    }

    @Test("files of users and groups")
    func users() {
        var random = Random(state: 5)
        for _ in 0..<Self.rounds {
            let bytes = mutate(Array("root:x:0:0:r:/root:/bin/sh\nbob:x:7:8::/h:\n".utf8), &random)
            let database = UserDatabase(passwd: bytes, group: bytes)
            for name in ["root", "0", "bob:bob", ":", "99999999999"] { _ = try? database.identity(name) }
        }
    }

    /// What made a parser fail once, as it was found.
    private static let corpus: [[UInt8]] = [
        Array("0 =\n".utf8), Array("3 =\n".utf8), Array("99999999999999999999 a=b\n".utf8), Array("5 a=b".utf8),
        [0x30, 0x20],
    ]

    @Test("the kept corpus")
    func kept() {
        for bytes in Self.corpus {
            _ = try? PaxRecords(parsing: bytes).extendedAttributes()
            read(Tar.header("p", size: bytes.count, type: "x") + Tar.padded(bytes) + Tar.header("f") + Tar.end)
        }
    }
}
