@preconcurrency internal import CLinux
internal import ContainerRuntime
@preconcurrency internal import Glibc

/// The arguments of a program as C has them; element 0 is the name that getopt_long skips.
typealias ArgumentVector = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

extension Arguments {
    /// Reads options and operands with getopt_long.
    ///
    /// What was read before an error stays readable, so that the error can go to the log file named before it.
    ///
    /// - Parameters:
    ///   - vector: `count` strings, the first of which is skipped.
    ///   - stops: whether the first operand ends the options; otherwise they may stand anywhere.
    /// - Returns: the index of the first string not read.
    func parse(_ vector: ArgumentVector, count: Int32, stops: Bool) throws(RuntimeError) -> Int32 {
        let table = GetoptTable(options, stops: stops)
        defer { table.free() }
        if options.contains(where: { $0.isSame(as: .noSubreaper) }) { Self.addDash(vector, count) }
        opterr = 0
        optind = 0  // glibc: start anew
        while true {
            let at = Int(max(optind, 1))
            let code = getopt_long(count, vector, table.shorts, table.longs, nil)
            if code == -1 { return optind }
            try take(code, word: Self.text(vector[at]))
        }
    }

    /// containerd's shim asks for `restore -no-subreaper`. Go's programs take one dash for two; here that would be letters,
    /// each an option.
    private static func addDash(_ vector: ArgumentVector, _ count: Int32) {
        let meant: StaticString = "--no-subreaper"
        for index in 0..<Int(count) {
            guard let word = vector[index], strcmp(word, meant.cString + 1) == 0 else { continue }
            vector[index] = UnsafeMutablePointer(mutating: meant.cString)  // getopt_long only reads it
        }
    }

    /// Takes the strings from `start` on as operands, whatever they look like.
    func add(operandsOf vector: ArgumentVector, from start: Int32, to count: Int32) throws(RuntimeError) {
        let followsDashes = start > 0 && start <= count && Self.isDashes(vector[Int(start) - 1])
        var index = start
        while index < count {
            add(operand: try Self.text(vector[Int(index)]), afterDashes: followsDashes)
            index += 1
        }
    }

    /// Deals with one answer of getopt_long. `word` is the string it was found in.
    private func take(_ code: Int32, word: String) throws(RuntimeError) {
        let isLong = word.utf8.count > 2 && word.hasPrefix("--")
        switch code {
        case 1:
            add(operand: try Self.text(optarg))
        case Int32(UInt8(ascii: "?")):
            throw unknown(isLong ? word : "-" + Self.character(optopt))
        default:
            let isMissing = code == Int32(UInt8(ascii: ":"))
            guard let index = index(of: isMissing ? optopt : code) else { throw unknown(word) }
            let found = options[index]
            let spelling = isLong ? Self.name(of: word) : "-" + Self.character(found.short.map { Int32($0.value) } ?? 0)
            // getopt_long takes any unambiguous beginning of a name. A script that uses one breaks when an option
            // is added, and runc takes none.
            if isLong, spelling != found.dashed, spelling != found.alias.map({ "--" + $0.description }) {
                throw unknown(spelling)
            }
            if isMissing {
                let placeholder = found.value.placeholder ?? ""
                throw RuntimeError("option \(spelling) requires an argument: \(placeholder)")
            }
            if found.isSame(as: .help) { return askForHelp() }
            try add(found, optarg == nil ? nil : Self.text(optarg), spelling: spelling)
        }
    }

    /// The row of the table that getopt_long means.
    private func index(of code: Int32) -> Int? {
        if code >= GetoptTable.firstLong { return Int(code - GetoptTable.firstLong) }
        for (index, option) in options.enumerated() where option.short.map({ Int32($0.value) }) == code {
            return index
        }
        return nil
    }

    private func unknown(_ word: String) -> RuntimeError {
        let name = Self.name(of: word)
        for global in GlobalOptions.table where global.dashed == name {
            return RuntimeError("option \(name) stands before the command: swrun \(name) ... COMMAND")
        }
        var names: [String] = []
        for option in options where !option.isHidden { names.append(option.dashed) }
        let hint = nearest(to: name, in: names).map { " (did you mean \($0)?)" } ?? ""
        return RuntimeError("unknown option \(name)\(hint)")
    }

    /// `--name` of `--name=value`
    private static func name(of word: String) -> String {
        guard let equals = word.utf8.firstIndex(of: UInt8(ascii: "=")) else { return word }
        return String(word[..<equals])
    }

    private static func character(_ code: Int32) -> String {
        guard let byte = UInt8(exactly: code), byte < 0x80 else { return "?" }
        return String(Unicode.Scalar(byte))
    }

    private static func isDashes(_ pointer: UnsafeMutablePointer<CChar>?) -> Bool {
        guard let pointer else { return false }
        return strcmp(pointer, "--") == 0
    }

    /// A string of the vector. Paths end up in JSON documents, which hold UTF-8 only.
    private static func text(_ pointer: UnsafeMutablePointer<CChar>?) throws(RuntimeError) -> String {
        guard let pointer else { return "" }
        guard let text = String(validatingCString: pointer) else {
            throw RuntimeError("argument \"\(String(cString: pointer))\" is not UTF-8 text")
        }
        return text
    }
}

/// The option table in the form that getopt_long reads. In memory of its own and not in arrays: the first array of
/// each type costs more time than all the parsing.
private struct GetoptTable {
    /// Values that getopt_long gives back for long options start here, out of the reach of characters.
    static let firstLong: Int32 = 256

    let shorts: UnsafeMutablePointer<CChar>
    let longs: UnsafeMutablePointer<option>

    init(_ options: [Option], stops: Bool) {
        shorts = .allocate(capacity: 2 * options.count + 3)
        longs = .allocate(capacity: 2 * options.count + 1)
        // "+" stops at the first operand, "-" hands operands out in their place; neither reorders the vector nor
        // heeds POSIXLY_CORRECT. ":" tells a missing value from an unknown option.
        shorts[0] = CChar(UInt8(ascii: stops ? "+" : "-"))
        shorts[1] = CChar(UInt8(ascii: ":"))
        var (shortCount, longCount) = (2, 0)
        for (index, row) in options.enumerated() {
            var argument = required_argument
            if case .flag = row.value { argument = optional_argument }
            let code = Self.firstLong + Int32(index)
            longs[longCount] = option(name: row.name.cString, has_arg: argument, flag: nil, val: code)
            longCount += 1
            if let alias = row.alias {
                longs[longCount] = option(name: alias.cString, has_arg: argument, flag: nil, val: code)
                longCount += 1
            }
            if let short = row.short {
                shorts[shortCount] = CChar(truncatingIfNeeded: short.value)
                shortCount += 1
                // A flag's value follows its long name only: -dq is two flags.
                if argument == required_argument {
                    shorts[shortCount] = CChar(UInt8(ascii: ":"))
                    shortCount += 1
                }
            }
        }
        shorts[shortCount] = 0
        longs[longCount] = option()
    }

    func free() {
        shorts.deallocate()
        longs.deallocate()
    }
}

extension StaticString {
    /// The text as C has it; literals end in a zero byte.
    fileprivate var cString: UnsafePointer<CChar> {
        UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
