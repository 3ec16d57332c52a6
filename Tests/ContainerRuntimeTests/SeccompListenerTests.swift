import RuntimeSpec
import Testing

@testable import ContainerRuntime

@Suite struct SeccompListenerTests {
    private let notifying = SeccompSyscall(names: ["mount"], action: .notify)

    @Test func theContainerProcessStateHoldsWhatTheSpecificationNames() throws {
        let seccomp = Seccomp(
            defaultAction: .allow, listenerPath: "/run/agent.sock", listenerMetadata: "a=\"1\"\n\\ä",
            syscalls: [notifying])
        let listener = try #require(try SeccompListener(seccomp))
        let document = listener.document(pid: 4422, specVersion: "1.2.0", state: .object([.init("id", .string("x"))]))
        let metadata = "\"a=\\\"1\\\"\\n\\\\ä\""
        #expect(
            document.serialized()
                == "{\"ociVersion\":\"1.2.0\",\"fds\":[\"seccompFd\"],\"pid\":4422,\"metadata\":\(metadata),"
                + "\"state\":{\"id\":\"x\"}}")
    }

    @Test func withoutANotifyingActionThePathIsIgnored() throws {
        #expect(try SeccompListener(Seccomp(defaultAction: .allow, listenerPath: "/run/agent.sock")) == nil)
    }

    @Test func aNotifyingActionNeedsAPath() {
        let error = #expect(throws: RuntimeError.self) {
            try SeccompListener(Seccomp(defaultAction: .allow, syscalls: [notifying]))
        }
        #expect(error?.message.hasPrefix("linux.seccomp.listenerPath: missing") == true)
    }
}
