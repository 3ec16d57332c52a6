import LinuxSystem
import RuntimeSpec
import Testing

@testable import ContainerRuntime

@Suite struct ExecPatternTests {
    private static let id = "one"

    /// With all that concerns a process, and some that does not.
    private func config() -> Config {
        var linux = Linux()
        linux.namespaces = [Namespace(.pid), Namespace(.mount, path: "/proc/1/ns/mnt")]
        linux.sysctl = [KeyValue("net.core.somaxconn", "9")]
        linux.seccomp = Seccomp(defaultAction: .allow)
        return Config(
            ociVersion: "1.3.0", root: Root(path: "rootfs"), mounts: [Mount(destination: "/proc")],
            process: Process(
                user: User(uid: 3, gid: 4), args: ["/bin/true"], env: ["A=\u{e9}\n"], cwd: "/tmp",
                capabilities: Capabilities(bounding: ["CAP_KILL"]), noNewPrivileges: true),
            linux: linux, annotations: [KeyValue("a", "b")])
    }

    private let filter = SeccompFilter(
        program: [FilterInstruction(FilterInstruction.load, 4), FilterInstruction(FilterInstruction.answer, 7)],
        flags: 5, notifies: false)

    private func record() -> ContainerRecord {
        var record = ContainerRecord(
            id: Self.id, bundle: "/b", rootfs: "/b/rootfs", created: "", ownerID: 0,
            cgroup: ContainerCgroup(driver: .disabled, directories: []))
        record.annotations = [KeyValue("a", "b")]
        return record
    }

    /// What `exec` reads of what create has kept, `change` having been done to the files in between.
    private func read(
        _ pattern: ExecPattern, _ change: (String) throws -> Void = { _ in }
    ) throws -> ExecPattern {
        let directory = try TemporaryDirectory()
        let state = try StateRoot(path: directory.path).create(try ContainerID(Self.id))
        try state.writeExecPattern(pattern)
        try change("\(directory.path)/\(Self.id)")
        return try state.readExecPattern(record())
    }

    @Test func whatConcernsAProcessIsKept() throws {
        let found = try read(ExecPattern(config(), filter))
        var expected = config()
        expected.root = nil
        expected.mounts = []
        expected.process?.args = []
        expected.linux?.sysctl = []
        expected.linux?.seccomp = nil
        #expect(found.config == expected)
        #expect(found.filter == filter)
    }

    /// What answers a listener, and what only this container's runtime can answer, is not kept as it is loaded.
    @Test(arguments: [false, true])
    func aFilterThatAsksIsCompiledAnew(isWatched: Bool) throws {
        var asking = SeccompFilter(program: filter.program, flags: 0, notifies: !isWatched)
        asking.isWatched = isWatched
        let found = try read(ExecPattern(config(), asking))
        #expect(found.filter == nil)
        #expect(found.config.linux?.seccomp == config().linux?.seccomp)
    }

    @Test func withoutAFilterThereIsNone() throws {
        var plain = config()
        plain.linux?.seccomp = nil
        let found = try read(ExecPattern(plain, nil))
        #expect(found.filter == nil && found.config.linux?.seccomp == nil)
    }

    @Test(arguments: [0, 8, 12, 25])
    func aFilterThatIsNotWholeIsRefused(size: Int) throws {
        let damage = { (path: String) throws in
            try FileDescriptor.open(path + "/seccomp.bpf", [.writeOnly, .truncate])
                .write([UInt8](repeating: 0, count: size))
        }
        #expect(throws: RuntimeError.self) { try read(ExecPattern(config(), filter), damage) }
    }

    @Test func aFilterThatIsGoneIsRefused() throws {
        #expect(throws: RuntimeError.self) {
            try read(ExecPattern(config(), filter)) { path in
                try FileDescriptor.open(path, .directoryItself).remove("seccomp.bpf")
            }
        }
    }
}
