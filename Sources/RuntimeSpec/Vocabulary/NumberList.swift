/// A list of small numbers as the kernel writes them: `0-3,7`. Used for CPUs and memory nodes.
package struct NumberList: Equatable, Sendable {
    /// In the order written; they may overlap.
    package let ranges: [ClosedRange<Int>]

    /// The numbers a kernel can have at most are in the thousands; a larger one is a mistake, and would make a mask huge.
    package static let maximum = 0xffff

    /// Blanks around numbers and empty elements are allowed, as in the kernel's own parser. nil when `text` is no such list.
    package init?(parsing text: String) {
        var ranges: [ClosedRange<Int>] = []
        for element in text.utf8.split(separator: UInt8(ascii: ",")) {
            let ends = element.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map(Self.number)
            switch ends.count {
            case 1 where element.allSatisfy({ $0 == UInt8(ascii: " ") }): continue
            case 1:
                guard let single = ends[0] else { return nil }
                ranges.append(single...single)
            case 2:
                guard let low = ends[0], let high = ends[1], low <= high else { return nil }
                ranges.append(low...high)
            default: return nil
            }
        }
        self.ranges = ranges
    }

    package var isEmpty: Bool { ranges.isEmpty }

    /// As a bit mask of 64-bit words, lowest number first: what sched_setaffinity(2) and set_mempolicy(2) take on
    /// little-endian machines.
    package var mask: [UInt64] {
        let highest = ranges.map(\.upperBound).max() ?? 0
        var words = [UInt64](repeating: 0, count: highest / 64 + 1)
        for number in ranges.joined() { words[number / 64] |= 1 << UInt64(number % 64) }
        return words
    }

    private static func number(_ text: Substring.UTF8View) -> Int? {
        let blank = UInt8(ascii: " ")
        var digits = text.drop { $0 == blank }
        while digits.last == blank { digits.removeLast() }
        guard digits.first.map({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) == true,
            let number = Int(Substring(digits)), number <= maximum
        else { return nil }
        return number
    }
}
