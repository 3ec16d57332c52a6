internal import Glibc

/// v1's cpu.shares (2 to 262144, ordinarily 1024) as v2's cpu.weight (1 to 10000, ordinarily 100): a curve through the
/// three pairs (2, 1), (1024, 100) and (262144, 10000), which a straight line would miss in the middle.
func cpuWeight(ofShares shares: UInt64) -> UInt64 {
    if shares <= 2 { return 1 }
    if shares >= 262_144 { return 10_000 }
    let l = log2(Double(shares))
    return UInt64(ceil(pow(10, (l * l + 125 * l) / 612 - 7.0 / 34)))
}

/// v1's blkio.weight (10 to 1000) as v2's io.weight (1 to 10000), on a straight line.
func ioWeight(ofBlockIOWeight weight: UInt16) -> UInt64 {
    1 + (UInt64(max(weight, 10)) - 10) * 9999 / 990
}
