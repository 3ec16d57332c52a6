/// How an archive or a layer is compressed. Told by its first bytes: media types and file names are often wrong.
package enum Compression: String, Sendable {
    case none, gzip, zstd, xz, bzip2

    /// - Parameter head: the first 6 bytes at least, unless there are fewer.
    package init(head: some Collection<UInt8>) {
        if head.starts(with: [0x1f, 0x8b]) {
            self = .gzip
        } else if head.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) || Self.isSkippableFrame(head) {
            self = .zstd
        } else if head.starts(with: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]) {
            self = .xz
        } else if head.starts(with: Array("BZh".utf8)) {
            self = .bzip2
        } else {
            self = .none
        }
    }

    /// RFC 8878, 3.1.2: magic numbers 0x184D2A50 to 0x184D2A5F. zstd:chunked layers may begin with one.
    private static func isSkippableFrame(_ head: some Collection<UInt8>) -> Bool {
        head.count >= 4 && head.first! & 0xf0 == 0x50 && head.dropFirst().starts(with: [0x2a, 0x4d, 0x18])
    }
}

/// Turns compressed bytes into what they stand for.
protocol Decoder: AnyObject {
    /// Decodes some of `input` into `output`.
    ///
    /// - Returns: how many bytes were taken and how many made. Neither is an error when there is room for more and input.
    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(BundleError) -> (taken: Int, made: Int)

    /// Whether the input may end here.
    var isComplete: Bool { get }
}

extension Decoder {
    /// What stands between two streams: zeros, with which tapes pad, or the first byte of another stream.
    ///
    /// - Returns: how many bytes to pass over; nil where a stream begins
    func padding(of input: UnsafeRawBufferPointer, before first: UInt8) throws(BundleError) -> Int? {
        let zeros = input.prefix { $0 == 0 }.count
        guard zeros == 0, let found = input.first else { return zeros }
        guard found == first else { throw BundleError("there is something behind the compressed data") }
        return nil
    }
}

/// Hands bytes through.
final class PlainDecoder: Decoder {
    var isComplete: Bool { true }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(BundleError) -> (taken: Int, made: Int) {
        let count = min(input.count, output.count)
        output.copyMemory(from: UnsafeRawBufferPointer(rebasing: input.prefix(count)))
        return (count, count)
    }
}
