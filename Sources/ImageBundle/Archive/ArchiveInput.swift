internal import LinuxSystem

/// The bytes of an archive, decompressed, with progress by the bytes that are read of its file.
final class ArchiveInput {
    private let decoder: DecoderProcess
    private(set) var stream: ByteStream
    let compression: Compression

    /// - Parameters:
    ///   - file: the descriptor of a file, whose position this uses.
    ///   - sums: whether `finish` is to give digests.
    init(_ file: Int32, _ extent: ArchiveIndex.Extent, _ work: Work, sums: Bool) throws(BundleError) {
        let head = try explain("cannot read the archive") { () throws(SystemError) in
            try readBytes(file, at: extent.offset, upTo: Int(min(extent.count, 6)))
        }
        compression = Compression(head: head)
        let decoder = try DecoderProcess(
            compression, input: file, start: extent.offset, count: extent.count, sums: sums)
        self.decoder = decoder
        var told: UInt64 = 0
        stream = ByteStream { (buffer) throws(BundleError) in
            let count = try decoder.read(into: buffer)
            let position = min(decoder.compressedPosition, extent.count)
            if position > told {
                work.progress.advance(bytes: position - told, files: 0)
                told = position
            }
            return count
        }
        self.work = work
    }

    private let work: Work

    /// Reads what is behind the archive, which counts as well: it could be endless.
    func finish() throws(BundleError) -> DecoderProcess.Sums? {
        let work = work
        _ = try stream.forEach(upTo: .max) { (piece) throws(BundleError) in
            try work.admit(bytes: UInt64(piece.count))
            try work.checkpoint()
        }
        return try decoder.finish()
    }
}
