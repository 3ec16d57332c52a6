/// One option of the command line: a row of the option table, which parsing, help, the manual page and the shell
/// completions all read.
///
/// Every option is a static constant. The same constant stands in a command's table and in the look-up of its value
/// (`arguments[.pidFile]`), so a misspelt name does not compile.
struct Option: Sendable {
    /// The long name without its dashes. `StaticString`, because getopt_long wants a C string that stays in place.
    let name: StaticString
    let short: Unicode.Scalar?
    let value: Value
    /// One sentence without a full stop, which follows the option in help and manual page.
    let help: String
    /// A second long name, accepted and never shown.
    let alias: StaticString?
    /// Whether giving the option several times adds up; otherwise the last one counts, as in runc.
    let repeats: Bool
    /// Accepted for the sake of callers that pass it, but left out of help, manual page and completions.
    let isHidden: Bool

    init(
        _ name: StaticString, _ short: Unicode.Scalar? = nil, _ value: Value = .flag, alias: StaticString? = nil,
        repeats: Bool = false, isHidden: Bool = false, help: String
    ) {
        self.name = name
        self.short = short
        self.value = value
        self.help = help
        self.alias = alias
        self.repeats = repeats
        self.isHidden = isHidden
    }

    /// What follows the option's name. The text is the placeholder that help shows.
    enum Value: Sendable {
        /// Nothing, or `=true` and `=false`, as Go programs write them.
        case flag
        case text(String)
        /// A whole number from 0 to `Int32.max`.
        case number(String)
        case file(String)
        case directory(String)
        /// One of the words between the bars, and nothing else: `text|json`.
        case choice(String)

        /// The text shown behind the option's name; nil for a flag.
        var placeholder: String? {
            switch self {
            case .flag: nil
            case .text(let text), .number(let text), .file(let text), .directory(let text), .choice(let text): text
            }
        }
    }

    /// `--name`, as messages and documents write it.
    var dashed: String { "--" + name.description }

    /// Whether both are the same row of the table. Names are unique within a command and within the global options.
    func isSame(as other: Option) -> Bool {
        name.utf8CodeUnitCount == other.name.utf8CodeUnitCount && name.description == other.name.description
    }
}
