/// Where the stored bytes of a file with holes belong: GNU tar's formats "old GNU", 0.0, 0.1 and 1.0 ("Storing Sparse
/// Files" in its manual).
struct SparseMap {
    /// A file of a million pieces is no file that anybody has.
    static let maximumSegments = 1 << 18

    private(set) var segments: [TarEntry.Segment] = []

    mutating func append(offset: UInt64, count: UInt64) throws(BundleError) {
        guard segments.count < Self.maximumSegments else { throw BundleError("a sparse file has too many pieces") }
        segments.append(TarEntry.Segment(offset: offset, count: count))
    }

    /// - Parameters:
    ///   - size: of the whole file.
    ///   - stored: how many bytes of it are in the archive.
    func validate(size: UInt64, stored: UInt64) throws(BundleError) {
        var end: UInt64 = 0
        var sum: UInt64 = 0
        for segment in segments {
            let (next, overflow) = segment.offset.addingReportingOverflow(segment.count)
            guard !overflow, segment.offset >= end, next <= size else {
                throw BundleError("the pieces of a sparse file overlap or lie beyond its end")
            }
            end = next
            sum += segment.count
        }
        guard sum == stored else {
            throw BundleError("the pieces of a sparse file have \(sum) bytes, the archive \(stored)")
        }
    }

    /// Old GNU: four pieces in the header, then blocks of 21 while the byte after them says so.
    ///
    /// - Returns: the size of the whole file.
    mutating func readOldGNU(
        header: UnsafeRawBufferPointer, _ stream: ByteStream
    ) throws(BundleError) -> UInt64 {
        let size = UInt64(try TarHeader.number(header[483..<495], "real size", in: 0...Int64.max - 1024))
        try append(piecesOf: header, from: 386, most: 4)
        var more = header[482] != 0
        while more {
            let block = try stream.window(atLeast: TarHeader.size)
            guard block.count >= TarHeader.size else { throw TarReader.truncated }
            try append(piecesOf: block, from: 0, most: 21)
            more = block[504] != 0
            stream.consume(TarHeader.size)
        }
        return size
    }

    private mutating func append(
        piecesOf block: UnsafeRawBufferPointer, from start: Int, most: Int
    ) throws(BundleError) {
        for index in 0..<most {
            let place = start + 24 * index
            if block[place] == 0 { return }
            let offset = try TarHeader.number(block[place..<(place + 12)], "offset", in: 0...Int64.max - 1024)
            let count = try TarHeader.number(block[(place + 12)..<(place + 24)], "size", in: 0...Int64.max - 1024)
            try append(offset: UInt64(offset), count: UInt64(count))
        }
    }

    /// 0.0: pairs of records; 0.1: one record with all numbers between commas.
    init(records: PaxRecords) throws(BundleError) {
        var numbers: [UInt64] = []
        if let map = records["GNU.sparse.map"] {
            for text in map.split(separator: UInt8(ascii: ",")) { numbers.append(try Self.number(text)) }
        } else {
            for record in records.records
            where PaxRecords.equal(record.key, "GNU.sparse.offset")
                || PaxRecords.equal(record.key, "GNU.sparse.numbytes")
            {
                // They alternate, the offset first.
                let isOffset = PaxRecords.equal(record.key, "GNU.sparse.offset")
                guard isOffset == numbers.count.isMultiple(of: 2) else {
                    throw BundleError("the records of a sparse file are out of order")
                }
                numbers.append(try Self.number(record.value))
            }
        }
        guard numbers.count.isMultiple(of: 2) else { throw BundleError("a piece of a sparse file has no size") }
        for index in stride(from: 0, to: numbers.count, by: 2) {
            try append(offset: numbers[index], count: numbers[index + 1])
        }
    }

    /// 1.0: decimal numbers on lines of their own at the start of the file's data, padded to a block.
    ///
    /// - Returns: how many bytes of the data the map took.
    mutating func readLines(_ stream: ByteStream, upTo stored: UInt64) throws(BundleError) -> UInt64 {
        var taken: UInt64 = 0
        var pending: [UInt8] = []
        var left: UInt64?
        var offset: UInt64?
        while left != 0 {
            guard taken + 512 <= stored else { throw BundleError("the map of a sparse file has no end") }
            let block = try stream.read(512)
            guard block.count == 512 else { throw TarReader.truncated }
            taken += 512
            for byte in block {
                if byte != UInt8(ascii: "\n") {
                    guard pending.count < 20 else { throw BundleError("the map of a sparse file is damaged") }
                    pending.append(byte)
                    continue
                }
                let number = try Self.number(pending[...])
                pending.removeAll(keepingCapacity: true)
                if let start = offset {
                    try append(offset: start, count: number)
                    offset = nil
                    left! -= 1
                } else if left == nil {
                    guard number <= UInt64(Self.maximumSegments) else {
                        throw BundleError("a sparse file has too many pieces")
                    }
                    left = number
                } else {
                    offset = number
                }
                if left == 0 { break }
            }
        }
        return taken
    }

    init() {}

    private static func number(_ text: ArraySlice<UInt8>) throws(BundleError) -> UInt64 {
        guard let number = PaxRecords.decimal(text), number <= UInt64(Int64.max - 1024) else {
            throw BundleError("\(shown(text)) in the map of a sparse file is not a number")
        }
        return number
    }
}
