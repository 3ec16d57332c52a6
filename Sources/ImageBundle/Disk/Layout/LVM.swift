/// Logical volumes of the Linux volume manager, as far as they are one stretch of one disk: those can be read without the
/// kernel's device mapper. (lvm2: lib/format_text/layout.h, and the text format of its metadata.)
enum LVM {
    enum Found: Equatable {
        /// `vg/lv`, and where it lies in the physical volume, in bytes.
        case readable(name: String, start: UInt64, size: UInt64)
        case refused(name: String, reason: String)
    }

    /// - Parameter volume: a partition with a physical volume
    static func volumes(_ volume: some ByteSource) throws(BundleError) -> [Found] {
        let text = try metadata(volume)
        var parser = LVMText(text)
        let top = try parser.parse()
        // The one section at the top is the volume group.
        guard
            let (group, content) = top.sections.first(where: {
                $0.section.sections.contains { $0.name == "logical_volumes" }
            })
        else { throw BundleError("there are no logical volumes") }
        guard let extent = content.number("extent_size"), extent > 0, extent < 1 << 40,
            let physical = content["physical_volumes"], physical.sections.count == 1,
            let disk = physical.sections.first,
            let first = disk.section.number("pe_start")
        else { throw BundleError("volume group \(group) spans several disks, which needs the kernel's device mapper") }
        var found: [Found] = []
        for (name, section) in content["logical_volumes"]?.sections ?? [] {
            found.append(place(of: section, "\(group)/\(name)", on: disk.name, first: first, extent: extent))
        }
        return found
    }

    private static func place(
        of volume: LVMText.Section, _ name: String, on disk: String, first: UInt64, extent: UInt64
    ) -> Found {
        var start: UInt64?
        var count: UInt64 = 0
        for (_, segment) in volume.sections {
            guard segment.text("type") == "striped", segment.number("stripe_count") == 1 else {
                let type = segment.text("type") ?? "of an unknown type"
                return .refused(
                    name: name,
                    reason:
                        "is \(type == "striped" ? "striped over several disks" : type); needs the kernel's device mapper"
                )
            }
            guard segment.list("stripes").count == 2, segment.list("stripes")[0] == disk,
                let place = UInt64(segment.list("stripes")[1]), let extents = segment.number("extent_count"),
                place < 1 << 40, extents > 0, extents < 1 << 40
            else { return .refused(name: name, reason: "its metadata is not sensible") }
            // Segments that follow each other on the disk are one stretch.
            if let start, start + count != place {
                return .refused(name: name, reason: "lies in several pieces; needs the kernel's device mapper")
            }
            start = start ?? place
            count += extents
        }
        guard let start else { return .refused(name: name, reason: "has no segments") }
        guard case (let sectors, false) = start.multipliedReportingOverflow(by: extent),
            case (let size, false) = count.multipliedReportingOverflow(by: extent * 512),
            sectors < 1 << 50, first < 1 << 50
        else { return .refused(name: name, reason: "its metadata is not sensible") }
        return .readable(name: name, start: (first + sectors) * 512, size: size)
    }

    /// The newest metadata text of a physical volume.
    private static func metadata(_ volume: some ByteSource) throws(BundleError) -> [UInt8] {
        guard let head = try volume.bytesIfPresent(at: 0, count: 2048),
            let sector = (0..<4).first(where: { head.has("LABELONE", at: 512 * $0) })
        else { throw BundleError("the label is gone") }
        let label = Array(head[(512 * sector)..<(512 * sector + 512)])
        let header = Int(label.little32(20))
        guard header >= 32, header <= 400 else { throw BundleError("the label is not sensible") }
        // Two lists of places, each ending in zeros: data, then metadata.
        var place = header + 40
        var listsEnded = 0
        while place + 16 <= 512 {
            let (offset, size) = (label.little64(place), label.little64(place + 8))
            place += 16
            if offset == 0 && size == 0 {
                listsEnded += 1
                if listsEnded == 2 { break }
            } else if listsEnded == 1 {
                return try text(volume, at: offset, size: size)
            }
        }
        throw BundleError("this disk of the volume group has no metadata")
    }

    private static func text(_ volume: some ByteSource, at area: UInt64, size: UInt64) throws(BundleError) -> [UInt8] {
        guard let header = try volume.bytesIfPresent(at: area, count: 512), header.has(" LVM2 x[5A%r0N*>", at: 4) else {
            throw BundleError("the metadata is damaged")
        }
        let (offset, length) = (header.little64(40), header.little64(48))
        guard offset >= 512, offset < size, length > 0, length <= 4 << 20, length < size else {
            throw BundleError("the metadata is damaged")
        }
        // The area is a ring: what does not fit at its end goes on behind its header.
        let first = min(length, size - offset)
        guard case (let place, false) = area.addingReportingOverflow(offset),
            var bytes = try volume.bytesIfPresent(at: place, count: Int(first))
        else { throw BundleError("the metadata is damaged") }
        if first < length { bytes += try volume.bytes(at: area + 512, count: Int(length - first)) }
        return bytes
    }
}

/// The text format of LVM's metadata: sections in braces, numbers, quoted texts, lists in brackets, comments.
struct LVMText {
    struct Section {
        var sections: [(name: String, section: Section)] = []
        var values: [(name: String, value: [String])] = []

        subscript(name: String) -> Section? { sections.first { $0.name == name }?.section }
        func list(_ name: String) -> [String] { values.first { $0.name == name }?.value ?? [] }
        func text(_ name: String) -> String? { list(name).first }
        func number(_ name: String) -> UInt64? { text(name).flatMap { UInt64($0) } }
    }

    private let bytes: [UInt8]
    private var place = 0
    private static let deepest = 16

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func parse() throws(BundleError) -> Section { try section(depth: 0) }

    private mutating func section(depth: Int) throws(BundleError) -> Section {
        guard depth < Self.deepest else { throw BundleError("the metadata is nested too deeply") }
        var result = Section()
        while let word = next() {
            if word == "}" { return result }
            guard let sign = next() else { break }
            if sign == "{" {
                result.sections.append((word, try section(depth: depth + 1)))
            } else if sign == "=", let value = next() {
                result.values.append((word, value == "[" ? list() : [value]))
            } else {
                throw BundleError("the metadata is not in LVM's format")
            }
        }
        return result
    }

    private mutating func list() -> [String] {
        var values: [String] = []
        while let word = next(), word != "]" { if word != "," { values.append(word) } }
        return values
    }

    /// The next word or sign; a quoted text without its quotation marks.
    private mutating func next() -> String? {
        while place < bytes.count, bytes[place] != 0 {
            let byte = bytes[place]
            if byte == UInt8(ascii: "#") {
                while place < bytes.count, bytes[place] != 10 { place += 1 }
            } else if byte <= 32 {
                place += 1
            } else if "{}[]=,".utf8.contains(byte) {
                place += 1
                return String(decoding: [byte], as: UTF8.self)
            } else if byte == UInt8(ascii: "\"") {
                let start = place + 1
                place = start
                while place < bytes.count, bytes[place] != UInt8(ascii: "\"") { place += 1 }
                let text = String(decoding: bytes[start..<place], as: UTF8.self)
                place += 1
                return text
            } else {
                let start = place
                while place < bytes.count, bytes[place] > 32, !"{}[]=,#\"".utf8.contains(bytes[place]) { place += 1 }
                return String(decoding: bytes[start..<place], as: UTF8.self)
            }
        }
        return nil
    }
}
