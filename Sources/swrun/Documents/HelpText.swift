/// The texts of `--help`.
enum Help {
    /// Where the descriptions of options and commands begin.
    private static let column = 28

    static var overview: String {
        var text = """
            Usage: swrun [GLOBAL OPTION...] COMMAND [OPTION...] [ARGUMENT...]

            swrun runs containers from OCI bundles: directories with a config.json and a
            root filesystem.

            Commands:

            """
        for verb in Verb.allCases { text += row("  " + verb.rawValue, verb.command.summary, column: 14) }
        text += "\nGlobal options, which stand before the command:\n"
        for option in GlobalOptions.table { text += row(option) }
        return text + "\nMore about a command: swrun COMMAND --help. The manual: swrun man | man -l -\n"
    }

    static func text(of command: Command) -> String {
        var text = "Usage: \(command.usage)\n\n\(command.name): \(command.summary)\n"
        for paragraph in command.details { text += "\n" + wrapped(paragraph) + "\n" }
        text += "\nOptions:\n"
        for option in command.options { text += row(option) }
        text += row(.help)
        if !command.examples.isEmpty { text += "\nExamples:\n" }
        for example in command.examples { text += "  # \(example.meaning)\n  \(example.command)\n" }
        return text
    }

    private static func row(_ option: Option) -> String {
        if option.isHidden { return "" }
        let short = option.short.map { "-\($0), " } ?? "    "
        let value = option.value.placeholder.map { " " + $0 } ?? ""
        let repeats = option.repeats ? "; may be repeated" : ""
        return row("  " + short + option.dashed + value, option.help + repeats, column: column)
    }

    /// The term, and the description in its column: on the next line where the term is too long.
    private static func row(_ term: String, _ description: String, column: Int) -> String {
        let room = column - term.count
        let gap = room >= 2 ? spaces(room) : "\n" + spaces(column)
        return term + gap + wrapped(description, indent: column) + "\n"
    }

}

/// The text with line breaks between words, for lines of 80 characters.
///
/// - Parameter indent: the column where every line begins; the first is taken to stand there already.
func wrapped(_ text: String, indent: Int = 0) -> String {
    var result = ""
    var column = indent
    for word in text.split(separator: " ") {
        if column > indent {
            let fits = column + 1 + word.count <= 80
            result += fits ? " " : "\n" + spaces(indent)
            column = fits ? column + 1 : indent
        }
        result += word
        column += word.count
    }
    return result
}

func spaces(_ count: Int) -> String { String(repeating: " ", count: count) }

extension String {
    /// The text with other words for some of its characters, as a format wants them escaped.
    func replacing(_ words: [Character: String]) -> String {
        var result = ""
        for character in self { result += words[character] ?? String(character) }
        return result
    }
}
