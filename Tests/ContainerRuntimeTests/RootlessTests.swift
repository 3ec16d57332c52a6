import LinuxSystem
import RuntimeSpec
import Testing

@testable import ContainerRuntime

@Suite("Containers of ordinary users")
struct RootlessTests {
    private func ranges(_ text: String) -> [SubordinateIDs.Range] {
        SubordinateIDs(ofUser: 1000, name: "ann", text: Array(text.utf8)).ranges
    }

    @Test("grants are found by name and by number, in their order")
    func grants() {
        #expect(
            ranges("bob:1:2\nann:100000:65536\n1000:7:8\n") == [
                .init(first: 100_000, count: 65536), .init(first: 7, count: 8),
            ])
        #expect(ranges("") == [])
        #expect(ranges("annabel:1:2\n10000:1:2\n") == [])
    }

    @Test(
        "lines that are no grants are passed over",
        arguments: [
            "ann:1", "ann:1:2:3", "ann:x:2", "ann:1:x", "ann:1:0", "ann:4294967295:2", "# ann:1:2", "ann:-1:2",
        ])
    func noGrants(line: String) { #expect(ranges("\(line)\nann:5:6") == [.init(first: 5, count: 6)]) }

    @Test("a user without a name has only grants by number")
    func nameless() {
        #expect(
            SubordinateIDs(ofUser: 1000, name: "", text: Array(":1:2\n1000:3:4".utf8)).ranges == [
                .init(first: 3, count: 4)
            ])
    }

    @Test("the caller is root, its subordinate ids follow without a gap")
    func mapping() {
        let ids = SubordinateIDs(ofUser: 1000, name: "ann", text: Array("ann:100:10\nann:500:5".utf8))
        #expect(
            ids.mapping(root: 1000) == [
                IDRange(inside: 0, outside: 1000, count: 1), IDRange(inside: 1, outside: 100, count: 10),
                IDRange(inside: 11, outside: 500, count: 5),
            ])
    }

    @Test(
        "what forbids user namespaces is named with what allows them",
        arguments: [
            (
                Errno.noSpace, ["user/max_user_namespaces": "0"],
                "user namespaces are switched off here: sysctl -w user.max_user"
            ),
            (.noSpace, ["user/max_user_namespaces": "9"], "there are as many user namespaces as the limit (9) allows"),
            (
                .notPermitted, ["kernel/unprivileged_userns_clone": "0"],
                "only root may make user namespaces here: sysctl -w kernel.unpr"
            ),
            (
                .notPermitted,
                ["kernel/unprivileged_userns_clone": "1", "kernel/apparmor_restrict_unprivileged_userns": "1"],
                "AppArmor restricts"
            ),
            (
                .accessDenied, ["kernel/apparmor_restrict_unprivileged_userns": "1"],
                "AppArmor restricts user namespaces here"
            ),
            (
                .notPermitted, ["kernel/apparmor_restrict_unprivileged_userns": "0"],
                "are user namespaces forbidden here"
            ),
            (.invalid, [:], "this kernel has no user namespaces"),
        ] as [(Errno, [String: String], String)])
    func refusals(errno: Errno, settings: [String: String], beginning: String) {
        #expect(userNamespaceRefusal(errno) { settings[$0] }.hasPrefix(beginning))
    }
}
