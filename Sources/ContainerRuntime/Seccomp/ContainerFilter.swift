internal import CLibseccomp
internal import LinuxSystem
internal import RuntimeSpec

/// The filter that config.json and its annotations ask for, and who hears of what it notifies. `create` and `exec` share
/// it.
struct ContainerFilter {
    var filter: SeccompFilter?
    var listener: SeccompListener?
}

extension ContainerFilter {
    init(_ config: Config, cache: SeccompCache) throws(RuntimeError) {
        if let text = config.annotations[.seccompProgram] {
            filter = try SeccompFilter(base64: text, config.linux?.seccomp)
            return
        }
        guard var profile = config.linux?.seccomp else { return }
        if config.annotations.isSet(.failUnknownSystemCall) { try profile.requireKnownNames() }
        if profile.listenerPath?.isEmpty != false { profile.listenerPath = config.annotations[.seccompReceiver] }
        filter = try SeccompFilter.compile(profile, cache: cache)
        listener = try SeccompListener(profile)
    }
}

extension Seccomp {
    /// Usually a name that this libseccomp does not know is passed over.
    fileprivate func requireKnownNames() throws(RuntimeError) {
        for (index, rule) in syscalls.enumerated() {
            for (place, name) in rule.names.enumerated() where seccomp_syscall_resolve_name(name) == -1 {
                throw RuntimeError(
                    at: "linux.seccomp.syscalls[\(index)].names[\(place)]",
                    "unknown system call \"\(name.escapedForMessage)\"",
                    hint: "the annotation \(Annotation.failUnknownSystemCall.rawValue) makes this an error")
            }
        }
    }
}

extension SeccompFilter {
    /// A filter that somebody else compiled: instructions as the kernel reads them, in base64 (RFC 4648).
    fileprivate init(base64 text: String, _ profile: Seccomp?) throws(RuntimeError) {
        let path = "annotations[\"\(Annotation.seccompProgram.rawValue)\"]"
        guard let bytes = decodeBase64(text) else { throw RuntimeError(at: path, "it is not base64") }
        let size = MemoryLayout<FilterInstruction>.size
        guard !bytes.isEmpty, bytes.count % size == 0, bytes.count / size <= FilterInstruction.limit else {
            throw RuntimeError(
                at: path, "\(bytes.count) bytes are no filter",
                hint: "it has 1 to \(FilterInstruction.limit) instructions of \(size) bytes")
        }
        self.init(
            program: stride(from: 0, to: bytes.count, by: size).map { FilterInstruction(bytes[$0...]) },
            flags: Self.flags(profile?.flags), notifies: false)
    }
}

extension FilterInstruction {
    /// From `struct sock_filter` (linux/filter.h), little-endian.
    fileprivate init(_ bytes: ArraySlice<UInt8>) {
        let start = bytes.startIndex
        func number(_ offset: Int, _ count: Int) -> UInt32 {
            (0..<count).reversed().reduce(0) { $0 << 8 | UInt32(bytes[start + offset + $1]) }
        }
        self.init(
            UInt16(truncatingIfNeeded: number(0, 2)), number(4, 4), true: bytes[start + 2], false: bytes[start + 3])
    }
}

/// RFC 4648, section 4; line ends between are allowed. nil for anything else.
func decodeBase64(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var (bits, count, padding) = (UInt32(0), 0, 0)
    for byte in text.utf8 where byte != UInt8(ascii: "\n") && byte != UInt8(ascii: "\r") {
        let value: UInt32
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): value = 62
        case UInt8(ascii: "/"): value = 63
        case UInt8(ascii: "="):
            padding += 1
            continue
        default: return nil
        }
        if padding > 0 { return nil }
        bits = bits << 6 | value
        count += 1
        if count % 4 != 1 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(6 - 2 * ((count - 1) % 4)))) }
    }
    return padding <= 2 && (count + padding) % 4 == 0 ? bytes : nil
}
