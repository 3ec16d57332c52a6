/// The records of an extended header: `LENGTH KEY=VALUE\n`, POSIX.1-2017, pax, "pax Extended Header". Bytes, not text:
/// names and values are the file system's.
struct PaxRecords {
    /// The most that an extended header may hold. Go's archive/tar, which wrote most images, has the same limit.
    static let maximumSize = 1 << 20

    struct Record: Equatable {
        let key: ArraySlice<UInt8>
        let value: ArraySlice<UInt8>
    }

    /// In the order of the header; a later record of the same key wins.
    private(set) var records: [Record] = []

    init() {}

    init(parsing bytes: [UInt8]) throws(BundleError) {
        var rest = bytes[...]
        // Some writers pad with zero bytes.
        while let first = rest.first, first != 0 {
            guard let space = rest.prefix(21).firstIndex(of: UInt8(ascii: " ")),
                let length = Self.decimal(rest[..<space]).flatMap({ Int(exactly: $0) }),
                length <= rest.count, length > space - rest.startIndex + 2
            else { throw BundleError("a record of an extended header has no valid length") }
            let record = rest[(space + 1)..<(rest.startIndex + length)]
            guard record.last == UInt8(ascii: "\n"), let equals = record.firstIndex(of: UInt8(ascii: "=")),
                equals > record.startIndex
            else { throw BundleError("a record of an extended header is not KEY=VALUE") }
            records.append(Record(key: record[..<equals], value: record[(equals + 1)..<(record.endIndex - 1)]))
            rest = rest[record.endIndex...]
        }
    }

    /// The last value under `key`; nil when there is none, or an empty one, which takes earlier ones back.
    subscript(key: StaticString) -> ArraySlice<UInt8>? {
        var found: ArraySlice<UInt8>?
        for record in records where Self.equal(record.key, key) { found = record.value }
        return found?.isEmpty == true ? nil : found
    }

    static func equal(_ bytes: ArraySlice<UInt8>, _ key: StaticString) -> Bool {
        key.withUTF8Buffer { bytes.elementsEqual($0) }
    }

    func unsigned(_ key: StaticString, upTo most: UInt64) throws(BundleError) -> UInt64? {
        guard let value = self[key] else { return nil }
        guard let number = Self.decimal(value), number <= most else {
            throw BundleError("\(key) \(shown(value)) of an extended header is no number from 0 to \(most)")
        }
        return number
    }

    /// "1700000000.123456789", negative before 1970.
    func time(_ key: StaticString) throws(BundleError) -> Timestamp? {
        guard let value = self[key] else { return nil }
        guard let time = Timestamp(parsing: value) else {
            throw BundleError("\(key) \(shown(value)) of an extended header is no time")
        }
        return time
    }

    static func decimal(_ digits: ArraySlice<UInt8>) -> UInt64? {
        guard !digits.isEmpty else { return nil }
        var value: UInt64 = 0
        for byte in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            if overflow || carry { return nil }
            value = sum
        }
        return value
    }
}

/// A moment, as utimensat(2) takes it.
package struct Timestamp: Equatable, Sendable {
    package let seconds: Int64
    /// 0 to 999,999,999, counted forward also before 1970.
    package let nanoseconds: Int64

    package init(seconds: Int64, nanoseconds: Int64 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Digits after the ninth are cut off.
    init?(parsing text: ArraySlice<UInt8>) {
        let isNegative = text.first == UInt8(ascii: "-")
        let number = isNegative ? text.dropFirst() : text
        let whole = number.prefix { $0 != UInt8(ascii: ".") }
        let fraction = number.dropFirst(whole.count + 1)
        guard let units = PaxRecords.decimal(whole), let seconds = Int64(exactly: units) else { return nil }
        var nanoseconds: Int64 = 0
        for index in 0..<9 {
            nanoseconds *= 10
            guard index < fraction.count else { continue }
            let digit = fraction[fraction.startIndex + index]
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            nanoseconds += Int64(digit - UInt8(ascii: "0"))
        }
        if isNegative && nanoseconds > 0 {
            self.init(seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds)
        } else {
            self.init(seconds: isNegative ? -seconds : seconds, nanoseconds: nanoseconds)
        }
    }
}
