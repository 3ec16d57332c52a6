import Testing

@testable import ImageBundle

@Suite struct WritebackPaceTests {
    private let first = WritebackPace.first
    private let least = WritebackPace.least

    @Test func littleIsLeftToTheKernel() {
        var pace = WritebackPace()
        #expect(pace.step(at: 0) == .wait)
        #expect(pace.step(at: first - 1) == .wait)
        #expect(pace.step(at: first) == .write)
    }

    @Test func aFastDiskIsWrittenToAgainAndAgain() {
        var pace = WritebackPace()
        var copied = first
        for _ in 0..<100 {
            #expect(pace.step(at: copied) == .write)
            pace.tookMilliseconds(0)
            #expect(pace.step(at: copied + least - 1) == .wait)
            copied += least
        }
    }

    @Test func nothingIsBegunThatWouldTakeLong() {
        var pace = WritebackPace()
        #expect(pace.step(at: first) == .write)
        pace.tookMilliseconds(WritebackPace.longest)  // so that `first` is what may be begun, and less than is worth it
        #expect(pace.step(at: first + least - 1) == .wait)
        #expect(pace.step(at: first + least) == .stop)
    }

    @Test func aDiskThatBecomesSlowIsLeftAlone() {
        var pace = WritebackPace()
        #expect(pace.step(at: first) == .write)
        pace.tookMilliseconds(10)
        #expect(pace.step(at: first + least) == .write)
        pace.tookMilliseconds(60_000)
        #expect(pace.step(at: first + 2 * least) == .stop)
    }
}
