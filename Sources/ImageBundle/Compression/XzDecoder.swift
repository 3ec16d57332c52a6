internal import CLzma

/// xz, the .xz file format 1.1: any number of streams, with zeros behind them.
final class XzDecoder: Decoder {
    /// liblzma keeps the address, so it must not move.
    private let stream: UnsafeMutablePointer<lzma_stream>
    private enum Place { case inside, between }
    private var place: Place

    /// The dictionary that a stream asks for is memory that it gets, and may be 4 GiB: `xz -9` makes one of 64 MiB, the rest
    /// is what the decoder needs beside it.
    private static let memory: UInt64 = 80 << 20
    /// LZMA_TELL_UNSUPPORTED_CHECK, a macro: a check sum that cannot be verified is no check.
    private static let flags: UInt32 = 0x02

    init() throws(BundleError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: lzma_stream())
        place = .inside
        try begin()
    }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }

    /// Uses again what a stream before had.
    private func begin() throws(BundleError) {
        let result = lzma_stream_decoder(stream, Self.memory, Self.flags)
        guard result == LZMA_OK else {
            throw BundleError("cannot start to decompress xz: liblzma says \(result.rawValue)")
        }
    }

    var isComplete: Bool { place == .between }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(BundleError) -> (taken: Int, made: Int) {
        if place == .between {
            if let zeros = try padding(of: input, before: 0xfd) { return (zeros, 0) }
            try begin()
        }
        place = .inside
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = input.count
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = output.count
        let result = lzma_code(stream, LZMA_RUN)
        switch result {
        case LZMA_OK, LZMA_BUF_ERROR: break
        case LZMA_STREAM_END: place = .between
        case LZMA_MEMLIMIT_ERROR:
            throw BundleError(
                "the compressed data needs \(lzma_memusage(stream) >> 20) MiB of memory, more than the "
                    + "\(Self.memory >> 20) that it may have",
                hint: "compress it with a smaller dictionary, as xz does unasked")
        case LZMA_MEM_ERROR: throw BundleError("cannot decompress xz: out of memory")
        case LZMA_UNSUPPORTED_CHECK, LZMA_OPTIONS_ERROR:
            throw BundleError("the compressed data uses what this xz does not know")
        default: throw BundleError("the compressed data is damaged: liblzma says \(result.rawValue)")
        }
        return (input.count - stream.pointee.avail_in, output.count - stream.pointee.avail_out)
    }
}
