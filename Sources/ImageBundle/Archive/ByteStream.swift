/// A window that moves over a stream of bytes: what is in it is looked at in place and then let go.
package final class ByteStream {
    /// Reads some bytes into the buffer; 0 at the end of the stream.
    package typealias Refill = (UnsafeMutableRawBufferPointer) throws(BundleError) -> Int
    /// Passes over bytes without reading them; says how many it could.
    package typealias Skip = (UInt64) throws(BundleError) -> UInt64

    private let buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private let refill: Refill
    private let skipUnread: Skip?
    /// How many bytes were let go.
    package private(set) var position: UInt64 = 0

    package init(capacity: Int = 256 * 1024, skip: Skip? = nil, refill: @escaping Refill) {
        skipUnread = skip
        buffer = .allocate(byteCount: capacity, alignment: 4096)
        self.refill = refill
    }

    deinit { buffer.deallocate() }

    /// The bytes in the window, at least `count` of them unless the stream ends before. `count` is at most the capacity.
    package func window(atLeast count: Int) throws(BundleError) -> UnsafeRawBufferPointer {
        while end - start < count {
            if start > 0 {
                // What is left is less than asked for, so less than a tar header or a header of a compressed file.
                buffer.baseAddress!.copyMemory(from: buffer.baseAddress! + start, byteCount: end - start)
                (start, end) = (0, end - start)
            }
            let filled = try refill(UnsafeMutableRawBufferPointer(rebasing: buffer[end...]))
            if filled == 0 { break }
            end += filled
        }
        return UnsafeRawBufferPointer(rebasing: buffer[start..<end])
    }

    /// Lets the first `count` bytes of the window go.
    package func consume(_ count: Int) {
        precondition(count <= end - start)
        start += count
        position += UInt64(count)
        if start == end { (start, end) = (0, 0) }
    }

    /// Hands the next `count` bytes out, piece by piece.
    ///
    /// - Returns: how many there were; less than `count` when the stream has ended.
    package func forEach(
        upTo count: UInt64, _ body: (UnsafeRawBufferPointer) throws(BundleError) -> Void
    ) throws(BundleError) -> UInt64 {
        var left = count
        while left > 0 {
            let piece = try window(atLeast: 1).prefix(Int(clamping: left))
            if piece.isEmpty { break }
            try body(UnsafeRawBufferPointer(rebasing: piece))
            consume(piece.count)
            left -= UInt64(piece.count)
        }
        return count - left
    }

    /// The next `count` bytes; fewer when the stream ends before.
    package func read(_ count: Int) throws(BundleError) -> [UInt8] {
        var bytes: [UInt8] = []
        _ = try forEach(upTo: UInt64(count)) { (piece) throws(BundleError) in bytes += piece }
        return bytes
    }

    /// Lets the next `count` bytes go; says how many there were.
    package func skip(_ count: UInt64) throws(BundleError) -> UInt64 {
        guard let skipUnread else { return try forEach(upTo: count) { (_) throws(BundleError) in } }
        let known = min(end - start, Int(clamping: count))
        consume(known)
        let skipped = try skipUnread(count - UInt64(known))
        position += skipped
        return UInt64(known) + skipped
    }
}

extension ByteStream {
    /// A stream over bytes in memory, for what is small.
    package convenience init(_ bytes: [UInt8], capacity: Int = 64 * 1024) {
        var offset = 0
        self.init(capacity: capacity) { (buffer) throws(BundleError) in
            let count = min(buffer.count, bytes.count - offset)
            buffer.copyBytes(from: bytes[offset..<offset + count])
            offset += count
            return count
        }
    }
}
