internal import CBzip2

/// bzip2: any number of streams one behind the other, as pbzip2 makes them.
final class Bzip2Decoder: Decoder {
    /// libbz2 keeps the address, so it must not move.
    private let stream: UnsafeMutablePointer<bz_stream>
    private enum Place { case inside, between }
    private var place = Place.between

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: bz_stream())
    }

    deinit {
        BZ2_bzDecompressEnd(stream)
        stream.deallocate()
    }

    var isComplete: Bool { place == .between }

    func decode(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer
    ) throws(BundleError) -> (taken: Int, made: Int) {
        if place == .between {
            if let zeros = try padding(of: input, before: UInt8(ascii: "B")) { return (zeros, 0) }
            BZ2_bzDecompressEnd(stream)
            // At most 3700 kB, whatever the stream says.
            let result = BZ2_bzDecompressInit(stream, 0, 0)
            guard result == BZ_OK else {
                throw BundleError("cannot start to decompress bzip2: libbz2 says \(result)")
            }
        }
        place = .inside
        let (room, offered) = (UInt32(clamping: output.count), UInt32(clamping: input.count))
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: CChar.self))
        stream.pointee.avail_in = offered
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_out = room
        let result = BZ2_bzDecompress(stream)
        switch result {
        case BZ_OK: break
        case BZ_STREAM_END: place = .between
        case BZ_MEM_ERROR: throw BundleError("cannot decompress bzip2: out of memory")
        default: throw BundleError("the compressed data is damaged: libbz2 says \(result)")
        }
        return (Int(offered - stream.pointee.avail_in), Int(room - stream.pointee.avail_out))
    }
}
