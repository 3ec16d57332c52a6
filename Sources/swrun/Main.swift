internal import ContainerRuntime
internal import Glibc
internal import LinuxSystem

@main
struct Main {
    static func main() {
        openStandardStreams()
        exit(run(CommandLine.unsafeArgv, count: CommandLine.argc))
    }

    /// Runs what the command line asks for.
    ///
    /// - Parameter vector: `count` strings, the first of which is the program's name.
    /// - Returns: the exit status.
    static func run(_ vector: ArgumentVector, count: Int32) -> Int32 {
        let globals = Arguments(options: GlobalOptions.table)
        let parsed = Result { () throws(RuntimeError) -> Int32 in try globals.parse(vector, count: count, stops: true) }
        // Made from what was read, be it all or not: an error on the command line belongs in the log too.
        let report = Report(globals)
        do throws(RuntimeError) {
            let status = try run(vector, count: count, from: try parsed.get(), globals, report)
            report.flush()
            return status
        } catch {
            report.fail(error)
            return error.exitCode
        }
    }

    /// Finds the command at `index`, reads its part of the command line and runs it.
    private static func run(
        _ vector: ArgumentVector, count: Int32, from index: Int32, _ globals: Arguments, _ report: Report
    ) throws(RuntimeError) -> Int32 {
        if globals.has(.version) {
            try output(Version.text)
            return 0
        }
        if globals.wantsHelp || index >= count {
            try output(Help.overview)
            return 0
        }
        let command = try Command.named(vector[Int(index)].map { String(cString: $0) } ?? "")
        report.isParsed = command.isParsed
        let arguments = try command.read(vector + Int(index), count: count - index)
        if arguments.wantsHelp {
            try output(Help.text(of: command))
            return 0
        }
        report.debug("swrun \(command.name) \(arguments.operands.joined(separator: " "))")
        return try command.run(Invocation(arguments: arguments, global: try GlobalOptions(globals), report: report))
    }
}

extension Command {
    /// The command's own part of the command line. `vector` begins with the command's name.
    fileprivate func read(_ vector: ArgumentVector, count: Int32) throws(RuntimeError) -> Arguments {
        let arguments = Arguments(options: options + [.help])
        do throws(RuntimeError) {
            let rest = try arguments.parse(vector, count: count, stops: stopsAtFirstOperand)
            try arguments.add(operandsOf: vector, from: rest, to: count)
            if !arguments.wantsHelp { try check(operands: arguments.operands) }
        } catch {
            throw RuntimeError("\(name): \(error.message); see 'swrun \(name) --help'", exitCode: error.exitCode)
        }
        return arguments
    }
}
