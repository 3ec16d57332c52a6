internal import Glibc
internal import LinuxSystem

/// Compiled filters, kept in files between commands: compiling a profile of the usual size takes libseccomp several
/// times as long as everything else that a container needs, and most containers of a machine share one profile.
///
/// A file is named by a hash of what it was compiled from and holds all of that as well, so two profiles that happen to
/// share a hash are told apart. It is believed only when this user owns it and nobody else may write it. Whatever is
/// wrong with a file or the directory, the filter is compiled as if there were no cache.
package struct SeccompCache: Sendable {
    /// The directory's name within the runtime's root. The sign is not allowed in the id of a container.
    package static let directoryName = "@seccomp"

    private let directory: String

    /// - Parameter directory: an absolute path; it is made when the first filter is stored.
    package init(directory: String) { self.directory = directory }

    private static let magic = UInt64(0x0001_4650_4243_5753)
    private static let headerSize = 24
    /// Profiles compile to a few kilobytes; larger ones are compiled every time.
    private static let sizeLimit = 128 * 1024
    private static let fileLimit = 64

    func program(for key: [UInt8]) -> [FilterInstruction]? {
        let file = path(of: key)
        guard let descriptor = try? FileDescriptor.open(file, [.readOnly, .noFollow, .nonBlocking]),
            let status = try? descriptor.status(), status.kind == .regular,
            status.uid == effectiveUserID(), status.mode & 0o022 == 0,
            let bytes = try? descriptor.read(upTo: Self.sizeLimit)
        else { return nil }
        return Self.decode(bytes, expecting: key)
    }

    func store(_ program: [FilterInstruction], for key: [UInt8]) {
        let bytes = Self.encode(program, key: key)
        guard bytes.count < Self.sizeLimit else { return }
        do {
            let folder = try openDirectory()
            try makeRoom(in: folder)
            // Written under another name and renamed when complete: a reader never sees half a filter.
            let temporary = "\(currentProcessID()).new"
            do {
                let file = try FileDescriptor.open(
                    temporary, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600, at: folder.rawValue)
                try file.write(bytes)
                try folder.rename(temporary, to: Self.name(of: key))
            } catch {
                try? folder.remove(temporary)
            }
        } catch {
            // Without a cache the next command compiles again.
        }
    }

    // MARK: Files

    private func openDirectory() throws(SystemError) -> FileDescriptor {
        let made = try? FileDescriptor.open(directory, [.readOnly, .directory, .noFollow])
        if let made { return made }
        try FileDescriptor.open("/", .path).makeDirectory(directory, mode: 0o700)
        return try FileDescriptor.open(directory, [.readOnly, .directory, .noFollow])
    }

    /// Profiles come and go on a build machine; any file may go, for it is only a shortcut.
    private func makeRoom(in folder: borrowing FileDescriptor) throws(SystemError) {
        var names = try directoryEntries(folder)
        while names.count >= Self.fileLimit, let name = names.popLast() { try folder.remove(name) }
    }

    private func path(of key: [UInt8]) -> String { "\(directory)/\(Self.name(of: key))" }

    private static func name(of key: [UInt8]) -> String {
        let digits = String(hash(key[...]), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    // MARK: Content: magic, length of the key, number of instructions, hash of all that follows, key, instructions

    private static func encode(_ program: [FilterInstruction], key: [UInt8]) -> [UInt8] {
        var body = key
        program.withUnsafeBytes { body += $0 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headerSize + body.count)
        withUnsafeBytes(of: magic) { bytes += $0 }
        withUnsafeBytes(of: UInt32(key.count)) { bytes += $0 }
        withUnsafeBytes(of: UInt32(program.count)) { bytes += $0 }
        withUnsafeBytes(of: hash(body[...])) { bytes += $0 }
        return bytes + body
    }

    private static func decode(_ bytes: [UInt8], expecting key: [UInt8]) -> [FilterInstruction]? {
        guard bytes.count > headerSize else { return nil }
        let (foundMagic, keyLength, count, foundHash) = bytes.withUnsafeBytes {
            (
                $0.load(as: UInt64.self), Int($0.load(fromByteOffset: 8, as: UInt32.self)),
                Int($0.load(fromByteOffset: 12, as: UInt32.self)), $0.load(fromByteOffset: 16, as: UInt64.self)
            )
        }
        let stride = MemoryLayout<FilterInstruction>.stride
        guard foundMagic == magic, keyLength == key.count, (1...FilterInstruction.limit).contains(count),
            bytes.count == headerSize + keyLength + count * stride,
            bytes[headerSize..<headerSize + keyLength].elementsEqual(key),
            foundHash == hash(bytes[headerSize...])
        else { return nil }
        return [FilterInstruction](unsafeUninitializedCapacity: count) { buffer, filled in
            bytes.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(buffer).copyBytes(from: $0[(headerSize + keyLength)...])
            }
            filled = count
        }
    }

    /// FNV-1a, 64 bits, a word at a time. It finds files and damage, and need not withstand an attacker.
    private static func hash(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.withUnsafeBytes { buffer in
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            var offset = 0
            while offset < buffer.count {
                var word: UInt64 = 0
                let count = min(8, buffer.count - offset)
                withUnsafeMutableBytes(of: &word) {
                    $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[offset..<offset + count]))
                }
                hash = (hash ^ word) &* 0x0000_0100_0000_01b3
                // High bits of a word reach the low bits of the hash.
                hash ^= hash >> 32
                offset += 8
            }
            return hash
        }
    }
}
