internal import CLinux
internal import Glibc

/// Where the content of files lies on the device of their filesystem: ioctl FS_IOC_FIEMAP (linux/fiemap.h).
package final class FileExtents {
    /// A piece of a file, in bytes.
    package struct Extent {
        package let logical: UInt64
        package let physical: UInt64
        package let length: UInt64
        package let flags: UInt32

        package var isLast: Bool { flags & 0x1 != 0 }
        /// Room that was reserved and holds nothing yet: zeros.
        package var isUnwritten: Bool { flags & 0x800 != 0 }
        /// Whether the device has the very bytes of the file at that place. Of all flags only those for the last, for unwritten,
        /// merged and shared extents leave it so.
        package var isPlain: Bool { flags & ~0x3801 == 0 }
    }

    private let buffer: UnsafeMutableRawPointer
    private static let most = 128
    private static let headerSize = 32
    private static let extentSize = 56
    private static let request: UInt = 0xc020_660b

    package init() {
        buffer = .allocate(byteCount: Self.headerSize + Self.most * Self.extentSize, alignment: 8)
    }

    deinit { buffer.deallocate() }

    /// Asks for the extents from `start` on.
    ///
    /// - Returns: how many are there to look at; nil where the filesystem cannot tell
    package func read(of file: Int32, from start: UInt64) -> Int? {
        buffer.initializeMemory(as: UInt8.self, repeating: 0, count: Self.headerSize)
        buffer.storeBytes(of: start, toByteOffset: 0, as: UInt64.self)
        buffer.storeBytes(of: UInt64.max - start, toByteOffset: 8, as: UInt64.self)
        buffer.storeBytes(of: UInt32(Self.most), toByteOffset: 24, as: UInt32.self)
        guard cl_ioctl(file, Self.request, UInt(bitPattern: buffer)) >= 0 else { return nil }
        return min(Int(buffer.load(fromByteOffset: 20, as: UInt32.self)), Self.most)
    }

    /// - Parameter index: below what `read` has returned
    package subscript(index: Int) -> Extent {
        let place = Self.headerSize + index * Self.extentSize
        return Extent(
            logical: buffer.load(fromByteOffset: place, as: UInt64.self),
            physical: buffer.load(fromByteOffset: place + 8, as: UInt64.self),
            length: buffer.load(fromByteOffset: place + 16, as: UInt64.self),
            flags: buffer.load(fromByteOffset: place + 40, as: UInt32.self))
    }
}

/// Lets the kernel bring a part of a file into memory meanwhile, posix_fadvise(2). Bytes.
package func readAhead(_ file: Int32, _ offset: UInt64, _ length: UInt64) {
    let willNeed: Int32 = 3
    // Of one call the kernel reads no more than the device takes at a time (max_sectors_kb), or reads ahead (read_ahead_kb).
    let piece: UInt64 = 512 << 10
    for done in stride(from: 0, to: length, by: Int(piece)) {
        _ = cl_fadvise(file, Int64(offset + done), Int64(min(piece, length - done)), willNeed)
    }
}
