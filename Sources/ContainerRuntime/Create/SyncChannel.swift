internal import LinuxSystem

/// The conversation between the process that creates a container (host) and the container's first process (init), over
/// one connection that keeps messages apart and that the kernel closes when either ends.
///
///     host                                     init
///     id mappings              --idsMapped-->  (user namespace only)
///     cgroups                                  root filesystem
///                              --admitted-->   (where init is not born in all its cgroups) cgroup mount, devices
///     prestart, createRuntime  <--mounted--    (only when create has hooks)
///                              --proceed-->    createContainer hooks, pivot, credentials, seccomp
///     terminal, listener       <--...--        descriptors travel on connections of their own
///     state.json, pid file     <--ready--      (create) waits on exec.fifo
///                              --start-->      (run) waits here instead
///     report                   <--failed--     at any time; end of file: init died, or execve(2) succeeded
///
/// A message is one byte that says which, and for `failed` and `warning` the text.
enum HostMessage: UInt8 {
    case idsMapped = 1, proceed, start
    /// Carries the descriptors through which init enters its cgroups (`CgroupEntrance`).
    case admitted
}

enum InitMessage: Equatable {
    case mounted
    case ready
    case seccompListener(descriptor: Int32)
    case warning(String)
    case failed(RuntimeError)
    /// The other end is closed: init has ended, or has become the container's program.
    case closed

    var bytes: [UInt8] {
        switch self {
        case .mounted: [1]
        case .ready: [2]
        case .seccompListener(let number): [3] + Array("\(number)".utf8)
        case .warning(let text): [4] + text.utf8.prefix(7000)
        case .failed(let error): [5, UInt8(truncatingIfNeeded: error.exitCode)] + error.message.utf8.prefix(7000)
        case .closed: []
        }
    }

    init(_ bytes: [UInt8]) {
        func text(from start: Int) -> String { String(decoding: bytes.dropFirst(start), as: UTF8.self) }
        switch bytes.first {
        case 1: self = .mounted
        case 2: self = .ready
        case 3: self = .seccompListener(descriptor: Int32(text(from: 1)) ?? -1)
        case 4: self = .warning(text(from: 1))
        case 5 where bytes.count > 1: self = .failed(RuntimeError(text(from: 2), exitCode: Int32(bytes[1])))
        default: self = .closed
        }
    }
}

/// Init's end of the conversation.
struct InitChannel: ~Copyable {
    let socket: MessageSocket

    borrowing func send(_ message: InitMessage) throws(RuntimeError) {
        // With write(2) and read(2): both come after the filter is loaded, and no program can do without these two.
        let bytes = message.bytes
        try explain("cannot report to the creating process") { () throws(SystemError) in
            try writeWhole(socket.descriptor.rawValue, bytes)
        }
    }

    /// Waits for `expected`. When the host side is gone, nobody wants this container any more.
    borrowing func wait(for expected: HostMessage) throws(RuntimeError) {
        let bytes = try explain("cannot hear from the creating process") { () throws(SystemError) in
            try readBytes(socket.descriptor.rawValue, upTo: 64)
        }
        guard bytes.first == expected.rawValue else { throw RuntimeError("the creating process has ended") }
    }

    /// Waits until the container's cgroups are there.
    borrowing func waitForEntrance() throws(RuntimeError) -> CgroupEntrance {
        let (bytes, files) = try explain("cannot hear from the creating process") { () throws(SystemError) in
            try socket.receiveWithDescriptors(limit: 64)
        }
        guard bytes.first == HostMessage.admitted.rawValue else { throw RuntimeError("the creating process has ended") }
        return CgroupEntrance(birthCgroup: nil, files: files)
    }
}

/// The host's end.
struct HostChannel: ~Copyable {
    let socket: MessageSocket

    var number: Int32 { socket.descriptor.rawValue }

    borrowing func send(_ message: HostMessage) throws(SystemError) { try socket.send([message.rawValue]) }

    borrowing func send(_ entrance: borrowing CgroupEntrance) throws(SystemError) {
        try socket.send([HostMessage.admitted.rawValue], passing: entrance.descriptors)
    }

    borrowing func receive() throws(SystemError) -> InitMessage { InitMessage(try socket.receive()) }
}
