import RuntimeSpec
import Testing

struct MountOptionsTests {
    private func parse(_ options: String...) throws(SpecError) -> MountOptions {
        try MountOptions(parsing: options)
    }

    /// The option table of the specification (config.md, Linux mount options), written down once more on purpose.
    static let specified = """
        async atime bind defaults dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec \
        noiversion nolazytime nomand norelatime nostrictatime nosuid nosymfollow private ratime rbind rdev rdiratime \
        relatime remount rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow ro \
        rprivate rrelatime rro rrw rshared rslave rstrictatime rsuid rsymfollow runbindable rw shared silent slave \
        strictatime suid symfollow sync tmpcopyup unbindable idmap ridmap
        """.split(separator: " ").map(String.init)

    @Test(arguments: specified)
    func everySpecifiedOptionIsKnown(name: String) throws {
        #expect(try parse(name).data.isEmpty)
        #expect(MountOption(named: name) != nil)
    }

    @Test func tableIsSortedAndWithoutRepetition() {
        let names = MountOption.table.map(\.name)
        #expect(names == names.sorted())
        #expect(Set(names).count == names.count)
        for (name, option) in MountOption.table { #expect(MountOption(named: name) == option) }
        for name in ["", "a", "rox", "r", "zzz", "acl", "noacl", "mode=755"] {
            #expect(MountOption(named: name) == nil)
        }
    }

    /// MOUNT_ATTR_* of linux/mount.h.
    @Test(
        arguments: [
            ("nosuid", 0x2, 0), ("suid", 0, 0x2), ("nodev", 0x4, 0), ("dev", 0, 0x4), ("noexec", 0x8, 0),
            ("exec", 0, 0x8),
            ("nodiratime", 0x80, 0), ("diratime", 0, 0x80), ("nosymfollow", 0x200000, 0), ("symfollow", 0, 0x200000),
            ("ro", 0x1, 0), ("rw", 0, 0x1), ("noatime", 0x10, 0x70), ("strictatime", 0x20, 0x70), ("relatime", 0, 0x70),
            ("atime", 0, 0x70), ("nostrictatime", 0, 0x70), ("norelatime", 0, 0x70),
        ] as [(String, UInt64, UInt64)])
    func attributes(name: String, set: UInt64, clear: UInt64) throws {
        let single = try parse(name)
        #expect(single.attributes.set == set)
        #expect(single.attributes.clear == clear)
        #expect(single.recursiveAttributes.isEmpty)
        // The same with an r before it, for the whole tree.
        let tree = try parse("r" + name)
        #expect(tree.recursiveAttributes.set == set)
        #expect(tree.recursiveAttributes.clear == clear)
        #expect(tree.attributes.isEmpty)
        #expect(tree.superblock.isEmpty && tree.superblockCleared.isEmpty)
    }

    @Test func laterOptionsWin() throws {
        #expect(try parse("ro", "rw").attributes == parse("rw").attributes)
        #expect(try parse("ro", "rw").superblock.isEmpty)
        #expect(try parse("rw", "ro") == parse("ro"))
        #expect(try parse("nosuid", "suid", "nosuid").attributes.set == 0x2)
        #expect(try parse("noatime", "strictatime").attributes.set == 0x20)
        #expect(try parse("strictatime", "relatime").attributes.set == 0)
        #expect(try parse("sync", "async").superblock.isEmpty)
        #expect(try parse("async", "sync").superblockCleared.isEmpty)
        #expect(try parse("rro", "rrw").recursiveAttributes.set == 0)
    }

    @Test func takingBackAnAccessTimeLeavesTheOthersAlone() throws {
        #expect(try parse("strictatime", "atime").attributes.set == 0x20)
        #expect(try parse("noatime", "atime").attributes.set == 0)
        #expect(try parse("noatime", "nostrictatime").attributes.set == 0x10)
        #expect(try parse("strictatime", "norelatime").attributes.set == 0x20)
        // And never the other attributes.
        #expect(try parse("noatime", "nodev", "relatime").attributes.set == 0x4)
        #expect(try parse("noatime", "nodev", "relatime").attributes.clear == 0x70)
    }

    /// MS_* of linux/mount.h.
    @Test(
        arguments: [
            ("sync", 16, 0), ("async", 0, 16), ("rsync", 16, 0), ("rasync", 0, 16), ("mand", 64, 0), ("nomand", 0, 64),
            ("rmand", 64, 0), ("rnomand", 0, 64), ("dirsync", 128, 0), ("rdirsync", 128, 0), ("silent", 1 << 15, 0),
            ("loud", 0, 1 << 15), ("iversion", 1 << 23, 0), ("noiversion", 0, 1 << 23), ("lazytime", 1 << 25, 0),
            ("nolazytime", 0, 1 << 25), ("ro", 1, 0), ("rw", 0, 1), ("defaults", 0, 0),
        ] as [(String, UInt, UInt)])
    func superblock(name: String, set: UInt, clear: UInt) throws {
        let options = try parse(name)
        #expect(options.superblock.rawValue == set)
        #expect(options.superblockCleared.rawValue == clear)
    }

    @Test(
        arguments: [
            ("ro", 1), ("nosuid", 2), ("nodev", 4), ("noexec", 8), ("sync", 16), ("mand", 64), ("dirsync", 128),
            ("nosymfollow", 256), ("noatime", 1024), ("nodiratime", 2048), ("silent", 1 << 15), ("relatime", 1 << 21),
            ("iversion", 1 << 23), ("strictatime", 1 << 24), ("lazytime", 1 << 25), ("rbind", 0), ("remount", 0),
            ("rslave", 0), ("rro", 0), ("rw", 0),
        ] as [(String, UInt)])
    func flagsOfTheMountCall(name: String, flags: UInt) throws {
        #expect(try parse(name).mountFlags == flags)
    }

    @Test func binds() throws {
        #expect(try parse("bind").bind == .single)
        #expect(try parse("rbind").bind == .recursive)
        #expect(try parse("rbind", "bind").bind == .recursive)
        #expect(try parse("ro").bind == .no)
        #expect(try parse("remount", "ro").remount)
    }

    @Test func propagationKeepsItsOrder() throws {
        let options = try parse(
            "rslave", "private", "shared", "runbindable", "unbindable", "slave", "rshared", "rprivate")
        let expected = [
            Propagation(.slave, recursive: true), Propagation(.private, recursive: false),
            Propagation(.shared, recursive: false), Propagation(.unbindable, recursive: true),
            Propagation(.unbindable, recursive: false), Propagation(.slave, recursive: false),
            Propagation(.shared, recursive: true), Propagation(.private, recursive: true),
        ]
        #expect(options.propagation == expected)
    }

    @Test func filesystemOptionsAreKeptInOrder() throws {
        let options = try parse("mode=755", "nosuid", "size=65536k", "acl", "ro", "", "huge=always")
        #expect(options.data == ["mode=755", "size=65536k", "acl", "huge=always"])
        #expect(options.dataText == "mode=755,size=65536k,acl,huge=always")
        #expect(options.attributes.set == 0x3)
    }

    @Test func switches() throws {
        let options = try parse("tmpcopyup", "copy-symlink", "src-nofollow", "dest-nofollow")
        #expect(options.tmpcopyup && options.copySymlink && options.sourceNoFollow && options.destinationNoFollow)
        #expect(options.data.isEmpty)
        let none = try parse("defaults")
        #expect(none == MountOptions())
    }

    @Test func idmapped() throws {
        #expect(try parse("ro").idmap == nil)
        #expect(try parse("idmap").idmap == MountIDMapping(recursive: false))
        #expect(try parse("ridmap").idmap == MountIDMapping(recursive: true))
        #expect(try parse("idmap").idmap?.hasOwnMapping == false)
        let own = try parse("idmap=uids=0-1-10#@10-11-10;gids=0-100-10").idmap
        let expected = MountIDMapping(
            recursive: false,
            uids: [
                MountIDMapping.Range(IDMapping(containerID: 0, hostID: 1, size: 10), relativeToContainer: false),
                MountIDMapping.Range(IDMapping(containerID: 10, hostID: 11, size: 10), relativeToContainer: true),
            ],
            gids: [MountIDMapping.Range(IDMapping(containerID: 0, hostID: 100, size: 10), relativeToContainer: false)])
        #expect(own == expected)
    }

    @Test(arguments: [
        "idmap=x", "idmap=uids=1-2", "idmap=uids=1-2-3-4;gids=1-2-3", "idmap=uids=1-2-x;gids=1-2-3",
        "idmap=uids=0-0-4294967296;gids=0-0-1", "ridmap=uids=;gids=", "idmap=gids=1-2-3",
        "idmap=uids=-1-2-3;gids=1-2-3",
    ])
    func badMappings(option: String) {
        let error = failure { () throws(SpecError) in try MountOptions(parsing: ["ro", option]) }
        #expect(error?.path == "[1]")
    }

    @Test func mappingsRelativeToTheContainer() {
        let container = [
            IDMapping(containerID: 0, hostID: 1000, size: 1), IDMapping(containerID: 1, hostID: 100_000, size: 1000),
        ]
        func resolve(_ first: UInt32, _ id: UInt32, _ size: UInt32, relative: Bool = true) -> [IDMapping]? {
            [
                MountIDMapping.Range(
                    IDMapping(containerID: first, hostID: id, size: size), relativeToContainer: relative)
            ].resolved(through: container)
        }
        #expect(resolve(5, 3, 10) == [IDMapping(containerID: 5, hostID: 100_002, size: 10)])
        #expect(resolve(5, 0, 1) == [IDMapping(containerID: 5, hostID: 1000, size: 1)])
        #expect(resolve(5, 3, 10, relative: false) == [IDMapping(containerID: 5, hostID: 3, size: 10)])
        // Not mapped, or only in part.
        #expect(resolve(5, 1001, 1) == nil)
        #expect(resolve(5, 0, 2) == nil)
        #expect(resolve(5, 1000, 2) == nil)
    }
}
