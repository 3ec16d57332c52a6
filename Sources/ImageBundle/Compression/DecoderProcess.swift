internal import Glibc
internal import LinuxSystem

/// Decompresses and verifies in a process of its own, so that inflating one piece of an archive and writing the one before
/// it to the file system go on at the same time on two processors. The bytes come through a pipe.
///
/// The process has nothing but that: of all files only its input and its pipes, and no system calls but to read and write
/// them. What a mistake in a decompressor would give to who made the archive is a process that can write what is unpacked.
final class DecoderProcess {
    /// What was read and made, in all. Digests are of the compressed bytes and of the others.
    struct Sums: Equatable {
        var compressed: Digest
        var plain: Digest
        var compressedCount: UInt64
    }

    private let child: ChildProcess
    private let output: FileDescriptor
    private let report: FileDescriptor
    private let input: Int32
    private let start: Int64
    private var isCollected = false

    /// - Parameters:
    ///   - input: a file, which nobody else reads meanwhile: its position tells how far the process is.
    ///   - start: where the compressed bytes begin in it.
    ///   - count: how many there are; nil: to the end.
    ///   - sums: whether anybody is going to ask for them.
    init(
        _ compression: Compression, input: Int32, start: Int64 = 0, count: UInt64? = nil, sums: Bool
    ) throws(BundleError) {
        self.input = input
        self.start = start
        do throws(SystemError) {
            try seek(input, to: start)
            let data = try Pipe()
            let report = try Pipe()
            data.write.setPipeCapacity(1 << 20)
            switch try cloneHelper() {
            case .child:
                // Only this end may stay open: who reads must see the end when this process ends.
                closeDescriptor(data.read.rawValue)
                Self.run(compression, input, count, sums, data.write.rawValue, report.write.rawValue)
            case .parent(let child):
                self.child = child
                output = data.reader()
                self.report = report.reader()
            }
        } catch {
            throw BundleError("cannot start to decompress", error)
        }
    }

    deinit {
        guard !isCollected else { return }
        child.kill()
    }

    /// How many of the compressed bytes were read.
    var compressedPosition: UInt64 {
        guard let position = try? filePosition(input) else { return 0 }
        return UInt64(max(0, position - start))
    }

    /// Reads some of the decompressed bytes; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(BundleError) -> Int {
        try explain("cannot read what was decompressed") { () throws(SystemError) in try output.read(into: buffer) }
    }

    /// To be called at the end of the stream. Says what was wrong with the compressed bytes, if anything was.
    func finish() throws(BundleError) -> Sums? {
        let (message, end) = try explain("cannot end the decompression") { () throws(SystemError) in
            let message = try report.readToEnd(limit: 64 << 10)
            return (message, try waitForEnd(of: child.pid))
        }
        isCollected = true
        guard end == .exited(0) else {
            let lines = message.split(separator: UInt8(ascii: "\n"))
            throw BundleError(
                lines.last.map { oneLine(String(decoding: $0, as: UTF8.self)) }
                    ?? "the process that decompresses was ended by \(end)")
        }
        guard message.count == 72 else { return nil }
        var count: UInt64 = 0
        for byte in message[64...] { count = count << 8 | UInt64(byte) }
        return Sums(
            compressed: Digest(Array(message[..<32])), plain: Digest(Array(message[32..<64])), compressedCount: count)
    }

    // MARK: - The process

    private static func run(
        _ compression: Compression, _ input: Int32, _ count: UInt64?, _ sums: Bool, _ output: Int32, _ report: Int32
    ) -> Never {
        do throws(BundleError) {
            var loop = try DecoderLoop(compression, sums: sums)
            closeDescriptors(from: 0, except: [input, output, report])
            try explain("cannot give up what is not needed to decompress") { () throws(SystemError) in
                try SystemCallSandbox.decoding.enter()
            }
            try loop.run(input, count, output)
            let message = loop.message()
            try explain("cannot report") { () throws(SystemError) in try writeAll(message, to: report) }
        } catch {
            try? writeAll(Array(error.message.utf8.prefix(4000)), to: report)
            exitNow(1)
        }
        exitNow(0)
    }
}

/// Reads, decodes, sums up, writes.
private struct DecoderLoop {
    private let decoder: any Decoder
    private var compressed: SHA256?
    private var plain: SHA256?
    private var taken: UInt64 = 0
    private let isPlain: Bool

    init(_ compression: Compression, sums: Bool) throws(BundleError) {
        isPlain = compression == .none
        switch compression {
        case .gzip: decoder = try GzipDecoder()
        case .zstd: decoder = try ZstdDecoder()
        case .xz: decoder = try XzDecoder()
        case .bzip2: decoder = Bzip2Decoder()
        case .none: decoder = PlainDecoder()
        }
        guard sums else { return }
        compressed = SHA256()
        plain = SHA256()
    }

    mutating func run(_ input: Int32, _ count: UInt64?, _ output: Int32) throws(BundleError) {
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * 1024, alignment: 4096)
        let made = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 4096)
        defer {
            chunk.deallocate()
            made.deallocate()
        }
        var left = count ?? .max
        while left > 0 {
            let room = UnsafeMutableRawBufferPointer(rebasing: chunk.prefix(Int(clamping: left)))
            let filled = try explain("cannot read") { () throws(SystemError) in try LinuxSystem.read(input, into: room)
            }
            if filled == 0 { break }
            left -= UInt64(filled)
            taken += UInt64(filled)
            try decode(UnsafeRawBufferPointer(rebasing: chunk.prefix(filled)), made, output)
        }
        guard count == nil || left == 0 else { throw BundleError("truncated: \(left) bytes are missing at its end") }
        guard decoder.isComplete else { throw BundleError("truncated: the compressed data has no end") }
    }

    private mutating func decode(
        _ bytes: UnsafeRawBufferPointer, _ made: UnsafeMutableRawBufferPointer, _ output: Int32
    ) throws(BundleError) {
        compressed?.update(bytes)
        var rest = bytes
        while true {
            let step = try decoder.decode(rest, into: made)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(step.taken))
            if step.made > 0 {
                let piece = UnsafeRawBufferPointer(rebasing: made.prefix(step.made))
                // Of what is not compressed the two sums are one.
                if !isPlain { plain?.update(piece) }
                try explain("cannot hand on what was decompressed") { () throws(SystemError) in
                    try writeAll(piece, to: output)
                }
            }
            // A full buffer: there may be more to come of what was taken.
            if step.made < made.count && (rest.isEmpty || step == (0, 0)) { return }
        }
    }

    /// Empty when nothing was summed up.
    consuming func message() -> [UInt8] {
        guard let compressed, let plain else { return [] }
        let sum = compressed.finish()
        var bytes = sum + (isPlain ? sum : plain.finish())
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: taken >> UInt64(shift)))
        }
        return bytes
    }
}
