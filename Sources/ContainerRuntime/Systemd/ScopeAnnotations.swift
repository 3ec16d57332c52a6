internal import RuntimeSpec

/// Annotations that set properties of the container's scope: `org.systemd.property.NAME`, with a value in GVariant's text
/// format.
enum ScopeAnnotations {
    static let prefix = "org.systemd.property."

    static func properties(_ annotations: [KeyValue]) throws(RuntimeError) -> [ScopeProperty] {
        var properties: [ScopeProperty] = []
        for annotation in annotations where annotation.key.hasPrefix(prefix) {
            let place = "annotations[\"\(annotation.key)\"]"
            let name = String(annotation.key.dropFirst(prefix.utf8.count))
            guard name.utf8.count >= 3, name.utf8.allSatisfy({ UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 | 32 })
            else {
                throw RuntimeError(
                    at: place, "\"\(name)\" is no name of a property", nil, hint: "expected letters alone")
            }
            do throws(VariantFault) {
                properties.append(property(name, try VariantText.value(annotation.value)))
            } catch {
                throw RuntimeError(
                    at: place, "\"\(annotation.value)\" is no value of a property: \(error.text)", nil,
                    hint: "expected GVariant's text format, such as uint64 5, true, 'text' or ['a', 'b']")
            }
        }
        return properties
    }

    /// In files and on the command line, times are given in seconds ("TimeoutStopSec"), on the bus in microseconds.
    private static func property(_ name: String, _ value: BusValue) -> ScopeProperty {
        guard name.hasSuffix("Sec"), !name.hasSuffix("USec"), let microseconds = microseconds(value) else {
            return ScopeProperty(name, value)
        }
        return ScopeProperty("\(name.dropLast(3))USec", .uint64(microseconds))
    }

    private static func microseconds(_ value: BusValue) -> UInt64? {
        func scaled(_ seconds: some BinaryInteger) -> UInt64? {
            guard let seconds = UInt64(exactly: seconds) else { return nil }
            let (result, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
            return overflow ? .max : result
        }
        switch value {
        case .byte(let number): return scaled(number)
        case .int16(let number): return scaled(number)
        case .uint16(let number): return scaled(number)
        case .int32(let number): return scaled(number)
        case .uint32(let number): return scaled(number)
        case .int64(let number): return scaled(number)
        case .uint64(let number): return scaled(number)
        case .double(let number) where number >= 0 && number < 1e12: return UInt64(number * 1_000_000)
        default: return nil
        }
    }
}
