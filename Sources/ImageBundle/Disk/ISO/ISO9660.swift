/// The directories of an ISO image (ECMA-119, with the Rock Ridge names of IEEE P1282), read here because kernels come
/// without the filesystem.
struct ISO9660 {
    static let block: UInt64 = 2048

    struct Record {
        var name: [UInt8]
        var isDirectory: Bool
        /// Where the content is, in bytes.
        var offset: UInt64
        var size: UInt64
        /// The System Use fields, and those that they continue with.
        var systemUse: [UInt8]
    }

    private let bytes: any ByteSource
    let root: Record
    /// How many bytes of the System Use fields belong to others (SUSP, SP).
    private let skip: Int

    /// Directories and entries of one directory that are read at most.
    private static let mostDirectoryBytes: UInt64 = 8 << 20

    init(_ bytes: any ByteSource) throws(BundleError) {
        self.bytes = bytes
        guard let descriptor = try bytes.bytesIfPresent(at: 16 * Self.block, count: 2048), descriptor[0] == 1,
            descriptor.has("CD001", at: 1)
        else { throw BundleError("has no primary volume descriptor") }
        guard descriptor.little16(128) == 2048 else {
            throw BundleError("blocks of \(descriptor.little16(128)) bytes are not supported")
        }
        guard let root = Self.record(descriptor, at: 156, end: 190) else {
            throw BundleError("the root directory is damaged")
        }
        self.root = root
        // The first record of the root directory says whether there are Rock Ridge fields.
        let first = try bytes.bytesIfPresent(at: root.offset, count: 2048) ?? []
        let own = first.count == 2048 ? Self.record(first, at: 0, end: 2048) : nil
        skip = own.map { $0.systemUse.has("SP", at: 0) && $0.systemUse.count >= 7 ? Int($0.systemUse[6]) : 0 } ?? 0
    }

    /// The entries of a directory, without itself and its parent.
    func entries(_ directory: Record) throws(BundleError) -> [Record] {
        guard directory.size <= Self.mostDirectoryBytes else {
            throw BundleError("a directory has \(directory.size) bytes, which is not sensible")
        }
        guard let content = try bytes.bytesIfPresent(at: directory.offset, count: Int(directory.size)) else {
            throw BundleError("truncated: a directory at \(directory.offset) lies beyond the end (\(bytes.size) bytes)")
        }
        var found: [Record] = []
        var place = 0
        while place < content.count {
            let length = Int(content[place])
            // Records do not cross blocks; the rest of a block is zeros.
            if length == 0 {
                place = (place / 2048 + 1) * 2048
                continue
            }
            guard place + length <= content.count, var record = Self.record(content, at: place, end: place + length)
            else {
                throw BundleError("a directory at \(directory.offset) is damaged")
            }
            place += length
            if record.name == [0] || record.name == [1] { continue }
            record.systemUse = try continued(Array(record.systemUse.dropFirst(skip)))
            if let name = RockRidge.name(record.systemUse) { record.name = name }
            // A large file is several records in a row.
            if let last = found.last, last.name == record.name, !last.isDirectory,
                last.offset + last.size == record.offset
            {
                found[found.count - 1].size += record.size
            } else {
                found.append(record)
            }
        }
        return found
    }

    /// The first record of the directory at that place, which describes itself.
    func own(at offset: UInt64) throws(BundleError) -> Record? {
        guard let first = try bytes.bytesIfPresent(at: offset, count: 2048) else { return nil }
        return Self.record(first, at: 0, end: 2048)
    }

    private static func record(_ bytes: [UInt8], at: Int, end: Int) -> Record? {
        let length = Int(bytes[at])
        guard length >= 34, at + length <= end, at + 33 + Int(bytes[at + 32]) <= at + length else { return nil }
        let nameLength = Int(bytes[at + 32])
        var name = Array(bytes[(at + 33)..<(at + 33 + nameLength)])
        if name.count > 1 {
            // "FILE.TXT;1"
            if let version = name.lastIndex(of: UInt8(ascii: ";")) { name.removeSubrange(version...) }
            if name.last == UInt8(ascii: ".") { name.removeLast() }
            name = name.map { (65...90).contains($0) ? $0 + 32 : $0 }
        }
        let use = at + 33 + nameLength + (nameLength % 2 == 0 ? 1 : 0)
        return Record(
            name: name, isDirectory: bytes[at + 25] & 2 != 0, offset: UInt64(bytes.little32(at + 2)) * block,
            size: UInt64(bytes.little32(at + 10)), systemUse: use < at + length ? Array(bytes[use..<(at + length)]) : []
        )
    }

    /// The System Use fields with those in continuation areas.
    private func continued(_ fields: [UInt8]) throws(BundleError) -> [UInt8] {
        var all = fields
        var rest = fields
        for _ in 0..<16 {
            guard let next = RockRidge.field("CE", rest), next.count >= 28 else { break }
            let (start, offset, size) = (next.little32(4), next.little32(12), next.little32(20))
            guard size <= 2048, offset <= 2048,
                let more = try bytes.bytesIfPresent(at: UInt64(start) * Self.block + UInt64(offset), count: Int(size))
            else { throw BundleError("the attributes of a file are damaged") }
            all += more
            rest = more
        }
        return all
    }
}

/// The fields of System Use areas: two letters, a length, a version, content.
enum RockRidge {
    /// Every field of that name, in order.
    static func fields(_ name: StaticString, _ area: [UInt8]) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var place = 0
        while place + 4 <= area.count {
            let length = Int(area[place + 2])
            guard length >= 4, place + length <= area.count else { return found }
            if area.has(name, at: place) { found.append(Array(area[place..<(place + length)])) }
            place += length
        }
        return found
    }

    static func field(_ name: StaticString, _ area: [UInt8]) -> [UInt8]? { fields(name, area).first }

    /// NM: the name in parts.
    static func name(_ area: [UInt8]) -> [UInt8]? {
        let parts = fields("NM", area).filter { $0.count >= 5 }
        let name = parts.flatMap { $0[5...] }
        return name.isEmpty || name.count > 255 ? nil : name
    }

    struct Attributes {
        var mode: UInt32
        var links: UInt32
        var uid: UInt32
        var gid: UInt32
    }

    /// PX: mode, links, user, group.
    static func attributes(_ area: [UInt8]) -> Attributes? {
        guard let field = field("PX", area), field.count >= 36 else { return nil }
        return Attributes(
            mode: field.little32(4), links: field.little32(12), uid: field.little32(20), gid: field.little32(28))
    }

    /// PN: the number of a device.
    static func device(_ area: [UInt8]) -> (major: UInt32, minor: UInt32)? {
        guard let field = field("PN", area), field.count >= 20 else { return nil }
        let (high, low) = (field.little32(4), field.little32(12))
        return high != 0 ? (high, low) : (low >> 8, low & 0xff)
    }

    /// SL: the target of a link, in components.
    static func link(_ area: [UInt8]) -> [UInt8]? {
        var target: [UInt8] = []
        var needsSlash = false
        var found = false
        for field in fields("SL", area) where field.count >= 5 {
            found = true
            var place = 5
            while place + 2 <= field.count {
                let (flags, length) = (field[place], Int(field[place + 1]))
                guard place + 2 + length <= field.count else { return nil }
                if needsSlash, target.last != UInt8(ascii: "/") { target.append(UInt8(ascii: "/")) }
                needsSlash = true
                if flags & 2 != 0 { target.append(UInt8(ascii: ".")) }
                if flags & 4 != 0 { target += Array("..".utf8) }
                if flags & 8 != 0 { target = [UInt8(ascii: "/")] }
                target += field[(place + 2)..<(place + 2 + length)]
                // The component goes on in the next one.
                if flags & 1 != 0 { needsSlash = false }
                place += 2 + length
            }
        }
        guard found, !target.isEmpty, target.count < 4096, !target.contains(0) else { return nil }
        return target
    }

    /// TF: the time of modification, in seconds since 1970.
    static func modified(_ area: [UInt8]) -> Int64? {
        guard let field = field("TF", area), field.count >= 5, field[4] & 0x80 == 0, field[4] & 2 != 0 else {
            return nil
        }
        // Times come in the order of their flags; creation is the only one before.
        let at = 5 + (field[4] & 1 != 0 ? 7 : 0)
        guard at + 7 <= field.count else { return nil }
        return seconds(Array(field[at..<(at + 7)]))
    }

    /// Year since 1900, month, day, hour, minute, second, quarters of an hour from UTC.
    private static func seconds(_ date: [UInt8]) -> Int64 {
        var (year, month) = (Int64(date[0]) + 1900, Int64(date[1]))
        // Years from March on, so that the leap day is the last one.
        if month <= 2 {
            year -= 1
            month += 12
        }
        let days =
            365 * year + year / 4 - year / 100 + year / 400 + (153 * (month - 3) + 2) / 5 + Int64(date[2]) - 719_469
        let time = Int64(date[3]) * 3600 + Int64(date[4]) * 60 + Int64(date[5])
        return days * 86400 + time - Int64(Int8(bitPattern: date[6])) * 900
    }
}
