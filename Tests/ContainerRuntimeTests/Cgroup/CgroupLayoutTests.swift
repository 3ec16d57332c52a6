import RuntimeSpec
import Testing

@testable import ContainerRuntime

/// What detection makes of tables as they are found on hosts.
struct CgroupLayoutTests {
    private func layout(
        _ memberships: String, _ mounts: String, chunk: Int = 1 << 16, hidden: Set<Int> = []
    ) -> CgroupLayout {
        var scan = LayoutScan(ownCgroups: Array(memberships.utf8)) { !hidden.contains($0.id) }
        let bytes = Array(mounts.utf8)
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            scan.feed(Array(bytes[start..<min(start + chunk, bytes.count)]))
        }
        return scan.layout
    }

    private let v1Mounts = """
        24 30 0:22 / /sys rw,nosuid - sysfs sysfs rw
        31 24 0:27 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro,mode=755
        33 31 0:29 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,xattr,name=systemd
        36 31 0:32 / /sys/fs/cgroup/cpu,cpuacct rw shared:16 master:3 - cgroup cgroup rw,cpu,cpuacct
        37 31 0:33 / /sys/fs/cgroup/net_cls,net_prio rw - cgroup cgroup rw,net_cls,net_prio
        38 31 0:34 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset,clone_children
        39 31 0:35 / /mnt/with\\040space rw - cgroup cgroup rw,memory

        """
    private let v1Memberships = """
        11:memory:/user.slice
        10:cpuset:/
        9:net_cls,net_prio:/
        8:cpu,cpuacct:/user.slice
        5:pids:/not/mounted
        1:name=systemd:/user.slice/session-1.scope
        3:name=elogind:/x
        0::/user.slice/session-1.scope

        """

    @Test func v1() {
        let layout = layout(v1Memberships, v1Mounts)
        #expect(layout.kind == .v1)
        #expect(layout.unified == nil)
        #expect(
            layout.hierarchies == [
                CgroupHierarchy(controllers: ["memory"], mountPoint: "/mnt/with space", ownPath: "/user.slice"),
                CgroupHierarchy(controllers: ["cpuset"], mountPoint: "/sys/fs/cgroup/cpuset", ownPath: "/"),
                CgroupHierarchy(
                    controllers: ["net_cls", "net_prio"], mountPoint: "/sys/fs/cgroup/net_cls,net_prio", ownPath: "/"),
                CgroupHierarchy(
                    controllers: ["cpu", "cpuacct"], mountPoint: "/sys/fs/cgroup/cpu,cpuacct", ownPath: "/user.slice"),
                CgroupHierarchy(
                    controllers: ["name=systemd"], mountPoint: "/sys/fs/cgroup/systemd",
                    ownPath: "/user.slice/session-1.scope"),
            ])
    }

    @Test func hybridHasTheUnifiedHierarchyLast() {
        let layout = layout(
            "0::/a\n" + v1Memberships.replacing("0::", with: "99:x:"),
            "40 31 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n" + v1Mounts)
        #expect(layout.kind == .hybrid)
        #expect(layout.hierarchies.count == 6)
        #expect(
            layout.unified == CgroupHierarchy(controllers: [], mountPoint: "/sys/fs/cgroup/unified", ownPath: "/a"))
    }

    @Test func v2() {
        let layout = layout(
            "0::/user.slice/user@1000.service/app.slice/x.scope\n",
            "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n")
        #expect(layout.kind == .v2)
        #expect(layout.unified?.ownPath == "/user.slice/user@1000.service/app.slice/x.scope")
    }

    @Test func nothingMounted() {
        #expect(layout("0::/\n", "22 27 0:21 / /proc rw - proc proc rw\n").kind == .none)
    }

    /// In a container with a cgroup namespace the mount shows "/" and so does the membership; without one the mount
    /// shows a part of the host's tree and the membership is the host's path.
    @Test(arguments: [
        ("/", "/", "/"),
        ("/docker/abc", "/docker/abc", "/"),
        ("/docker/abc", "/docker/abc/init", "/init"),
        ("/docker/abc", "/docker/abcdef", "/"),
        ("/docker/abc", "/elsewhere", "/"),
        ("/", "/../sibling", "/"),
        ("/..", "/", "/"),
    ])
    func nested(root: String, own: String, expected: String) {
        let layout = layout("0::\(own)\n", "30 23 0:26 \(root) /sys/fs/cgroup rw - cgroup2 cgroup rw\n")
        #expect(layout.unified?.ownPath == expected)
    }

    /// A mount that a later one covers is in the table too; the first visible one is taken.
    @Test func coveredMountsAreSkipped() {
        let mounts = """
            30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw
            77 23 0:26 /sub /sys/fs/cgroup rw - cgroup2 cgroup rw
            78 23 0:26 /other /mnt rw - cgroup2 cgroup rw

            """
        #expect(layout("0::/sub/x\n", mounts, hidden: [30]).unified?.ownPath == "/x")
        #expect(layout("0::/sub/x\n", mounts).unified?.ownPath == "/sub/x")
        #expect(layout("0::/sub/x\n", mounts, hidden: [30, 77]).unified?.mountPoint == "/mnt")
    }

    /// The table comes in pieces that end anywhere.
    @Test(arguments: [1, 7, 64, 300])
    func piecesOfAnySize(chunk: Int) {
        #expect(layout(v1Memberships, v1Mounts, chunk: chunk) == layout(v1Memberships, v1Mounts))
    }

    @Test(arguments: [
        "", "x", "1 2 3 - cgroup", "30 23 0:26 / /a rw - cgroup2 cgroup", "x 23 0:26 / /a rw - cgroup2 cgroup rw",
        "30 23 0:26 / /a rw - cgroupfoo cgroup rw", "30 23 0:26 / /a rw - tmpfs - cgroup rw",
    ])
    func otherLinesAreNoCgroupMounts(line: String) {
        #expect(CgroupMount(line: Array(line.utf8)[...]) == nil)
    }
}

struct CgroupLocationTests {
    private let v1 = CgroupHierarchy(controllers: ["pids"], mountPoint: "/cg/pids", ownPath: "/own/leaf")
    private let v2 = CgroupHierarchy(controllers: [], mountPoint: "/cg", ownPath: "/own/leaf")
    private let top = CgroupHierarchy(controllers: [], mountPoint: "/cg", ownPath: "/")

    @Test func absolutePathsAreBelowTheMountPoint() throws {
        let location = try CgroupLocation(cgroupsPath: "//a/./b/", id: "c1")
        #expect(location.path(in: v1) == "/cg/pids/a/b")
        #expect(location.path(in: v2) == "/cg/a/b")
    }

    @Test(arguments: [nil, "c1"])
    func relativePathsAreBelowTheRuntimesOwnCgroup(path: String?) throws {
        let location = try CgroupLocation(cgroupsPath: path, id: "c1")
        #expect(location.path(in: v1) == "/cg/pids/own/leaf/c1")
        #expect(location.path(in: v2) == "/cg/own/c1")
        #expect(location.path(in: top) == "/cg/c1")
    }

    @Test(arguments: ["/", ".", "/./", "a/../..", "/.."])
    func pathsThatNameNoCgroupAreRefused(path: String) {
        let error = #expect(throws: RuntimeError.self) { try CgroupLocation(cgroupsPath: path, id: "c1") }
        #expect(error?.message.hasPrefix("linux.cgroupsPath: ") == true)
    }

    @Test func thePlanHasOneDirectoryPerHierarchyAndSurvivesTheState() throws {
        let layout = CgroupLayout(hierarchies: [v1, v2])
        let config = Config(ociVersion: "1.3.0", linux: Linux(cgroupsPath: "/a/b"))
        let plan = try CgroupPlan(config: config, id: "c1", driver: .cgroupfs, layout: layout)
        var expected = ContainerCgroup(
            driver: .cgroupfs,
            directories: [
                CgroupDirectory(controllers: ["pids"], path: "/cg/pids/a/b"),
                CgroupDirectory(controllers: [], path: "/cg/a/b"),
            ])
        #expect(plan.cgroup.driver == expected.driver)
        #expect(plan.cgroup.directories == expected.directories)
        expected.directories[0].made = 2
        let text = expected.json.serialized()
        #expect(try ContainerCgroup.decode(Array(text.utf8)) == expected)
    }

    @Test func withoutACgroupNoLimitIsTaken() throws {
        let layout = CgroupLayout(hierarchies: [v2])
        var config = Config(
            ociVersion: "1.3.0", linux: Linux(resources: Resources(devices: [DeviceRule(allow: false)])))
        let plan = try CgroupPlan(config: config, id: "c1", driver: .disabled, layout: layout)
        #expect(plan.cgroup.directories.isEmpty)
        config.linux?.resources?.pids = Pids(limit: 0)
        let error = #expect(throws: RuntimeError.self) {
            try CgroupPlan(config: config, id: "c1", driver: .disabled, layout: layout)
        }
        #expect(error?.message.hasPrefix("linux.resources.pids.limit: ") == true)
    }
}
