internal import LinuxSystem
internal import RuntimeSpec

/// Carries a program's readiness messages (sd_notify(3)) to the service manager that started the runtime and left the
/// address of its socket in NOTIFY_SOCKET. The manager does not take messages from inside a container: this process,
/// which it knows, passes them on and says which process is the service.
///
/// The container sees a directory of its state, /run/notify, in which `start` binds a socket.
enum NotifySocket {
    static let variable = "NOTIFY_SOCKET"
    static let directoryInContainer = "/run/notify"
    static let pathInContainer = "/run/notify/notify.sock"
    static let directoryName = "notify"

    /// The manager's socket; nil when nobody asked.
    static var manager: String? {
        guard let path = environmentVariable(variable), !path.isEmpty else { return nil }
        return path
    }

    /// The mount that a container gets whose creator has such a manager.
    static func mount(from stateDirectory: String) -> Mount {
        Mount(
            destination: directoryInContainer, type: "bind", source: "\(stateDirectory)/\(directoryName)",
            options: ["bind", "nosuid", "noexec", "nodev", "ro"])
    }
}

/// The bound socket of one container.
struct NotifyRelay: ~Copyable {
    let socket: FileDescriptor
    private let manager: String
    private let pid: Int32

    /// Nil when there is no manager, or the container was created without one.
    static func bind(in state: borrowing StateDirectory, pid: Int32) throws(RuntimeError) -> NotifyRelay? {
        guard let manager = NotifySocket.manager, state.exists(NotifySocket.directoryName) else { return nil }
        let state = state.descriptor.rawValue
        return try explain("cannot make the socket for readiness messages") { () throws(SystemError) in
            let directory = try FileDescriptor.open(
                NotifySocket.directoryName, .placeItself, at: state)
            let socket = try bindDatagramSocket("notify.sock", in: directory)
            setNonBlocking(socket.rawValue)
            return NotifyRelay(socket: socket, manager: manager, pid: pid)
        }
    }

    private init(socket: consuming FileDescriptor, manager: String, pid: Int32) {
        self.socket = socket
        self.manager = manager
        self.pid = pid
    }

    /// Passes on what has come. True once the program said that it is ready; the manager then learns which process it is.
    borrowing func forward() -> Bool {
        var isReady = false
        // A program that sends without end does not keep this process from its other work.
        for _ in 0..<16 {
            guard let message = try? readAvailable(socket.rawValue, upTo: 4096), !message.isEmpty else { break }
            let lines = message.split(separator: UInt8(ascii: "\n")).filter(Self.mayPass)
            if lines.isEmpty { continue }
            let saysReady = lines.contains { $0.elementsEqual("READY=1".utf8) }
            isReady = isReady || saysReady
            let text = Array((saysReady ? "MAINPID=\(pid)\n" : "").utf8) + lines.joined(separator: "\n".utf8)
            // A manager that went away does not concern the container.
            try? sendDatagram(text, to: manager)
        }
        return isReady
    }

    /// The manager takes what this process says as said by the service itself: of the container's words only those pass
    /// that are about the service's own condition (sd_notify(3)), not those that name processes or keep descriptors.
    private static func mayPass(_ line: ArraySlice<UInt8>) -> Bool {
        ["READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1"].contains { line.elementsEqual($0.utf8) }
            || line.starts(with: "STATUS=".utf8)
    }

    /// Until the program is ready, or has ended.
    borrowing func waitUntilReady(process: borrowing FileDescriptor) throws(RuntimeError) {
        while true {
            let ended = try explain("cannot wait for readiness messages") { () throws(SystemError) in
                try waitForEither(socket.rawValue, process.rawValue)
            }
            if forward() || ended { return }
        }
    }
}

extension Optional where Wrapped == NotifyRelay {
    var number: Int32? {
        switch self {
        case .some(let relay): relay.socket.rawValue
        case .none: nil
        }
    }
}
