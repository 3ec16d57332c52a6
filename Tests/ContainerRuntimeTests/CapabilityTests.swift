import RuntimeSpec
import Testing

@testable import ContainerRuntime

extension CapabilityMask {
    static let chown = CapabilityMask(rawValue: 1 << 0)
    static let kill = CapabilityMask(rawValue: 1 << 5)
    static let netRaw = CapabilityMask(rawValue: 1 << 13)
    static let sysAdmin = CapabilityMask(rawValue: 1 << 21)
}

@Suite struct CapabilityTests {
    private let all = HeldCapabilities.inUserNamespace

    @Test func namesStandForTheirNumbers() {
        #expect(CapabilityMask(name: "CAP_CHOWN") == .chown)
        #expect(CapabilityMask(name: "CAP_KILL") == .kill)
        #expect(CapabilityMask(name: "CAP_NET_RAW") == .netRaw)
        #expect(CapabilityMask(name: "CAP_SYS_ADMIN") == .sysAdmin)
        #expect(CapabilityMask(name: "CAP_CHECKPOINT_RESTORE") == CapabilityMask(rawValue: 1 << 40))
    }

    @Test(arguments: ["", "CAP_", "CAP_FOO", "cap_chown", "CHOWN", "5", "CAP_5", "CAP_CHOWN=ep", "CAP_CHOWN,CAP_KILL"])
    func otherTextIsNoName(text: String) {
        #expect(CapabilityMask(name: text) == nil)
    }

    @Test func unknownNamesAreWarnedAboutOnceAndLeftOut() throws {
        var warnings: [String] = []
        let capabilities = Capabilities(
            bounding: ["CAP_FOO", "CAP_KILL"], effective: ["CAP_FOO"], permitted: ["CAP_KILL", "CAP_BAR"])
        let sets = try CapabilitySets.resolve(capabilities, inUserNamespace: true, warnings: &warnings).sets
        #expect(sets.bounding == .kill)
        #expect(sets.permitted == .kill)
        #expect(sets.effective == [])
        #expect(warnings.count == 2)
        #expect(warnings[0] == "process.capabilities: CAP_FOO is unknown to this kernel or to libcap and is left out")
        #expect(warnings[1].contains("CAP_BAR"))
    }

    @Test func aMissingSectionGrantsNothing() throws {
        var warnings: [String] = []
        let sets = try CapabilitySets.resolve(nil, inUserNamespace: true, warnings: &warnings).sets
        #expect(sets == CapabilitySets())
        #expect(warnings.isEmpty)
    }

    @Test func whatTheRuntimeDoesNotHaveIsWarnedAboutAndLeftOut() {
        var sets = CapabilitySets()
        (sets.bounding, sets.permitted, sets.effective) = ([.kill, .netRaw], [.kill, .netRaw], [.kill, .netRaw])
        (sets.inheritable, sets.ambient) = ([.kill, .netRaw], [.kill, .netRaw])
        var warnings: [String] = []
        sets.limit(to: HeldCapabilities(permitted: .kill, bounding: .kill), warnings: &warnings)
        #expect(sets.bounding == .kill && sets.permitted == .kill && sets.effective == .kill)
        #expect(sets.inheritable == .kill && sets.ambient == .kill)
        #expect(
            warnings == [
                "process.capabilities: cannot grant CAP_NET_RAW (bounding, permitted, inheritable, effective, ambient): "
                    + "the runtime does not have it itself"
            ])
    }

    @Test func effectiveAndAmbientNeedTheOtherSets() {
        var sets = CapabilitySets()
        (sets.bounding, sets.permitted, sets.inheritable) = ([.kill, .chown], .kill, [.chown, .kill])
        (sets.effective, sets.ambient) = ([.kill, .sysAdmin], [.kill, .chown])
        var warnings: [String] = []
        sets.limit(to: all, warnings: &warnings)
        #expect(sets.effective == .kill)
        #expect(sets.ambient == .kill)
        #expect(
            warnings == [
                "process.capabilities: cannot grant CAP_CHOWN (ambient): it is not both permitted and inheritable",
                "process.capabilities: cannot grant CAP_SYS_ADMIN (effective): it is not permitted",
            ])
    }

    @Test func numbersAreListedInOrder() {
        #expect(([.netRaw, .chown, .kill] as CapabilityMask).numbers == [0, 5, 13])
        #expect(CapabilityMask.known.contains([.chown, .sysAdmin]))
        #expect(!CapabilityMask.known.contains(CapabilityMask(rawValue: 1 << 63)))
    }
}
