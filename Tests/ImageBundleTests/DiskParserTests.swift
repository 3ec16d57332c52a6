import Testing

@testable import ImageBundle

@Suite("What images say of themselves")
struct DiskParserTests {
    @Test("the entries of fstab")
    func fstab() {
        let text = """
            # comment
            UUID=aa /  btrfs subvol=/@,compress 0 0
            /dev/mapper/my--vg-root /a\\040b ext4 defaults
            /dev/sda3 /c ext4 noauto 0 0
            /dev/nvme0n1p2 none swap sw
            nas:/x /d nfs defaults
            PARTLABEL=home /home xfs
            """
        let entries = FstabEntry.parse(Array(text.utf8))
        #expect(entries.map(\.mountPoint) == ["/", "/a b", "/c", "none", "/d", "/home"])
        #expect(
            entries.map(\.source) == [
                .uuid("aa"), .volume("my-vg/root"), .partition(3), .partition(2), .other("nas:/x"),
                .partitionLabel("home"),
            ])
        #expect(entries[0].subvolume == "@")
        #expect(entries.map(\.isMounted) == [true, true, false, false, true, true])
    }

    @Test("os-release")
    func release() {
        let release = OSRelease(
            Array("NAME=x\nID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME='Debian\u{1b}[31m 12'\n#ID=no\n".utf8))
        #expect(release.id == "debian" && release.version == "12")
        #expect(release.name == "Debian[31m 12", "no control characters")
    }

    @Test("the checksum of GPT headers")
    func checksum() { #expect(crc32(Array("123456789".utf8)) == 0xcbf4_3926) }

    @Test("names of unfinished bundles")
    func partial() {
        #expect(PartialBundle.isMarked("/srv/vm.partial-abcdef"))
        #expect(!PartialBundle.isMarked("/srv/vm") && !PartialBundle.isMarked("/srv.partial-x/vm"))
    }

    @Test("the overlay that shows a snapshot is a qcow2 image in order")
    func overlay() throws {
        struct Content: ByteSource {
            let all: [UInt8]
            var size: UInt64 { UInt64(all.count) }
            func bytes(at offset: UInt64, count: Int) throws(BundleError) -> [UInt8] {
                guard offset + UInt64(count) <= size else { throw BundleError("beyond the end") }
                return Array(all[Int(offset)..<(Int(offset) + count)])
            }
        }
        let image = SnapshotOverlay.overlay(content: [UInt8](repeating: 7, count: 1 << 16), size: 1_000_000)
        let header = try Qcow2Header(Content(all: image))
        #expect(header.version == 2 && header.virtualSize == 1_000_448 && header.backing == nil)
    }
}
