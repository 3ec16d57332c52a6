internal import Glibc

/// An extended regular expression, regex(7).
package struct Pattern: ~Copyable {
    private var compiled = regex_t()

    /// - Throws: what regcomp(3) says about the expression.
    package init(_ text: String) throws(SystemError) {
        let result = regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB)
        guard result == 0 else {
            var reason = [CChar](repeating: 0, count: 256)
            _ = regerror(result, &compiled, &reason, reason.count)
            let text = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw SystemError("regcomp", String(decoding: text, as: UTF8.self), .invalid)
        }
    }

    deinit {
        var copy = compiled
        regfree(&copy)
    }

    package borrowing func matches(_ text: String) -> Bool {
        var copy = compiled
        return regexec(&copy, text, 0, nil, 0) == 0
    }
}
