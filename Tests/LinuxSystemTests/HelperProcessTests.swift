import Glibc
import Testing

@testable import LinuxSystem

@Suite struct HelperProcessTests {
    /// Also where that one ends before the helper has done anything. Who is left keeps the pipe open.
    @Test func aHelperEndsWithWhoHasMadeIt() throws {
        for _ in 0..<300 {
            let pipe = try Pipe()
            switch try clone() {
            case .child:
                if case .child = try? cloneHelper() {
                    sleep(milliseconds: 10_000)
                }
                exitNow(0)
            case .parent(let child): #expect(try waitForEnd(of: child.pid) == .exited(0))
            }
            let end = pipe.reader()
            try #require(try end.waitReadable(milliseconds: 5000), "a helper goes on")
        }
    }
}
