internal import ContainerRuntime

/// What the command line gave: the values of the options of one table, and the operands.
final class Arguments {
    private struct Given {
        let option: Option
        let value: String
    }

    /// The table; the parser reads it.
    let options: [Option]
    private var given: [Given] = []
    private(set) var operands: [String] = []
    /// How many operands stand before `--`; all of them where there is none.
    private(set) var operandsBeforeDashes = 0
    /// `--help` was among the options.
    private(set) var wantsHelp = false

    init(options: [Option]) {
        self.options = options
    }

    /// The value of an option; nil when it was not given or given empty, which Go programs mean as not given.
    subscript(option: Option) -> String? {
        let last = text(option)
        return last?.isEmpty == true ? nil : last
    }

    /// The value of an option, an empty one too; nil when it was not given.
    func text(_ option: Option) -> String? {
        assert(options.contains { $0.isSame(as: option) }, "\(option.dashed) is not in the command's table")
        var last: String?
        for entry in given where entry.option.isSame(as: option) { last = entry.value }
        return last
    }

    /// Every value of an option that repeats, in the order given.
    func all(_ option: Option) -> [String] {
        assert(option.repeats && options.contains { $0.isSame(as: option) })
        var values: [String] = []
        for entry in given where entry.option.isSame(as: option) { values.append(entry.value) }
        return values
    }

    /// Every value of an option, whether or not it repeats.
    func values(_ option: Option) -> [String] {
        var values: [String] = []
        for entry in given where entry.option.isSame(as: option) { values.append(entry.value) }
        return values
    }

    /// Whether a flag is set.
    func has(_ flag: Option) -> Bool { self[flag] == "true" }

    /// The value of an option that takes a number; nil when it was not given.
    func number(_ option: Option) -> Int32? {
        guard let text = self[option] else { return nil }
        return Int32(text)
    }

    func add(operand: String, afterDashes: Bool = false) {
        operands.append(operand)
        if !afterDashes { operandsBeforeDashes += 1 }
    }

    func askForHelp() { wantsHelp = true }

    /// Records a value after looking at it.
    ///
    /// - Parameters:
    ///   - text: nil where a flag stands alone.
    ///   - spelling: the option as the user wrote it, for the message.
    func add(_ option: Option, _ text: String?, spelling: String) throws(RuntimeError) {
        let value = text ?? "true"
        switch option.value {
        case .flag:
            switch value {
            // The words of Go's strconv.ParseBool, which is what runc accepts.
            case "1", "t", "T", "true", "TRUE", "True": given.append(Given(option: option, value: "true"))
            case "0", "f", "F", "false", "FALSE", "False": given.append(Given(option: option, value: "false"))
            default: throw RuntimeError("option \(spelling) is true or false, not \"\(value)\"")
            }
            return
        case .number:
            guard let number = Int32(value), number >= 0 else {
                throw RuntimeError("option \(spelling) needs a whole number, 0 or more, not \"\(value)\"")
            }
        case .choice(let words):
            guard isChoice(value, of: words) else {
                throw RuntimeError("option \(spelling) must be one of \(words), not \"\(value)\"")
            }
        case .text, .file, .directory:
            break
        }
        given.append(Given(option: option, value: value))
    }
}

/// Whether the word is one of those between the bars of `words`.
func isChoice(_ word: String, of words: String) -> Bool {
    for choice in words.split(separator: "|") where choice == word { return true }
    return false
}
