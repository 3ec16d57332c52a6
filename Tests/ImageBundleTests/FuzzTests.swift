import LinuxSystem
import Testing

@testable import ImageBundle

/// Bytes of a seed, changed at will.
private final class MutableBytes: ByteSource {
    private var runs: [(start: UInt64, bytes: [UInt8])]
    private(set) var size: UInt64
    /// How much was asked for: a parser that believes a number of the image may ask for everything.
    private(set) var read: UInt64 = 0

    /// The format is described in Corpus/make.
    init(seed: [UInt8]) {
        size = seed.little64(0)
        runs = []
        var place = 8
        while place + 16 <= seed.count {
            let (start, length) = (seed.little64(place), Int(seed.little64(place + 8)))
            runs.append((start, Array(seed[(place + 16)..<(place + 16 + length)])))
            place += 16 + length
        }
    }

    func bytes(at offset: UInt64, count: Int) throws(BundleError) -> [UInt8] {
        guard count >= 0, offset <= size, UInt64(count) <= size - offset else { throw BundleError("beyond the end") }
        read += UInt64(count)
        var result = [UInt8](repeating: 0, count: count)
        for run in runs {
            let (first, end) = (
                max(run.start, offset), min(run.start + UInt64(run.bytes.count), offset + UInt64(count))
            )
            guard first < end else { continue }
            for place in first..<end { result[Int(place - offset)] = run.bytes[Int(place - run.start)] }
        }
        return result
    }

    func mutate(_ random: inout Noise) {
        for _ in 0...random.below(4) {
            guard !runs.isEmpty else { return }
            let run = random.below(runs.count)
            // Headers are at the beginning of what is there.
            let length = random.below(3) == 0 ? runs[run].bytes.count : min(runs[run].bytes.count, 512)
            change(&runs[run].bytes, at: random.below(length), &random)
        }
        if random.below(8) == 0 { size = UInt64(random.below(Int(size) + 1)) }
    }
}

/// A sequence of numbers that is the same each time (xorshift64).
private struct Noise {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func below(_ limit: Int) -> Int { limit < 2 ? 0 : Int(next() % UInt64(limit)) }
}

private let interesting: [UInt64] = [
    0, 1, 2, 511, 512, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 1 << 32, 1 << 40, 1 << 62, 1 << 63,
    .max, .max - 1, .max - 511, .max / 512,
]

private func change(_ bytes: inout [UInt8], at place: Int, _ random: inout Noise) {
    switch random.below(4) {
    case 0: bytes[place] ^= 1 << UInt8(random.below(8))
    case 1: bytes[place] = UInt8(truncatingIfNeeded: random.next())
    default:
        let value = interesting[random.below(interesting.count)]
        let width = [1, 2, 4, 8][random.below(4)]
        let isBig = random.below(2) == 0
        for index in 0..<width where place + index < bytes.count {
            let shift = UInt64(8 * (isBig ? width - 1 - index : index))
            bytes[place + index] = UInt8(truncatingIfNeeded: value >> shift)
        }
    }
}

/// Untrusted bytes may be refused and never end the program. Each parser gets the seeds of Corpus/, changed in a way that is
/// the same each time; a file that once broke one belongs there too.
@Suite("Parsers of untrusted bytes")
struct FuzzTests {
    /// A minute for a change of a parser is well spent: SWRUN_FUZZ_ROUNDS=20000 swift test --filter FuzzTests
    private static let rounds = environmentVariable("SWRUN_FUZZ_ROUNDS").flatMap { Int($0) } ?? 200

    private static func seed(_ name: String) throws -> [UInt8] {
        let directory = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        return try readFile("/\(directory)/Corpus/\(name).seed")
    }

    private func fuzz(_ name: String, _ parse: (MutableBytes) throws(BundleError) -> Void) throws {
        let seed = try Self.seed(name)
        var random = Noise(state: 0x9e37_79b9_7f4a_7c15)
        // The seed itself is in order.
        do throws(BundleError) { try parse(MutableBytes(seed: seed)) } catch {
            Issue.record("\(name): \(error.message)")
        }
        for round in 0..<Self.rounds {
            let bytes = MutableBytes(seed: seed)
            bytes.mutate(&random)
            do throws(BundleError) {
                try parse(bytes)
            } catch {
                #expect(!error.message.isEmpty)
            }
            #expect(bytes.read <= 64 << 20, "\(name), round \(round): \(bytes.read) bytes read")
        }
    }

    @Test("headers of disk images", arguments: ["qcow2", "qcow2-v2", "qcow2-backing"])
    func qcow2(name: String) throws {
        try fuzz(name) { (bytes) throws(BundleError) in
            let header = try Qcow2Header(bytes)
            if let snapshot = header.snapshots.first { _ = try header.snapshot(snapshot.name, bytes) }
        }
    }

    @Test("headers of the other formats")
    func others() throws {
        for name in ["vmdk", "vmdk-stream"] {
            try fuzz(name) { (bytes) throws(BundleError) in try VMDKHeader.check(bytes) }
        }
        try fuzz("vdi") { (bytes) throws(BundleError) in try VDIHeader.check(bytes) }
        try fuzz("vhdx") { (bytes) throws(BundleError) in try VHDXHeader.check(bytes) }
        for name in ["vhd", "vhd-fixed"] {
            try fuzz(name) { (bytes) throws(BundleError) in try VHDHeader.check(bytes) }
        }
    }

    @Test("partition tables", arguments: ["gpt", "mbr"])
    func partitions(name: String) throws {
        try fuzz(name) { (bytes) throws(BundleError) in
            for partition in try PartitionTable.read(bytes) ?? [] {
                #expect(partition.start + partition.size <= bytes.size)
                let part = PartialBytes(whole: bytes, start: partition.start, size: partition.size)
                _ = try FilesystemProbe.probe(part)
            }
        }
    }

    @Test(
        "superblocks",
        arguments: ["ext2", "ext3", "ext4", "xfs", "btrfs", "squashfs", "erofs", "vfat", "swap"])
    func superblocks(name: String) throws {
        try fuzz(name) { (bytes) throws(BundleError) in
            guard let found = try FilesystemProbe.probe(bytes) else { return }
            #expect(found.label.utf8.count <= 3 * 256 && found.uuid.utf8.count <= 36)
        }
        let seed = try MutableBytes(seed: Self.seed(name))
        #expect(try FilesystemProbe.probe(seed)?.kind.rawValue == name)
    }

    @Test("where clusters of qcow2 are", arguments: ["qcow2", "qcow2-v2"])
    func clusters(name: String) throws {
        try fuzz(name) { (bytes) throws(BundleError) in
            let header = try Qcow2Header(bytes)
            guard let map = Qcow2Map(header, bytes) else { return }
            for start in stride(from: UInt64(0), to: 8 << 20, by: 300_000) {
                let (place, length) = try map.place(of: start, 500_000)
                #expect(length > 0 && length <= 500_000)
                if case .file(let offset) = place { #expect(offset < bytes.size && length <= bytes.size - offset) }
            }
        }
    }

    @Test("the labels of LVM")
    func lvm() throws {
        try fuzz("lvm-disk") { (bytes) throws(BundleError) in _ = try LVM.volumes(bytes) }
    }

    @Test("directories of ISO images")
    func iso() throws {
        try fuzz("iso") { (bytes) throws(BundleError) in
            let iso = try ISO9660(bytes)
            _ = try LiveLayers.booted(iso, bytes)
            var pending = [iso.root]
            var looked = 0
            while let directory = pending.popLast(), looked < 50 {
                looked += 1
                for record in try iso.entries(directory) {
                    _ = (RockRidge.attributes(record.systemUse), RockRidge.link(record.systemUse))
                    _ = (RockRidge.modified(record.systemUse), RockRidge.device(record.systemUse))
                    if record.isDirectory { pending.append(record) }
                }
            }
        }
    }

    @Test("texts: LVM's metadata, fstab, os-release, access lists, a boot loader's menu")
    func texts() throws {
        var random = Noise(state: 42)
        for name in ["lvm", "fstab", "os-release", "acl", "grub"] {
            let seed = try Self.seed(name)
            for _ in 0..<Self.rounds {
                var text = seed
                for _ in 0...random.below(6) { change(&text, at: random.below(text.count), &random) }
                if random.below(4) == 0 { text.removeLast(random.below(text.count)) }
                switch name {
                case "lvm":
                    var parser = LVMText(text)
                    _ = try? parser.parse()
                case "fstab": _ = FstabEntry.parse(text)
                case "acl":
                    let value = AccessList.attribute(text) { (_, _) in 7 }
                    #expect((value?.count ?? 4) % 8 == 4)
                case "grub": _ = LiveLayers.layer(in: text)
                default: _ = OSRelease(text)
                }
            }
        }
    }

    @Test("compressed data", arguments: [Compression.gzip, .zstd, .xz, .bzip2])
    func compressed(_ compression: Compression) throws {
        let seed = try Self.seed(compression.rawValue)
        #expect(Compression(head: seed.prefix(6)) == compression)
        #expect(try Self.unpack(seed, compression) == 2 * Self.plainCount)
        var random = Noise(state: 7)
        for _ in 0..<Self.rounds {
            var bytes = seed
            for _ in 0...random.below(4) { change(&bytes, at: random.below(bytes.count), &random) }
            if random.below(4) == 0 { bytes.removeLast(random.below(bytes.count)) }
            _ = try? Self.unpack(bytes, compression)
        }
    }

    /// What Corpus/make compresses, twice.
    private static let plainCount = (0..<300).map { "\($0): \($0 * $0 * $0)\n".utf8.count }.reduce(0, +)

    /// How many bytes it unpacks to, at most 1 MiB; as DecoderProcess does, in small steps.
    private static func unpack(_ bytes: [UInt8], _ compression: Compression) throws(BundleError) -> Int {
        let decoder = try decoder(of: compression)
        var (place, made) = (0, 0)
        var room = [UInt8](repeating: 0, count: 1000)
        while made < 1 << 20 {
            var input = Array(bytes[place...].prefix(100))
            let offered = input.count
            var failure: BundleError?
            let step: (taken: Int, made: Int) = input.withUnsafeMutableBytes { input in
                room.withUnsafeMutableBytes { room in
                    do throws(BundleError) {
                        return try decoder.decode(UnsafeRawBufferPointer(input), into: room)
                    } catch {
                        failure = error
                        return (0, 0)
                    }
                }
            }
            if let failure { throw failure }
            #expect(step.taken <= offered && step.made <= room.count)
            place += step.taken
            made += step.made
            if step == (0, 0) { break }
        }
        guard decoder.isComplete else { throw BundleError("truncated") }
        return made
    }

    private static func decoder(of compression: Compression) throws(BundleError) -> any Decoder {
        switch compression {
        case .none: PlainDecoder()
        case .gzip: try GzipDecoder()
        case .zstd: try ZstdDecoder()
        case .xz: try XzDecoder()
        case .bzip2: Bzip2Decoder()
        }
    }

    @Test("LVM's text may be nested only so deep")
    func depth() {
        var parser = LVMText(Array(String(repeating: "a {", count: 100_000).utf8))
        #expect(throws: BundleError.self) { try parser.parse() }
    }
}
