internal import LinuxSystem
internal import RuntimeSpec

/// A running systemd, which makes and removes scopes for containers (org.freedesktop.systemd1(5)).
final class Systemd {
    /// The system's one, or that of the user, in which ordinary users may do the same.
    enum Kind: String, SpecWord {
        case system, user

        static let noun: StaticString = "systemd instance"

        /// In a user namespace this is not the system's root, whatever its number is.
        static var own: Kind { effectiveUserID() == 0 && !isInUserNamespace() ? .system : .user }
    }

    private static let name = "org.freedesktop.systemd1"
    private static let path = "/org/freedesktop/systemd1"
    private static let manager = "org.freedesktop.systemd1.Manager"
    private static let properties = "org.freedesktop.DBus.Properties"

    private let bus: BusConnection
    private let kind: Kind
    private let seconds: Int64

    // MARK: - Connecting

    /// - Parameter signals: which end the wait for its answers, where the command blocks them
    /// - Throws: when no systemd is in reach, with what to do about it
    init(_ kind: Kind, interruptedBy signals: SignalSet = Interruption.signals) throws(RuntimeError) {
        self.kind = kind
        seconds = Self.patience
        var failures: [String] = []
        for address in BusAddress.all(of: kind) {
            do throws(BusFailure) {
                let bus = try BusConnection(
                    address.path, milliseconds: seconds * 1000, interruptedBy: signals)
                if address.isBus { try Self.introduce(bus) }
                self.bus = bus
                return
            } catch {
                if case .interrupted(let signal) = error { throw .interrupted(by: signal) }
                failures.append("\(address.path): \(Self.text(error, seconds))")
                // Who has waited in vain does not do it again at the next address.
                if error == .timeout { break }
            }
        }
        throw RuntimeError(
            "cannot reach the \(kind == .user ? "user's " : "")systemd, which is to make the container's cgroup: "
                + (failures.isEmpty ? "there is no address for it" : failures.joined(separator: "; ")),
            hint: kind == .system
                ? "is systemd running here? else use --cgroup-manager cgroupfs"
                : "set XDG_RUNTIME_DIR or DBUS_SESSION_BUS_ADDRESS (loginctl enable-linger starts a systemd for this "
                    + "user), or use --cgroup-manager cgroupfs or disabled")
    }

    /// How long systemd has to answer, in seconds; the same variable makes systemctl more patient.
    private static var patience: Int64 {
        let text = environmentVariable("SYSTEMD_BUS_TIMEOUT") ?? ""
        guard let seconds = Int64(text.hasSuffix("s") ? String(text.dropLast()) : text), seconds > 0, seconds < 86_400
        else { return 25 }
        return seconds
    }

    /// On a bus, unlike on systemd's own socket, a client has to say hello, and to ask for the signals that it waits for.
    private static func introduce(_ bus: BusConnection) throws(BusFailure) {
        let service = "org.freedesktop.DBus"
        _ = try bus.call(BusMessage(call: "Hello", of: service, at: "/org/freedesktop/DBus", destination: service))
        let rule = "type='signal',sender='\(name)',interface='\(manager)',member='JobRemoved',path='\(path)'"
        _ = try bus.call(
            BusMessage(
                call: "AddMatch", of: service, at: "/org/freedesktop/DBus", destination: service, [.string(rule)]))
        _ = try bus.call(BusMessage(call: "Subscribe", of: manager, at: path, destination: name))
    }

    // MARK: - What it does

    /// The cgroup below which this systemd has its slices, from the top of the hierarchy: "" or "/a/b".
    func controlGroup() throws(RuntimeError) -> String {
        let group = try property("ControlGroup")
        return group == "/" ? "" : group
    }

    /// The number in front of "252.39-1~deb12u1"; nil when it is something else.
    func version() throws(RuntimeError) -> Int? {
        Int(try property("Version").prefix { $0.isNumber })
    }

    private func property(_ property: String) throws(RuntimeError) -> String {
        let answer = try ask("say its \(property)") { () throws(BusFailure) in
            try bus.call(
                BusMessage(
                    call: "Get", of: Self.properties, at: Self.path, destination: Self.name,
                    [.string(Self.manager), .string(property)]))
        }
        return answer.first?.text ?? ""
    }

    /// Starts a scope, and waits until systemd has put the process into its cgroup.
    ///
    /// - Parameter properties: those of the scope, `PIDs` with the process among them
    func start(_ unit: String, _ properties: [ScopeProperty]) throws(RuntimeError) {
        let call = message(
            "StartTransientUnit",
            [
                .string(unit), .string("fail"), .array(of: "(sv)", properties.map(\.value)),
                .array(of: "(sa(sv))", []),
            ])
        let what = "start \(unit)"
        do throws(BusFailure) {
            return try job(call, what)
        } catch {
            guard case .refused(let name, _) = error, name == "org.freedesktop.systemd1.UnitExists" else {
                throw explained(error, what)
            }
        }
        try clearAway(unit)
        do throws(BusFailure) { try job(call, what) } catch { throw explained(error, what) }
    }

    /// Makes room for a unit whose name is taken by what a container left: one that failed, or that is about to go. Of a
    /// unit that is in use, nothing is touched.
    private func clearAway(_ unit: String) throws(RuntimeError) {
        var state = ""
        repeat {
            if !state.isEmpty { sleep(milliseconds: 20) }
            let answer = try ask("say how \(unit) is") { () throws(BusFailure) in
                try bus.call(
                    BusMessage(
                        call: "Get", of: Self.properties, at: "\(Self.path)/unit/\(Self.label(unit))",
                        destination: Self.name, [.string("org.freedesktop.systemd1.Unit"), .string("ActiveState")]))
            }
            state = answer.first?.text ?? ""
        } while state == "deactivating"
        guard state == "failed" || state == "inactive" else {
            throw RuntimeError(
                "container's cgroup is in use: systemd has a unit \(unit), which is \(state)", nil,
                hint: "choose another name in linux.cgroupsPath, or stop it: systemctl stop \(unit)")
        }
        _ = try? bus.call(message("ResetFailedUnit", [.string(unit)]))
    }

    /// A unit's name as a part of an object path: letters and digits as they are, "_2e" for a point.
    private static func label(_ unit: String) -> String {
        var label = ""
        for (index, byte) in unit.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"):
                label.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "0")...UInt8(ascii: "9") where index > 0:
                label.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                label += "_" + (digits.utf8.count < 2 ? "0" : "") + digits
            }
        }
        return label
    }

    /// Ends a unit and forgets it; nothing to do where there is none.
    func stop(_ unit: String) throws(RuntimeError) {
        let what = "stop \(unit)"
        do throws(BusFailure) {
            try job(message("StopUnit", [.string(unit), .string("replace")]), what)
        } catch {
            if !Self.saysNoUnit(error) { throw explained(error, what) }
        }
        // It stays in the list when it failed.
        _ = try? bus.call(message("ResetFailedUnit", [.string(unit)]))
    }

    /// Changes limits of a running unit, until the system goes down.
    func set(_ properties: [ScopeProperty], of unit: String) throws(RuntimeError) {
        try ask("change \(unit)") { () throws(BusFailure) in
            _ = try bus.call(
                message(
                    "SetUnitProperties",
                    [.string(unit), .boolean(true), .array(of: "(sv)", properties.map(\.value))]))
        }
    }

    /// Has systemd move a process that may be out of this user's reach into the unit's cgroup.
    func attach(_ pid: Int32, to unit: String) throws(RuntimeError) {
        try ask("move process \(pid) into \(unit)") { () throws(BusFailure) in
            _ = try bus.call(
                message(
                    "AttachProcessesToUnit",
                    [.string(unit), .string("/"), .array(of: "u", [.uint32(UInt32(bitPattern: pid))])]))
        }
    }

    // MARK: - Conversation

    private func message(_ member: String, _ body: [BusValue]) -> BusMessage {
        BusMessage(call: member, of: Self.manager, at: Self.path, destination: Self.name, body)
    }

    /// Calls a method that answers with a job, and waits for its end.
    private func job(_ call: BusMessage, _ what: String) throws(BusFailure) {
        guard let job = try bus.call(call).first else { throw .malformed("the answer names no job") }
        // u id, o job, s unit, s result
        let end = try bus.signal("JobRemoved") { $0.count == 4 && $0[1] == job }
        guard let result = end[3].text, result != "done" else { return }
        throw .refused(name: "", text: "the job ended with \"\(result)\"")
    }

    private func ask<Answer>(_ what: String, _ body: () throws(BusFailure) -> Answer) throws(RuntimeError) -> Answer {
        do throws(BusFailure) { return try body() } catch { throw explained(error, what) }
    }

    private func explained(_ failure: BusFailure, _ what: String) -> RuntimeError {
        if case .interrupted(let signal) = failure { return .interrupted(by: signal) }
        let hint: String? =
            failure == .timeout
            ? "is it busy or hung? see systemctl \(kind == .user ? "--user " : "")list-jobs; SYSTEMD_BUS_TIMEOUT sets "
                + "the seconds to wait" : nil
        return RuntimeError("systemd did not \(what): \(Self.text(failure, seconds))", hint: hint)
    }

    private static func saysNoUnit(_ failure: BusFailure) -> Bool {
        guard case .refused(let name, _) = failure else { return false }
        return name == "org.freedesktop.systemd1.NoSuchUnit"
    }

    private static func text(_ failure: BusFailure, _ seconds: Int64) -> String {
        switch failure {
        case .timeout: "no answer within \(seconds) s"
        case .interrupted(let signal): "interrupted by signal \(signal)"
        case .closed: "it closed the connection"
        case .rejected: "it does not take user \(effectiveUserID())"
        case .malformed(let why): "it sent what is no message: \(why)"
        case .refused(let name, let text): text.isEmpty ? name : text
        case .system(_, let text): text
        }
    }
}

/// Where a systemd may be reached.
struct BusAddress: Equatable {
    /// Of a socket; "@name" for an abstract one.
    let path: String
    /// Whether a bus is there, through which systemd is one of many, or systemd itself.
    let isBus: Bool

    /// The most direct way first, as systemctl does it: a bus that is restarted, or hung, does not matter then. An
    /// address in the environment is somebody's wish.
    static func all(of kind: Systemd.Kind) -> [BusAddress] {
        let runtime = environmentVariable("XDG_RUNTIME_DIR") ?? ""
        switch kind {
        case .system:
            let wished = parse(environmentVariable("DBUS_SYSTEM_BUS_ADDRESS") ?? "")
            if !wished.isEmpty { return wished }
            return [
                BusAddress(path: "/run/systemd/private", isBus: false),
                BusAddress(path: "/run/dbus/system_bus_socket", isBus: true),
            ]
        case .user:
            let wished = parse(environmentVariable("DBUS_SESSION_BUS_ADDRESS") ?? "")
            guard !runtime.isEmpty else { return wished }
            let direct = BusAddress(path: "\(runtime)/systemd/private", isBus: false)
            return [direct] + (wished.isEmpty ? [BusAddress(path: "\(runtime)/bus", isBus: true)] : wished)
        }
    }

    /// "unix:path=/run/user/1000/bus,guid=00;unix:abstract=x" (D-Bus specification, "Server Addresses"). Of other
    /// transports there is no use here.
    static func parse(_ text: String) -> [BusAddress] {
        text.split(separator: ";").compactMap { address in
            guard address.hasPrefix("unix:") else { return nil }
            for pair in address.dropFirst(5).split(separator: ",") {
                if pair.hasPrefix("path=") { return BusAddress(path: unescaped(pair.dropFirst(5)), isBus: true) }
                if pair.hasPrefix("abstract=") {
                    return BusAddress(path: "@" + unescaped(pair.dropFirst(9)), isBus: true)
                }
            }
            return nil
        }
    }

    /// "%20" is a space.
    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
