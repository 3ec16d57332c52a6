internal import CZlib

/// gzip, RFC 1952. A file may have several members, one behind the other: estargz layers and pigz make such.
final class GzipDecoder: Decoder {
    /// zlib keeps the address, so it must not move.
    private let stream: UnsafeMutablePointer<z_stream>
    private enum Place { case start, inside, between }
    private var place = Place.start

    init() throws(BundleError) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // The largest window, and gzip's header rather than zlib's.
        let result = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            stream.deallocate()
            throw BundleError("cannot start to decompress gzip: zlib says \(result)")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    var isComplete: Bool { place == .between }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(BundleError) -> (taken: Int, made: Int) {
        if place == .between {
            if let zeros = try padding(of: input, before: 0x1f) { return (zeros, 0) }
            inflateReset(stream)
        }
        place = .inside
        let (room, offered) = (UInt32(clamping: output.count), UInt32(clamping: input.count))
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = offered
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = room
        let result = inflate(stream, Z_NO_FLUSH)
        switch result {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: place = .between
        default:
            let detail = stream.pointee.msg.map { ": " + String(cString: $0) } ?? ""
            throw BundleError("the compressed data is damaged\(detail)")
        }
        return (Int(offered - stream.pointee.avail_in), Int(room - stream.pointee.avail_out))
    }
}
