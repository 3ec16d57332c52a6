internal import CZstd

/// Zstandard, RFC 8878: any number of frames; what skippable ones hold is left out.
final class ZstdDecoder: Decoder {
    private let context: OpaquePointer
    /// Whether a frame has ended and none has begun since.
    private(set) var isComplete = false

    init() throws(BundleError) {
        guard let context = ZSTD_createDCtx() else {
            throw BundleError("cannot start to decompress zstd: out of memory")
        }
        self.context = context
        // The window that a frame asks for is memory that it gets: 128 MiB, what every decoder allows unasked.
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 27)
    }

    deinit { ZSTD_freeDCtx(context) }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(BundleError) -> (taken: Int, made: Int) {
        // Called without input, the library would begin another frame.
        if isComplete && input.isEmpty { return (0, 0) }
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let result = ZSTD_decompressStream(context, &to, &from)
        if ZSTD_isError(result) != 0 {
            throw BundleError("the compressed data is damaged: \(String(cString: ZSTD_getErrorName(result)))")
        }
        isComplete = result == 0
        return (from.pos, to.pos)
    }
}
