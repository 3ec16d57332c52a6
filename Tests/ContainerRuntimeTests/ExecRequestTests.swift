import RuntimeSpec
import Testing

@testable import ContainerRuntime

@Suite struct ExecRequestTests {
    @Test(arguments: [
        ("0", UInt32(0), UInt32?.none), ("1000", 1000, nil), ("1000:1001", 1000, 1001), ("0:0", 0, 0),
        ("4294967294:4294967294", 4_294_967_294, 4_294_967_294),
    ])
    func aUserIsOneOrTwoNumbers(text: String, uid: UInt32, gid: UInt32?) throws {
        let change = try #require(UserChange(parsing: text))
        #expect(change.uid == uid)
        #expect(change.gid == gid)
    }

    @Test(arguments: [
        "", ":", "abc", "1000:", ":1000", "1000:x", "x:1000", "-1", "+1", " 1", "1 ", "1000:1000:1000", "0x10", "1.0",
        "4294967295", "4294967296", "99999999999999999999", "1000:-1", "1000:4294967295", "root", "\u{0661}",
    ])
    func anythingElseIsNoUser(text: String) {
        #expect(UserChange(parsing: text) == nil)
    }

    @Test func capabilitiesAreNotAddedToTheInheritedSets() {
        var process = Process(cwd: "/", capabilities: Capabilities(bounding: ["CAP_KILL"]))
        var changes = ProcessChanges()
        changes.capabilities = ["CAP_NET_ADMIN"]
        changes.apply(to: &process)
        #expect(process.capabilities?.bounding == ["CAP_KILL", "CAP_NET_ADMIN"])
        #expect(process.capabilities?.effective == ["CAP_NET_ADMIN"])
        #expect(process.capabilities?.permitted == ["CAP_NET_ADMIN"])
        #expect(process.capabilities?.inheritable == nil)
        #expect(process.capabilities?.ambient == nil)
    }

    @Test func aVariableTakesThePlaceOfItsName() {
        var process = Process(env: ["A=1", "AB=2", "A=3"], cwd: "/")
        var changes = ProcessChanges()
        changes.env = ["A=4=5"]
        changes.apply(to: &process)
        #expect(process.env == ["AB=2", "A=4=5"])
    }

    @Test func aGroupStaysWhenOnlyTheUserChanges() {
        var process = Process(user: User(uid: 1, gid: 2, additionalGids: [3]), cwd: "/")
        var changes = ProcessChanges()
        changes.user = UserChange(parsing: "7")
        changes.additionalGids = [3, 4]
        changes.apply(to: &process)
        #expect(process.user == User(uid: 7, gid: 2, additionalGids: [3, 4]))
    }
}
