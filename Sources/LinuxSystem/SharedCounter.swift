internal import CLinux
internal import Glibc

/// A number that this process and those it forks from then on add to.
package final class SharedCounter {
    private let place: UnsafeMutablePointer<UInt64>
    private static let size = MemoryLayout<UInt64>.size

    package init() throws(SystemError) {
        let mapped = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { throw SystemError("mmap", "", Errno(errno)) }
        place = mapped.bindMemory(to: UInt64.self, capacity: 1)
    }

    deinit { munmap(place, Self.size) }

    package func add(_ more: UInt64) { cl_add_shared(place, more) }

    package var value: UInt64 { cl_load_shared(place) }
}
