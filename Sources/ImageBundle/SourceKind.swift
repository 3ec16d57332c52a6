internal import LinuxSystem

/// What an image is. Told by its content, never by its name.
package enum SourceKind: String, CaseIterable, Sendable {
    case raw, qcow2, vmdk, vdi, vhdx, vhd, iso
    case oci
    case ociArchive = "oci-archive"
    case dockerArchive = "docker-archive"
    case tar, directory
    /// A reference that skopeo fetches: `docker://debian:12`.
    case remote
}

extension SourceKind {
    /// Looks at the first bytes of what `image` names.
    ///
    /// An archive's members are not looked at: `.tar` is also what a docker-archive or an oci-archive appears to be, and a
    /// compressed file counts as a compressed tar.
    static func detect(_ image: String) throws(BundleError) -> SourceKind {
        if image.utf8.contains(UInt8(ascii: ":")), isTransport(image) { return .remote }
        let status = try explain("cannot find the image \(image)") { () throws(SystemError) in
            guard let status = try fileStatus(image) else { throw SystemError("stat", image, .noEntry) }
            return status
        }
        switch status.kind {
        case .directory:
            let layout = try explain("cannot look into \(image)") { () throws(SystemError) in
                try fileStatus("\(image)/oci-layout")
            }
            return layout == nil ? .directory : .oci
        case .regular:
            return try explain("cannot read the image") { () throws(SystemError) in
                let file = try FileDescriptor.open(image, .readOnly)
                let head = try file.read(at: 0, upTo: 512, subject: image)
                let descriptor = try file.read(at: 0x8000, upTo: 6, subject: image)
                let size = try file.size()
                let tail = size < 512 ? [] : try file.read(at: size - 512, upTo: 8, subject: image)
                return detect(head: head, volumeDescriptor: descriptor, tail: tail)
            }
        case .blockDevice:
            throw BundleError("\(image): is a device", hint: "copy it to a file first")
        default:
            throw BundleError("\(image): is neither a file nor a directory")
        }
    }

    /// - Parameters:
    ///   - head: the first 512 bytes
    ///   - volumeDescriptor: 6 bytes at 32 KiB, where ISO 9660 has its first descriptor
    ///   - tail: the first 8 bytes of the last 512, where a fixed VHD has its footer
    static func detect(head: [UInt8], volumeDescriptor: [UInt8], tail: [UInt8]) -> SourceKind {
        func has(_ magic: [UInt8], at offset: Int = 0) -> Bool { head.dropFirst(offset).starts(with: magic) }
        if has(Array("QFI\u{fb}".unicodeScalars.map { UInt8($0.value) })) { return .qcow2 }
        if has(Array("KDMV".utf8)) || has(Array("COWD".utf8)) || has(Array("# Disk DescriptorFile".utf8)) {
            return .vmdk
        }
        if has([0x7f, 0x10, 0xda, 0xbe], at: 0x40) { return .vdi }
        if has(Array("vhdxfile".utf8)) { return .vhdx }
        if has(Array("conectix".utf8)) { return .vhd }
        // A hybrid ISO image, made for memory sticks, has a partition table as well.
        if volumeDescriptor == [1] + Array("CD001".utf8) { return .iso }
        if has(Array("ustar".utf8), at: 257) { return .tar }
        // gzip, zstd, xz, bzip2
        let compressed: [[UInt8]] = [
            [0x1f, 0x8b], [0x28, 0xb5, 0x2f, 0xfd], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], Array("BZh".utf8),
        ]
        for magic in compressed where has(magic) { return .tar }
        if tail == Array("conectix".utf8) { return .vhd }
        return .raw
    }

    /// The names of skopeo's transports that lead to images elsewhere, containers-transports(5).
    private static func isTransport(_ image: String) -> Bool {
        for transport in ["docker:", "docker-daemon:", "containers-storage:", "dir:", "ostree:", "sif:", "atomic:"]
        where image.hasPrefix(transport) {
            return true
        }
        return false
    }
}
