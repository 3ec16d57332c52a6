internal import CLinux
internal import Glibc
internal import LinuxSystem

/// Copies the content of files, and leaves holes what they are.
final class FileContentCopy {
    private let work: Work
    let image: ImageContent?
    private let written: SharedCounter?
    private let buffer: UnsafeMutableRawBufferPointer
    /// Limits and interruptions are errors of their own kind; they are kept until the caller asks.
    private var stopped: BundleError?

    /// As much as stays in a processor's cache between reading and writing it.
    private static let step = 256 << 10

    /// - Parameters:
    ///   - image: where the content of the files is found, if not by reading them
    ///   - written: counts the blocks that are written
    init(_ work: Work, from image: ImageContent?, _ written: SharedCounter? = nil) {
        self.work = work
        self.image = image
        self.written = written
        buffer = .allocate(byteCount: Self.step, alignment: 4096)
    }

    deinit { buffer.deallocate() }

    /// - Parameters:
    ///   - input, output: regular files at their beginning; `output` is empty
    ///   - status: of `input`
    func copy(from input: Int32, to output: Int32, _ status: stat) throws(SystemError) {
        let size = Int64(status.st_size)
        guard size > 0 else { return }
        if let image, try copy(from: image, input, output, size) { return }
        // Nothing to look for where every block is allocated.
        let isSparse = Int64(status.st_blocks) * 512 < size
        var position: Int64 = 0
        var hasHoleAtEnd = false
        while position < size, stopped == nil {
            var end = size
            if isSparse {
                let data = Int(cl_lseek(input, position, CL_SEEK_DATA))
                if data == -Int(ENXIO) {
                    hasHoleAtEnd = true
                    break
                }
                position = Int64(try check(data, "lseek"))
                end = min(size, Int64(try check(Int(cl_lseek(input, position, CL_SEEK_HOLE)), "lseek")))
                // A filesystem that does not know its holes takes all for data.
                if end - position > Int64(status.st_blocks) * 512 + (1 << 20) {
                    return try copyFinding(input, output, status)
                }
            }
            while position < end, stopped == nil {
                let count = try move(
                    input, position, output, position, Int(min(end - position, Int64(Self.step))))
                if count == 0 { break }
                position += Int64(count)
            }
            if position < end { break }  // the file is shorter than its status said
        }
        if hasHoleAtEnd || position < size { try check(Int(cl_ftruncate(output, size)), "ftruncate") }
    }

    // MARK: - From the image's own file

    /// False where it cannot be told where all of the content is: then the file is to be read.
    private func copy(
        from image: ImageContent, _ input: Int32, _ output: Int32, _ size: Int64
    ) throws(SystemError) -> Bool {
        var (position, written) = (UInt64(0), UInt64(0))
        var isLast = false
        while !isLast, position < size, stopped == nil {
            guard let count = image.extents.read(of: input, from: position) else { return false }
            isLast = count == 0
            for index in 0..<count {
                let extent = image.extents[index]
                let (end, overflow) = extent.logical.addingReportingOverflow(extent.length)
                // Extents follow each other; else this would go on for good.
                guard extent.isPlain, !overflow, end > position else { return false }
                let start = max(position, extent.logical)
                position = end
                isLast = extent.isLast
                guard !extent.isUnwritten, start < size else { continue }
                let physical = extent.physical.addingReportingOverflow(start - extent.logical)
                let length = min(end, UInt64(size)) - start
                guard !physical.overflow,
                    try copy(from: image, physical.partialValue, to: output, start, length, input)
                else { return false }
                written = start + length
            }
        }
        if written < size, stopped == nil { try check(Int(cl_ftruncate(output, size)), "ftruncate") }
        return true
    }

    /// - Parameters:
    ///   - physical: where the bytes are in the partition
    ///   - logical: where they are in the file
    private func copy(
        from image: ImageContent, _ physical: UInt64, to output: Int32, _ logical: UInt64, _ length: UInt64,
        _ input: Int32
    ) throws(SystemError) -> Bool {
        var done: UInt64 = 0
        while done < length, stopped == nil {
            var found: (place: ImageContent.Place?, length: UInt64) = (nil, 0)
            stop { () throws(BundleError) in found = try image.place(of: physical + done, length - done) }
            let target = Int64(logical + done)
            var moved: UInt64 = found.place == .zeros ? found.length : 0
            while moved < found.length, stopped == nil {
                let wanted = Int(min(found.length - moved, UInt64(Self.step)))
                let count: Int
                if case .file(let start) = found.place {
                    image.readAhead(start + moved)
                    count = try move(image.file, Int64(start + moved), output, target + Int64(moved), wanted)
                } else {
                    count = try move(input, target + Int64(moved), output, target + Int64(moved), wanted)
                }
                if count == 0 { return false }
                moved += UInt64(count)
            }
            done += moved
        }
        return true
    }

    // MARK: - From the files

    /// For filesystems that cannot tell where holes are (squashfs): blocks of zeros become holes.
    private func copyFinding(_ input: Int32, _ output: Int32, _ status: stat) throws(SystemError) {
        let size = Int64(status.st_size)
        // Zeros are read as well, and time is limited like space.
        stop { () throws(BundleError) in try work.checkSize(UInt64(size)) }
        var position: Int64 = 0
        while position < size, stopped == nil {
            let wanted = Int(min(size - position, Int64(Self.step)))
            let count = try read(input, position, wanted)
            if count == 0 { break }
            if !isZero(count) { try write(output, position, count) }
            position += Int64(count)
            stop { () throws(BundleError) in try work.checkpoint() }
        }
        try check(Int(cl_ftruncate(output, size)), "ftruncate")
    }

    private func move(
        _ input: Int32, _ source: Int64, _ output: Int32, _ target: Int64, _ count: Int
    ) throws(SystemError) -> Int {
        let filled = try read(input, source, count)
        if filled > 0 { try write(output, target, filled) }
        return filled
    }

    private func read(_ input: Int32, _ position: Int64, _ count: Int) throws(SystemError) -> Int {
        try checkRetrying("read") { Int(cl_pread(input, buffer.baseAddress, count, Int(position))) }
    }

    private func write(_ output: Int32, _ position: Int64, _ count: Int) throws(SystemError) {
        var written = 0
        while written < count {
            let start = written
            written += try checkRetrying("write") {
                Int(cl_pwrite(output, buffer.baseAddress! + start, count - start, position + Int64(start)))
            }
        }
        let (bytes, block) = (UInt64(count), UInt64(4096))
        self.written?.add((bytes + block - 1) & ~(block - 1))
        stop { () throws(BundleError) in
            try work.count(bytes: bytes)
            if count == Self.step { try work.checkpoint() }
        }
    }

    private func isZero(_ count: Int) -> Bool {
        let words = UnsafeRawBufferPointer(rebasing: buffer[..<(count & ~7)]).bindMemory(to: UInt64.self)
        for word in words where word != 0 { return false }
        for byte in buffer[(count & ~7)..<count] where byte != 0 { return false }
        return true
    }

    private func stop(_ body: () throws(BundleError) -> Void) {
        guard stopped == nil else { return }
        do throws(BundleError) { try body() } catch { stopped = error }
    }

    /// Throws what ended the copying early: a limit, or a signal.
    func throwIfStopped() throws(BundleError) {
        if let stopped { throw stopped }
    }
}
