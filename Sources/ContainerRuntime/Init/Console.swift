internal import LinuxSystem
internal import RuntimeSpec

/// Gives the container's process a terminal (config.md, `process.terminal`): a new pseudoterminal of the container's own
/// devpts, whose master goes to whoever waits on `receiver`, and whose slave becomes /dev/console.
struct ConsoleSetup {
    /// A connected socket that takes the master (SCM_RIGHTS).
    let receiver: Int32
    let size: ConsoleSize?
    let ownerID: UInt32
    /// Whether /dev/ptmx is still the host's, for a container without devpts.
    var mayUseHost = true

    /// Before the root is changed: opens the pair and mounts the slave on /dev/console.
    func open(in root: borrowing RootDirectory, mountConsole: Bool) throws(RuntimeError) -> Terminal {
        let hint = mayUseHost ? nil : "the container needs a devpts on /dev/pts"
        let terminal = try explain("cannot open a terminal", hint: hint) { () throws(SystemError) in
            try Terminal(multiplexer: try pseudoterminal(in: root))
        }
        if let size {
            try explain("cannot set the size of the terminal", at: "process.consoleSize") { () throws(SystemError) in
                try terminal.slave.setTerminalSize(
                    rows: UInt16(clamping: size.height), columns: UInt16(clamping: size.width))
            }
        }
        if mountConsole {
            try explain("cannot mount the terminal on /dev/console") { () throws(SystemError) in
                let dev = try root.openMaking(.directory, "/dev")
                do throws(SystemError) {
                    try dev.makeFile("console", mode: 0o666)
                } catch {
                    guard error.errno == .exists else { throw error }
                }
                let target = try FileDescriptor.open("console", .entry, at: dev.rawValue)
                try DetachedMount.clone(of: terminal.slave, subject: "/dev/console").attach(
                    to: target, subject: "/dev/console")
            }
        }
        return terminal
    }

    /// The container's own multiplexer, proven to be one; a container without devpts gets a terminal of the host.
    private func pseudoterminal(in root: borrowing RootDirectory) throws(SystemError) -> FileDescriptor {
        let flags: OpenFlags = [.readWrite, .noControllingTerminal]
        if let place = try root.openIfPresent("/dev/pts", .place, .noLinks),
            try place.filesystemMagic() == devptsMagic
        {
            return try FileDescriptor.open("ptmx", flags.union(.noFollow), at: place.rawValue)
        }
        guard mayUseHost else { throw SystemError("open", "/dev/pts/ptmx", .noDevice) }
        return try FileDescriptor.open("/dev/ptmx", flags)
    }

    /// After the root was changed: hands the master over, and makes the slave this process's terminal and its standard
    /// input, output and error.
    func attach(_ terminal: consuming Terminal) throws(RuntimeError) {
        try explain("cannot hand over the terminal", at: "process.terminal") { () throws(SystemError) in
            try sendDescriptor(terminal.master.rawValue, over: receiver, name: "/dev/ptmx")
            try terminal.slave.makeControllingTerminal()
            if ownerID != 0 { try terminal.slave.changeOwner("", uid: ownerID, gid: .max) }
            for number in Int32(0)...2 { try place(terminal.slave.rawValue, as: number) }
        }
    }
}
