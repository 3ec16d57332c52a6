import Glibc
import Testing

@testable import LinuxSystem

@Suite struct MemoryTests {
    @Test func aCounterIsSharedWithProcessesMadeLater() throws {
        let counter = try SharedCounter()
        counter.add(5)
        for _ in 0..<3 {
            switch try clone() {
            case .child:
                counter.add(1 << 40)
                exitNow(counter.value > 5 ? 0 : 1)
            case .parent(let child): #expect(try waitForEnd(of: child.pid) == .exited(0))
            }
        }
        #expect(counter.value == 5 + 3 << 40)
    }

    /// Of one request the kernel reads a part only.
    @Test func allThatIsReadAheadComesIntoMemory() throws {
        let size = 32 << 20
        let directory = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        let path = "\(directory)/read-ahead-\(getpid())"
        let file = try FileDescriptor.open(path, [.readWrite, .create, .exclusive], mode: 0o600)
        defer { unlink(path) }
        try file.write([UInt8](repeating: 7, count: size))
        #expect(fsync(file.rawValue) == 0)
        posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_DONTNEED)
        readAhead(file.rawValue, 0, UInt64(size))
        var missing = size
        for _ in 0..<500 where missing > 0 {
            missing = try bytesNotInMemory(file.rawValue, size)
            if missing > 0 { usleep(10_000) }
        }
        #expect(missing == 0)
    }

    private func bytesNotInMemory(_ file: Int32, _ size: Int) throws -> Int {
        let page = Int(getpagesize())
        let mapped = try #require(mmap(nil, size, PROT_READ, MAP_SHARED, file, 0))
        defer { munmap(mapped, size) }
        var pages = [UInt8](repeating: 0, count: size / page)
        #expect(mincore(mapped, size, &pages) == 0)
        return pages.count { $0 & 1 == 0 } * page
    }
}
