internal import CLinux

/// SHA-256 (FIPS 180-4), piece by piece.
struct SHA256 {
    private var state: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19
    )
    private let isAccelerated: Int32
    /// What does not fill a block yet.
    private var pending: [UInt8] = []
    private var count: UInt64 = 0

    /// - Parameter accelerated: whether to use the processor's instructions; they are always used where there are any.
    init(accelerated: Bool = true) {
        isAccelerated = accelerated ? cl_sha256_is_accelerated() : 0
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        count += UInt64(bytes.count)
        var rest = bytes[...]
        if !pending.isEmpty {
            let missing = rest.prefix(64 - pending.count)
            pending += missing
            rest = rest.dropFirst(missing.count)
            guard pending.count == 64 else { return }
            pending.withUnsafeBytes { compress($0) }
            pending.removeAll(keepingCapacity: true)
        }
        let whole = rest.prefix(rest.count & ~63)
        compress(UnsafeRawBufferPointer(rebasing: whole))
        pending += rest.dropFirst(whole.count)
    }

    /// The 32 bytes of the digest.
    consuming func finish() -> [UInt8] {
        let bits = count * 8
        var tail = pending + [0x80]
        while tail.count % 64 != 56 { tail.append(0) }
        for shift in stride(from: 56, through: 0, by: -8) {
            tail.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
        }
        tail.withUnsafeBytes { compress($0) }
        return withUnsafeBytes(of: state) { words in
            (0..<8).flatMap { index in
                let word = words.load(fromByteOffset: 4 * index, as: UInt32.self)
                return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) }
            }
        }
    }

    private mutating func compress(_ blocks: UnsafeRawBufferPointer) {
        guard let start = blocks.baseAddress, blocks.count >= 64 else { return }
        let isAccelerated = isAccelerated
        withUnsafeMutableBytes(of: &state) {
            cl_sha256_blocks(
                $0.baseAddress!.assumingMemoryBound(to: UInt32.self), start.assumingMemoryBound(to: UInt8.self),
                blocks.count / 64, isAccelerated)
        }
    }

    static func digest(of bytes: [UInt8]) -> Digest {
        var sum = SHA256()
        bytes.withUnsafeBytes { sum.update($0) }
        return Digest(sum.finish())
    }
}
