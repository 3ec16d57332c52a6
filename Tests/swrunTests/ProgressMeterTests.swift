import Testing

@testable import swrun

@Suite("Progress")
struct ProgressMeterTests {
    @Test("rate and remaining time follow from what was seen lately")
    func rate() {
        var meter = ProgressMeter(step: "unpacking", total: 100 << 20, now: 1000)
        meter.mark(1000)
        #expect(meter.rate(1000) == 0 && meter.remaining(1000) == nil && meter.percent == 0)
        meter.advance(bytes: 10 << 20, files: 3)
        meter.mark(2000)
        #expect(meter.rate(2000) == 10 << 20 && meter.remaining(2000) == 9 && meter.percent == 10)
    }

    @Test("old times are forgotten")
    func window() {
        var meter = ProgressMeter(step: "s", total: nil, now: 0)
        meter.advance(bytes: 1 << 30, files: 0)
        for second in 1...60 { meter.mark(Int64(second) * 1000) }
        #expect(meter.rate(60_000) == 0 && meter.remaining(60_000) == nil && meter.percent == nil)
    }

    @Test("a bar is as wide as the terminal at most", arguments: [0, 1, 10, 30, 60, 79, 200])
    func width(_ columns: Int) {
        var meter = ProgressMeter(step: "unpacking", total: 1000, now: 0)
        meter.advance(bytes: 500, files: 0)
        meter.mark(1000)
        #expect(meter.bar(1000, columns: columns).utf8.count <= columns)
    }

    @Test("the bar")
    func bar() {
        var meter = ProgressMeter(step: "copying", total: 200, now: 0)
        meter.advance(bytes: 100, files: 0)
        meter.mark(1000)
        #expect(meter.bar(1000, columns: 60) == "copying  [=======>       ]   50 %  100 B  100 B/s  0:01 left")
        #expect(meter.line(1000) == "copying: 50 %, 100 B of 200 B, 100 B/s, 0:01 left")
        #expect(meter.summary(1234) == "copying: 100 B in 1.2 s")
    }

    @Test("more than was expected is no more than all")
    func excess() {
        var meter = ProgressMeter(step: "s", total: 10, now: 0)
        meter.advance(bytes: 20, files: 0)
        meter.mark(1000)
        #expect(meter.percent == 100 && meter.remaining(1000) == 0)
        #expect(ProgressMeter(step: "s", total: 0, now: 0).percent == 100)
    }

    @Test("amounts and times for people")
    func texts() {
        #expect(ProgressMeter.amount(1023) == "1023 B" && ProgressMeter.amount(1536) == "1.5 KiB")
        #expect(ProgressMeter.amount(1 << 20) == "1.0 MiB" && ProgressMeter.amount(.max) == "15.9 EiB")
        #expect(ProgressMeter.duration(59) == "0:59" && ProgressMeter.duration(3661) == "1:01:01")
    }
}
