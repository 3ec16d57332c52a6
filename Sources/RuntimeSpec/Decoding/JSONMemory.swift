internal import CJansson

/// The memory that Jansson works in. A document is read, turned into values and thrown away as a whole, so nothing is given
/// back before the end: to look for free pieces of memory, and to join them again, takes longer than to read the text.
///
/// In debug builds Jansson keeps the memory of the C library: unit tests read documents in many threads.
enum JSONMemory {
    // The program has one thread.
    nonisolated(unsafe) private static var documents = 0
    /// The block taken last; each begins with the address of the one before.
    nonisolated(unsafe) private static var block: UnsafeMutableRawPointer?
    nonisolated(unsafe) private static var next: UnsafeMutableRawPointer?
    nonisolated(unsafe) private static var left = 0

    /// Called before a document is read; as often as this, `release` is called.
    static func use() {
        #if DEBUG
            return
        #else
            takeOver()
        #endif
    }

    /// With the last document goes the memory of all.
    ///
    /// - Parameter root: nil where there is no document after all
    static func release(_ root: UnsafeMutablePointer<json_t>?) {
        #if DEBUG
            json_decref(root)
        #else
            giveBack()
        #endif
    }

    private static func takeOver() {
        if documents == 0 { json_set_alloc_funcs({ JSONMemory.allocate($0) }, { _ in }) }
        documents += 1
    }

    private static func giveBack() {
        documents -= 1
        guard documents == 0 else { return }
        while let last = block {
            block = last.load(as: UnsafeMutableRawPointer?.self)
            last.deallocate()
        }
        left = 0
    }

    private static let alignment = 16
    private static let blockSize = 32 << 10

    private static func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        let size = (size + alignment - 1) & ~(alignment - 1)
        // What is large gets a block of its own, and the rest of the last one stays in use.
        if size > blockSize / 4 { return newBlock(of: size) }
        if size > left {
            next = newBlock(of: blockSize)
            left = blockSize
        }
        let piece = next
        next = piece.map { $0 + size }
        left -= size
        return piece
    }

    private static func newBlock(of size: Int) -> UnsafeMutableRawPointer {
        let made = UnsafeMutableRawPointer.allocate(byteCount: alignment + size, alignment: alignment)
        made.storeBytes(of: block, as: UnsafeMutableRawPointer?.self)
        block = made
        return made + alignment
    }
}
