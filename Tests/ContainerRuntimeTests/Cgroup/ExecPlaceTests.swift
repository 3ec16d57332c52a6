import RuntimeSpec
import Testing

@testable import ContainerRuntime

struct ExecPlaceTests {
    private let directory = "/sys/fs/cgroup/engine/c1"

    @Test(arguments: [
        ("/engine/c1", ""), ("/engine/c1/init.scope", "/init.scope"), ("/engine/c1/a/b", "/a/b"),
        // a runtime that sees a part of the tree, through its mount or its cgroup namespace
        ("/docker/x/engine/c1/a", "/a"), ("/c1/a", "/a"),
    ])
    func aProcessIsFoundBelowItsContainer(cgroup: String, rest: String) {
        #expect(ContainerCgroup.place(of: cgroup, below: directory) == directory + rest)
    }

    @Test(arguments: ["/", "/engine", "/elsewhere/a", "/engine/c2"])
    func aProcessThatWasMovedAwayIsNot(cgroup: String) {
        #expect(ContainerCgroup.place(of: cgroup, below: directory) == nil)
    }

    private func cgroup(_ place: borrowing TemporaryDirectory) throws -> ContainerCgroup {
        ContainerCgroup(
            driver: .cgroupfs,
            directories: [
                CgroupDirectory(controllers: ["cpu", "cpuacct"], path: place.path, made: 1),
                CgroupDirectory(controllers: ["pids"], path: place.path, made: 1),
                CgroupDirectory(controllers: [], path: place.path, made: 1),
            ])
    }

    @Test func pathsAreForAllOrForTheNamedControllers() throws {
        let place = try TemporaryDirectory()
        let cgroup = try cgroup(place)
        #expect(try cgroup.below([]) == cgroup)
        #expect(try cgroup.below(["/"]).directories.map(\.path) == cgroup.directories.map(\.path))
        // "." exists in every directory
        let one = try cgroup.below(["cpuacct:."])
        #expect(one.directories.map(\.path) == [place.path + "/.", place.path, place.path])
        let all = try cgroup.below(["."])
        #expect(all.directories.map(\.path) == [String](repeating: place.path + "/.", count: 3))
    }

    @Test(arguments: ["../x", "a/../../b", "cpu:../x", "memory:a", "nosuch", "cpu:nosuch"])
    func otherPathsAreRefused(option: String) throws {
        let place = try TemporaryDirectory()
        let cgroup = try cgroup(place)
        let error = #expect(throws: RuntimeError.self) { try cgroup.below([option]) }
        #expect(error?.message.hasPrefix("--cgroup \(option)") == true)
    }
}

struct DelegationTests {
    private let v2 = CgroupLayout(hierarchies: [CgroupHierarchy(controllers: [], mountPoint: "/cg", ownPath: "/")])

    private func config(
        uid: UInt32, options: [String] = ["rw"], namespaces: [Namespace] = [Namespace(.cgroup), Namespace(.user)]
    ) -> Config {
        Config(
            ociVersion: "1.3.0",
            mounts: [Mount(destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: options)],
            process: Process(user: User(uid: uid), args: ["x"], cwd: "/"),
            linux: Linux(
                uidMappings: [IDMapping(containerID: 0, hostID: 100_000, size: 10)], namespaces: namespaces))
    }

    @Test func theUserOfTheProcessOwnsAWritableCgroup() {
        #expect(Delegation.owner(config(uid: 3), v2) == 100_003)
        #expect(Delegation.owner(config(uid: 10), v2) == nil)
        let noUserNamespace = config(uid: 4_000_000_000, namespaces: [Namespace(.cgroup)])
        #expect(Delegation.owner(noUserNamespace, v2) == 4_000_000_000)
    }

    @Test func nobodyElseDoes() {
        #expect(Delegation.owner(config(uid: 3, options: ["ro"]), v2) == nil)
        #expect(Delegation.owner(config(uid: 3, namespaces: [Namespace(.user)]), v2) == nil)
        #expect(Delegation.owner(config(uid: 3, namespaces: [Namespace(.cgroup, path: "/x")]), v2) == nil)
        let hybrid = CgroupLayout(
            hierarchies: [CgroupHierarchy(controllers: ["cpu"], mountPoint: "/cpu", ownPath: "/")] + v2.hierarchies)
        #expect(Delegation.owner(config(uid: 3), hybrid) == nil)
        var unmounted = config(uid: 3)
        unmounted.mounts = []
        #expect(Delegation.owner(unmounted, v2) == nil)
    }
}
