internal import ContainerRuntime

/// The commands, in the order in which help lists them: the life of a container first.
///
/// Adding one is adding its file `Commands/<Verb>.swift` and its two lines here.
enum Verb: String, CaseIterable {
    case create, start, run, exec, launch
    case state, list, kill, delete
    case pause, resume, ps, events, update
    case checkpoint, restore, mounts
    case spec, bundle, features
    case man, completion, help

    /// The command's row of the table. Only the one asked for is built.
    var command: Command {
        switch self {
        case .create: .create
        case .start: .start
        case .run: .run
        case .exec: .exec
        case .launch: .launch
        case .state: .state
        case .list: .list
        case .kill: .kill
        case .delete: .delete
        case .pause: .pause
        case .resume: .resume
        case .ps: .ps
        case .events: .events
        case .update: .update
        case .checkpoint: .checkpoint
        case .restore: .restore
        case .mounts: .mounts
        case .spec: .spec
        case .bundle: .bundle
        case .features: .features
        case .man: .man
        case .completion: .completion
        case .help: .help
        }
    }
}

/// A command of `swrun`: one row of the command table.
struct Command: Sendable {
    let verb: Verb
    /// What it does, in one line without a full stop.
    let summary: String
    /// Paragraphs for help and the manual page, where the summary leaves something to say.
    var details: [String] = []
    var operands: [Operand] = []
    /// What the options mean is the table's affair; `--help` is accepted by every command and not listed here.
    var options: [Option] = []
    var examples: [Example] = []
    /// Whether everything from the first operand on belongs to another program (`exec ID ls -l`). Otherwise options
    /// may follow operands (`delete ID --force`).
    var stopsAtFirstOperand = false
    /// Engines read what the command prints on stdout and stderr together and parse it: no warning may slip in.
    var isParsed = false
    /// Does the work; gives the exit status.
    let run: @Sendable (Invocation) throws(RuntimeError) -> Int32

    var name: String { verb.rawValue }

    static func named(_ name: String) throws(RuntimeError) -> Command {
        if let verb = Verb(rawValue: name) { return verb.command }
        let hint = nearest(to: name, in: Verb.allCases.map(\.rawValue)).map { " (did you mean \($0)?)" } ?? ""
        throw RuntimeError("unknown command \"\(name)\"\(hint); see 'swrun --help'")
    }

    /// An argument that is no option.
    struct Operand: Sendable {
        let name: String
        let kind: Kind
        let presence: Presence

        /// What it names, for the completions.
        enum Kind: Sendable { case container, signal, command, choice(String), other }
        enum Presence: Sendable { case required, optional, anyNumber }

        /// A container that exists.
        static let container = Operand(name: "CONTAINER-ID", kind: .container, presence: .required)
        /// The id of a container to be.
        static let newContainer = Operand(name: "CONTAINER-ID", kind: .other, presence: .required)

        /// The name as a usage line shows it.
        var usage: String {
            switch presence {
            case .required: name
            case .optional: "[\(name)]"
            case .anyNumber: "[\(name)...]"
            }
        }
    }

    struct Example: Sendable {
        let command: String
        let meaning: String
    }

    /// `swrun create [OPTION...] CONTAINER-ID`
    var usage: String {
        var line = "swrun " + name
        if options.contains(where: { !$0.isHidden }) { line += " [OPTION...]" }
        for operand in operands { line += " " + operand.usage }
        return line
    }

    /// Refuses a wrong number of operands, and words that are none of an operand's choices.
    func check(operands given: [String]) throws(RuntimeError) {
        var least = 0
        var most = 0
        var names: [String] = []
        for operand in operands {
            names.append(operand.usage)
            switch operand.presence {
            case .required: (least, most) = (least + 1, most + 1)
            case .optional: most += 1
            case .anyNumber: most = Int.max
            }
        }
        guard given.count < least || given.count > most else {
            for (operand, word) in zip(operands, given) {
                guard case .choice(let words) = operand.kind, !isChoice(word, of: words) else { continue }
                throw RuntimeError("\(operand.name) must be one of \(words), not \"\(word)\"")
            }
            return
        }
        let wanted =
            if most == 0 {
                "takes no arguments"
            } else if least == most {
                "requires exactly \(least) argument\(least == 1 ? "" : "s"): " + names.joined(separator: " ")
            } else if given.count < least {
                "requires at least \(least) argument\(least == 1 ? "" : "s"): " + names.joined(separator: " ")
            } else {
                "takes at most \(most) arguments: " + names.joined(separator: " ")
            }
        let surplus = given.count > most ? "; not expected: \"\(given[most])\"" : ""
        throw RuntimeError(wanted + surplus)
    }
}

/// What was given to a command. A class, as `Arguments` is: both are passed on by every command, and their copies would
/// have the runtime of Swift make types first.
final class Invocation {
    let arguments: Arguments
    let global: GlobalOptions
    let report: Report

    init(arguments: Arguments, global: GlobalOptions, report: Report) {
        self.arguments = arguments
        self.global = global
        self.report = report
    }
}
