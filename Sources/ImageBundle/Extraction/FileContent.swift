internal import Glibc
internal import LinuxSystem

/// Writes the data of a file of an archive. Holes stay holes, and runs of zeros become some: a file of zeros costs its
/// archive nothing, and should not cost the disk more.
///
/// - Parameter reader: stands at the data of the entry.
func writeContent(
    of entry: TarEntry, _ reader: inout TarReader, to file: borrowing FileDescriptor, _ work: Work
) throws(BundleError) {
    var end: UInt64 = 0
    for segment in entry.segments ?? [TarEntry.Segment(offset: 0, count: entry.size)] {
        var offset = segment.offset
        // A borrowed parameter cannot be captured; its number can.
        let descriptor = file.rawValue
        try reader.readData(upTo: segment.count) { (piece) throws(BundleError) in
            try work.admit(bytes: UInt64(piece.count))
            if !isZero(piece) {
                try explain("cannot write \(shown(entry.path))") { () throws(SystemError) in
                    try writeAll(piece, to: descriptor, at: Int64(offset))
                }
                end = offset + UInt64(piece.count)
            }
            offset += UInt64(piece.count)
            if piece.count >= 1 << 16 { try work.checkpoint() }
        }
    }
    guard end < entry.size else { return }
    try explain("cannot make \(shown(entry.path)) as long as it is") { () throws(SystemError) in
        try file.setSize(Int64(entry.size))
    }
}

/// Whether a piece is long enough for a hole and has nothing in it.
private func isZero(_ piece: UnsafeRawBufferPointer) -> Bool {
    guard piece.count >= 4096, let start = piece.baseAddress, piece[0] == 0 else { return false }
    // A run of zeros is the same as itself, one byte on.
    return memcmp(start, start + 1, piece.count - 1) == 0
}
