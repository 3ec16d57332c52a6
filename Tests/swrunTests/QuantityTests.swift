import Testing

@testable import swrun

@Suite("Sizes and times on the command line")
struct QuantityTests {
    @Test(
        "sizes are bytes, or numbers with a unit of 1024",
        arguments: [
            ("0", 0),
            ("100", 100),
            ("9223372036854775807", 9_223_372_036_854_775_807),
            ("1k", 1024),
            ("2K", 2048),
            ("3m", 3_145_728),
            ("512MB", 536_870_912),
            ("1.5g", 1_610_612_736),
            ("1GiB", 1_073_741_824),
            ("2 gb", 2_147_483_648),
            ("1t", 1_099_511_627_776),
            ("1P", 1_125_899_906_842_624),
            ("7b", 7),
            ("7ib", 7),
            ("0.5k", 512),
        ] as [(String, Int64)])
    func sizes(text: String, bytes: Int64) { #expect(byteCount(text) == bytes) }

    @Test(
        "what is no size is none",
        arguments: [
            "", "-1", "-5m", "m", "1x", "1mm", "1  m", "0x10", "1e3", ".5g", "5.", "1.2.3", "99999999999999p",
            "nan", "1kib b",
        ])
    func noSizes(text: String) { #expect(byteCount(text) == nil) }

    @Test(
        "times are numbers with units, as Go programs write them",
        arguments: [
            ("0", 0), ("5s", 5000), ("500ms", 500), ("1m30s", 90_000), ("1.5h", 5_400_000), ("1ns", 1), ("20us", 1),
            ("2500µs", 2), ("0s", 0), ("1h0m0.25s", 3_600_250),
        ] as [(String, Int64)])
    func times(text: String, expected: Int64) { #expect(milliseconds(text) == expected) }

    @Test("what is no time is none", arguments: ["", "5", "s", "-1s", "1 s", "1s ", "x", ".s", "1d", "1e99h"])
    func noTimes(text: String) { #expect(milliseconds(text) == nil) }
}
