internal import CLinux
internal import Glibc

/// CLOCK_MONOTONIC in milliseconds.
package func monotonicMilliseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}

/// The wall clock, as RFC 3339 in UTC with nanoseconds ("2026-01-31T12:00:00.000000001Z").
package func currentTimestamp() -> String {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return timestamp(seconds: now.tv_sec, nanoseconds: now.tv_nsec)
}

/// As gmtime_r(3), which would read the time zone's file first.
package func timestamp(seconds: Int, nanoseconds: Int) -> String {
    let date = civilDate(daysSince1970: seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400)
    let time = (seconds % 86400 + 86400) % 86400
    var text: [UInt8] = []
    func append(_ value: Int, width: Int, then separator: Character) {
        var digits = [UInt8](repeating: UInt8(ascii: "0"), count: width)
        var rest = value
        for index in (0..<width).reversed() {
            digits[index] += UInt8(rest % 10)
            rest /= 10
        }
        text += digits
        text += separator.utf8
    }
    append(date.year, width: 4, then: "-")
    append(date.month, width: 2, then: "-")
    append(date.day, width: 2, then: "T")
    append(time / 3600, width: 2, then: ":")
    append(time / 60 % 60, width: 2, then: ":")
    append(time % 60, width: 2, then: ".")
    append(nanoseconds, width: 9, then: "Z")
    return String(decoding: text, as: UTF8.self)
}

/// The Gregorian date of a day. Years are counted from March, so that the leap day is a year's last.
private func civilDate(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468  // days since 0000-03-01
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
}
