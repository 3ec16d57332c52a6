/// The manual page, in the language of mdoc(7).
enum ManualPage {
    static var text: String {
        """
        .Dd \(Version.date)
        .Dt SWRUN 8
        .Os
        .Sh NAME
        .Nm swrun
        .Nd run containers from OCI bundles
        .Sh SYNOPSIS
        .Nm
        .Op Ar GLOBAL-OPTION ...
        .Ar COMMAND
        .Op Ar OPTION ...
        .Op Ar ARGUMENT ...
        .Sh DESCRIPTION
        .Nm
        makes, starts, stops and removes containers as the OCI Runtime Specification
        describes them.
        A container comes from a bundle: a directory with a file
        .Pa config.json
        and a root filesystem.
        .Pp
        Container engines such as podman, docker and containerd call
        .Nm
        as they call any other OCI runtime; it can be used by hand as well.
        .Pp
        An option's value follows as the next argument, or after an equals sign.
        A flag may be followed by
        .Cm =true
        or
        .Cm =false .
        Options may stand before or after a command's arguments.
        .Sh GLOBAL OPTIONS
        Global options stand before the command.
        \(list(GlobalOptions.table)).Sh COMMANDS
        \(Verb.allCases.map { section(for: $0.command) }.joined())\(surroundings)
        """
    }

    private static func section(for command: Command) -> String {
        var text = ".Ss \(command.name)\n.Nm swrun\n.Cm \(command.name)\n"
        if command.options.contains(where: { !$0.isHidden }) { text += ".Op Ar OPTION ...\n" }
        for operand in command.operands {
            switch operand.presence {
            case .required: text += ".Ar \(operand.name)\n"
            case .optional: text += ".Op Ar \(operand.name)\n"
            case .anyNumber: text += ".Op Ar \(operand.name) ...\n"
            }
        }
        text += ".Pp\n" + sentence(command.summary)
        for paragraph in command.details { text += ".Pp\n" + sentences(paragraph) }
        text += list(command.options)
        for example in command.examples {
            text +=
                ".Pp\n" + sentences(example.meaning + ":")
                + ".Bd -literal -offset indent\n\(escaped(example.command))\n.Ed\n"
        }
        return text
    }

    private static func list(_ options: [Option]) -> String {
        var text = ""
        for option in options where !option.isHidden {
            let argument = option.value.placeholder.map { " Ar \($0)" } ?? ""
            let short = option.short.map { "Fl \($0)\(argument) , " } ?? ""
            text += ".It \(short)Fl -\(escaped(option.name.description))\(argument)\n" + sentence(option.help)
            if option.repeats { text += "The option may be repeated.\n" }
        }
        return text.isEmpty ? "" : ".Bl -tag -width Ds\n" + text + ".El\n"
    }

    /// A text of the table, which has neither a capital nor a full stop, as a sentence on a line.
    private static func sentence(_ text: String) -> String { sentences(text + ".") }

    /// A new line for every sentence, as the language wants it, and lines of the usual length.
    private static func sentences(_ text: String) -> String {
        var result = ""
        var sentence = ""
        for word in capitalized(escaped(text)).split(separator: " ") {
            sentence += (sentence.isEmpty ? "" : " ") + word
            if word.hasSuffix(".") {
                result += lines(sentence)
                sentence = ""
            }
        }
        return result + lines(sentence)
    }

    /// The text in lines of the usual length, none of which can be taken for a request.
    private static func lines(_ text: String) -> String {
        var result = ""
        for line in wrapped(text).split(separator: "\n") {
            result += (line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" : "") + line + "\n"
        }
        return result
    }

    private static func capitalized(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    /// Plain text: a backslash is one, and a dash is what one types.
    private static func escaped(_ text: String) -> String {
        text.replacing(["\\": "\\e", "-": "\\-"])
    }

    private static let surroundings = """
        .Sh ENVIRONMENT
        .Bl -tag -width Ds
        .It Ev LISTEN_FDS
        The number of descriptors after standard error that are passed on to the
        container, see
        .Xr sd_listen_fds 3 .
        .It Ev NOTIFY_SOCKET
        The socket to which the container may report that it is ready, see
        .Xr sd_notify 3 .
        .It Ev SWRUN_RESCTRL
        A directory that stands in for a mounted resctrl, for tests on machines
        without resource control.
        .It Ev XDG_RUNTIME_DIR
        The directory that holds the state of an ordinary user's containers.
        .El
        .Sh FILES
        .Bl -tag -width Ds
        .It Pa /run/swrun
        The state of containers, where
        .Fl -root
        names no other place.
        .It Pa config.json
        What a container consists of, in the bundle.
        .El
        .Sh EXIT STATUS
        .Nm
        exits 0 on success and 1 when the command fails.
        In the foreground
        .Cm run
        exits with the status of the container's process, or with 128 and the number
        of the signal that ended it.
        .Sh DIAGNOSTICS
        An error is one line on standard error, which names what failed, where, and
        what can be done.
        With
        .Fl -log
        it is in the log too.
        A command that fails adds exactly one line to the log unless
        .Fl -debug
        or
        .Fl -log-level
        asks for more; warnings are logged when the command has succeeded.
        .Sh SEE ALSO
        .Xr capabilities 7 ,
        .Xr cgroups 7 ,
        .Xr namespaces 7
        .Sh STANDARDS
        The OCI Runtime Specification, version \(Version.specification).

        """
}
