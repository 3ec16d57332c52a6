import RuntimeSpec
import Testing

@testable import ContainerRuntime

@Suite struct CredentialPlanTests {
    private static let held = CapabilityMask.known

    private func sets(inheritable: CapabilityMask = [], ambient: CapabilityMask = []) -> CapabilitySets {
        var sets = CapabilitySets()
        (sets.bounding, sets.permitted, sets.effective) = ([.kill, .netRaw], [.kill, .netRaw], .kill)
        (sets.inheritable, sets.ambient) = (inheritable, ambient)
        return sets
    }

    private func steps(
        _ user: User, _ sets: CapabilitySets, noNewPrivileges: Bool, hasFilter: Bool, mayLackGroups: Bool = false
    ) -> [CredentialPlan.Step] {
        CredentialPlan(
            user, sets, held: Self.held, noNewPrivileges: noNewPrivileges, hasFilter: hasFilter,
            mayLackGroups: mayLackGroups
        ).steps
    }

    private let dropped = CredentialPlan.Step.dropBounding(CapabilityMask.known.subtracting([.kill, .netRaw]))
    private let all = CredentialPlan.Step.capabilities(effective: held, permitted: held, inheritable: [])
    private let final = CredentialPlan.Step.capabilities(
        effective: .kill, permitted: [.kill, .netRaw], inheritable: [])

    @Test func rootWithoutNoNewPrivilegesLoadsTheFilterBeforeItsCapabilitiesGo() {
        #expect(
            steps(User(), sets(), noNewPrivileges: false, hasFilter: true) == [
                dropped, .groups([], mayBeDenied: false), .group(0), .user(0), .loadFilter, final,
            ])
    }

    @Test func withNoNewPrivilegesTheFilterIsTheLastStep() {
        #expect(
            steps(User(), sets(), noNewPrivileges: true, hasFilter: true) == [
                dropped, .groups([], mayBeDenied: false), .group(0), .user(0), final, .noNewPrivileges, .loadFilter,
            ])
    }

    @Test func aUserOtherThanRootGetsThePrivilegeForTheFilterBack() {
        let user = User(uid: 1000, gid: 100, umask: 0o27, additionalGids: [5, 6])
        #expect(
            steps(user, sets(), noNewPrivileges: false, hasFilter: true) == [
                .fileModeMask(0o27), dropped, .groups([5, 6], mayBeDenied: false), .group(100), .keepCapabilities,
                .user(1000), all, .loadFilter, final,
            ])
    }

    @Test func withoutAFilterThereIsOneChangeOfCapabilities() {
        #expect(
            steps(User(uid: 7), sets(), noNewPrivileges: false, hasFilter: false) == [
                dropped, .groups([], mayBeDenied: false), .group(0), .keepCapabilities, .user(7), final,
            ])
    }

    @Test func ambientCapabilitiesAreRaisedWhileTheyArePermittedAndInheritable() {
        let wanted = sets(inheritable: .netRaw, ambient: .netRaw)
        let before = CredentialPlan.Step.capabilities(
            effective: Self.held, permitted: Self.held, inheritable: .netRaw)
        let after = CredentialPlan.Step.capabilities(
            effective: .kill, permitted: [.kill, .netRaw], inheritable: .netRaw)
        #expect(
            steps(User(uid: 7), wanted, noNewPrivileges: false, hasFilter: true).suffix(4) == [
                before, .raiseAmbient(.netRaw), .loadFilter, after,
            ])
        #expect(
            steps(User(), wanted, noNewPrivileges: true, hasFilter: true).suffix(5) == [
                .clearAmbient, after, .raiseAmbient(.netRaw), .noNewPrivileges, .loadFilter,
            ])
    }

    @Test func whatIsInheritableButNotBoundIsMadeInheritableFirst() {
        let wanted = sets(inheritable: .chown)
        #expect(
            steps(User(), wanted, noNewPrivileges: false, hasFilter: false).prefix(2) == [
                .capabilities(effective: Self.held, permitted: Self.held, inheritable: .chown), dropped,
            ])
    }

    @Test func onlyAUserNamespaceMayDenySupplementaryGroups() {
        func groups(_ gids: [UInt32], mayLackGroups: Bool) -> CredentialPlan.Step? {
            steps(
                User(additionalGids: gids), sets(), noNewPrivileges: true, hasFilter: false,
                mayLackGroups: mayLackGroups
            ).first { if case .groups = $0 { true } else { false } }
        }
        #expect(groups([], mayLackGroups: true) == .groups([], mayBeDenied: true))
        #expect(groups([5], mayLackGroups: true) == .groups([5], mayBeDenied: false))
        #expect(groups([], mayLackGroups: false) == .groups([], mayBeDenied: false))
    }
}
