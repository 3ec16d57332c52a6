internal import LinuxSystem
internal import RuntimeSpec

/// Who receives the container's terminal: an engine, at the socket it named, or this process, which then stands
/// between the terminal and its own.
struct HostConsole: ~Copyable {
    /// What init needs to know; nil without a terminal.
    let setup: ConsoleSetup?
    private let sendingEnd: FileDescriptor?
    private var receivingEnd: MessageSocket?

    init(socket path: String?, _ process: Process?) throws(RuntimeError) {
        guard let process, process.terminal else {
            setup = nil
            sendingEnd = nil
            receivingEnd = nil
            return
        }
        let sender: FileDescriptor
        if let path {
            sender = try explain("--console-socket", hint: "somebody must listen at this unix socket") {
                () throws(SystemError) in try connectUnixSocket(path)
            }
            receivingEnd = nil
        } else {
            let (ours, theirs) = try explain("cannot make a connection for the terminal") { () throws(SystemError) in
                try MessageSocket.pair()
            }
            sender = FileDescriptor(owning: theirs)
            receivingEnd = MessageSocket(FileDescriptor(owning: ours))
        }
        setup = ConsoleSetup(receiver: sender.rawValue, size: process.consoleSize, ownerID: process.user.uid)
        sendingEnd = consume sender
    }

    /// The terminal's master, of a container in the foreground. Init has sent it before it said that it is ready.
    mutating func receive() throws(RuntimeError) -> FileDescriptor? {
        guard let socket = receivingEnd.take() else { return nil }
        return try explain("cannot receive the terminal") { () throws(SystemError) in try socket.receiveDescriptor() }
    }
}
