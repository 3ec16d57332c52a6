import Testing

@testable import ImageBundle

@Suite("What an image is")
struct SourceKindTests {
    private func kind(_ magic: [UInt8], at offset: Int = 0, descriptor: [UInt8] = [], tail: [UInt8] = []) -> SourceKind
    {
        var head = [UInt8](repeating: 0, count: 512)
        head.replaceSubrange(offset..<(offset + magic.count), with: magic)
        return SourceKind.detect(head: head, volumeDescriptor: descriptor, tail: tail)
    }

    @Test("the content tells")
    func magic() {
        #expect(kind([0x51, 0x46, 0x49, 0xfb]) == .qcow2)
        #expect(kind(Array("KDMV".utf8)) == .vmdk)
        #expect(kind(Array("# Disk DescriptorFile".utf8)) == .vmdk)
        #expect(kind([0x7f, 0x10, 0xda, 0xbe], at: 0x40) == .vdi)
        #expect(kind(Array("vhdxfile".utf8)) == .vhdx)
        #expect(kind([], tail: Array("conectix".utf8)) == .vhd)
        #expect(kind(Array("ustar".utf8), at: 257) == .tar)
        #expect(kind([0x1f, 0x8b]) == .tar)
        #expect(kind([0x55, 0xaa], at: 510) == .raw)
        #expect(kind([0x55, 0xaa], at: 510, descriptor: [1] + Array("CD001".utf8)) == .iso)
    }

    @Test("what is too short for anything is raw")
    func short() {
        #expect(SourceKind.detect(head: [], volumeDescriptor: [], tail: []) == .raw)
        #expect(SourceKind.detect(head: [0x51, 0x46], volumeDescriptor: [], tail: []) == .raw)
    }
}
