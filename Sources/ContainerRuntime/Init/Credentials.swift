internal import Glibc
internal import LinuxSystem
package import RuntimeSpec

/// How a process takes on the user, the groups, the capabilities and the filter of its container: the calls in their
/// order, worked out on the host side. Nothing has happened yet.
package struct CredentialPlan: Equatable, Sendable {
    enum Step: Equatable, Sendable {
        case fileModeMask(UInt32)
        case dropBounding(CapabilityMask)
        /// `mayBeDenied`: a user namespace may forbid setgroups(2), and there is nothing to add.
        case groups([UInt32], mayBeDenied: Bool)
        case group(UInt32)
        case keepCapabilities
        case user(UInt32)
        case clearAmbient
        case capabilities(effective: CapabilityMask, permitted: CapabilityMask, inheritable: CapabilityMask)
        case raiseAmbient(CapabilityMask)
        case secureBits(UInt32)
        case noNewPrivileges
        case loadFilter
    }

    let steps: [Step]

    /// Whether the filter is the last step: then it may be loaded later.
    var loadsFilterLast: Bool { steps.last == .loadFilter }

    /// - Parameters:
    ///   - hasFilter: whether a filter will be given to `apply`
    ///   - inUserNamespace: whether the process is in a user namespace other than the runtime's
    ///   - isRootless: whether the runtime itself may be in a user namespace that denies setgroups(2)
    ///   - annotations: those of the container, some of which are about this
    ///   - warnings: receives what could not be granted
    package init(
        _ process: Process, hasFilter: Bool, inUserNamespace: Bool, isRootless: Bool = false,
        annotations: [KeyValue] = [], warnings: inout [String]
    ) throws(RuntimeError) {
        let (sets, held) = try CapabilitySets.resolve(
            process.capabilities, inUserNamespace: inUserNamespace, warnings: &warnings)
        self.init(
            process.user, sets, held: held.permitted, noNewPrivileges: process.noNewPrivileges, hasFilter: hasFilter,
            mayLackGroups: inUserNamespace || isRootless, secureBits: try SecureBits.parse(annotations),
            keepsGroups: annotations.keepsGroups)
    }

    /// - Parameter held: the permitted set of the process before the first step
    init(
        _ user: User, _ sets: CapabilitySets, held: CapabilityMask, noNewPrivileges: Bool, hasFilter: Bool,
        mayLackGroups: Bool, secureBits: UInt32 = 0, keepsGroups: Bool = false
    ) {
        var steps: [Step] = []
        if let mask = user.umask { steps.append(.fileModeMask(mask)) }

        // The bounding set while CAP_SETPCAP is there. It also limits what can be made inheritable afterwards.
        if !sets.inheritable.isSubset(of: sets.bounding) {
            steps.append(.capabilities(effective: held, permitted: held, inheritable: sets.inheritable))
        }
        steps.append(.dropBounding(CapabilityMask.known.subtracting(sets.bounding)))

        // Groups before the user, for the user may not change them. A user other than root would lose all capabilities
        // with this change, also those that are to be kept and those needed below.
        let mayBeDenied = mayLackGroups && user.additionalGids.isEmpty
        if !keepsGroups { steps.append(.groups(user.additionalGids, mayBeDenied: mayBeDenied)) }
        steps.append(.group(user.gid))
        if user.uid != 0 { steps.append(.keepCapabilities) }
        steps.append(.user(user.uid))
        // Ambient capabilities of the runtime's own end with a change of the user, or of the inheritable set.
        if user.uid == 0 && !sets.inheritable.isEmpty { steps.append(.clearAmbient) }

        let final = Step.capabilities(
            effective: sets.effective, permitted: sets.permitted, inheritable: sets.inheritable)
        let ambient: [Step] = sets.ambient.isEmpty ? [] : [.raiseAmbient(sets.ambient)]
        let filterComesFirst = hasFilter && !noNewPrivileges
        if filterComesFirst || secureBits != 0 {
            // The kernel takes a filter from a process that cannot gain privileges, or from one with CAP_SYS_ADMIN. So
            // the filter has to come before the capabilities go, and must allow what follows it: the one capset(2).
            // Securebits need CAP_SETPCAP, and may forbid to raise ambient capabilities.
            if user.uid != 0 || !ambient.isEmpty {
                steps.append(.capabilities(effective: held, permitted: held, inheritable: sets.inheritable))
            }
            steps += ambient
            if secureBits != 0 { steps.append(.secureBits(secureBits)) }
            steps += filterComesFirst ? [.loadFilter, final] : [final]
            if noNewPrivileges { steps.append(.noNewPrivileges) }
            if hasFilter && !filterComesFirst { steps.append(.loadFilter) }
        } else {
            steps += [final] + ambient
            if noNewPrivileges { steps.append(.noNewPrivileges) }
            if hasFilter { steps.append(.loadFilter) }
        }
        self.steps = steps
    }

    /// Carries the plan out on this process. Afterwards only execve(2) should follow, for the filter is in force.
    ///
    /// Changes of the user make the kernel forget PR_SET_PDEATHSIG and make this process's /proc files root's.
    ///
    /// - Parameters:
    ///   - withIdentity: called once the process has its new user and groups, and is not yet under the filter
    ///   - announceListener: called right before a filter that notifies is loaded, with the number its listener
    ///   will have; the last moment to tell the host (`SeccompListener`).
    package func apply(
        filter: SeccompFilter?, withIdentity: () throws(RuntimeError) -> Void,
        announceListener: (Int32) throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        let writer = try explain("cannot read the kernel's capabilities") { () throws(SystemError) in
            try CapabilityWriter.make()
        }
        for step in steps {
            if case .loadFilter = step {
                try withIdentity()
                try filter?.loadAnnouncing(announceListener)
                continue
            }
            do throws(SystemError) { try step.apply(writer) } catch { throw step.explain(error) }
        }
        if !steps.contains(.loadFilter) { try withIdentity() }
    }
}

extension CredentialPlan.Step {
    fileprivate func apply(_ writer: borrowing CapabilityWriter) throws(SystemError) {
        switch self {
        case .fileModeMask(let mask): setFileModeMask(mask)
        case .dropBounding(let mask): try mask.dropFromBoundingSet()
        case .groups(let groups, let mayBeDenied):
            do throws(SystemError) {
                try setSupplementaryGroups(groups)
            } catch {
                guard mayBeDenied && error.errno == .notPermitted else { throw error }
            }
        case .group(let id): try setGroupID(id)
        case .keepCapabilities: try keepCapabilitiesAcrossUserChange()
        case .user(let id): try setUserID(id)
        case .clearAmbient: try clearAmbientCapabilities()
        case .capabilities(let effective, let permitted, let inheritable):
            try writer.set(effective: effective, permitted: permitted, inheritable: inheritable)
        case .raiseAmbient(let mask): try mask.raiseAmbient()
        case .secureBits(let bits): try setSecureBits(bits)
        case .noNewPrivileges: try setNoNewPrivileges()
        case .loadFilter: break
        }
    }

    fileprivate func explain(_ error: SystemError) -> RuntimeError {
        let isUnmapped = error.errno == .invalid
        let privilege = "the runtime has to be root, or the container needs a user namespace"
        switch self {
        case .fileModeMask: return RuntimeError(at: "process.user.umask", "cannot set the file mode mask", error)
        case .dropBounding:
            return RuntimeError(
                at: "process.capabilities.bounding", "cannot drop capabilities", error,
                hint: "the runtime needs CAP_SETPCAP")
        case .groups:
            return RuntimeError(
                at: "process.user.additionalGids", "cannot set the supplementary groups", error,
                hint: isUnmapped
                    ? "every one needs a place in linux.gidMappings"
                    : "a user namespace made without privilege has no supplementary groups (setgroups is denied)")
        case .group(let id):
            return RuntimeError(
                at: "process.user.gid", "cannot become group \(id)", error,
                hint: isUnmapped ? "linux.gidMappings has no place for it" : privilege)
        case .user(let id):
            return RuntimeError(
                at: "process.user.uid", "cannot become user \(id)", error,
                hint: isUnmapped ? "linux.uidMappings has no place for it" : privilege)
        case .keepCapabilities, .capabilities:
            return RuntimeError(at: "process.capabilities", "cannot set the capabilities", error)
        case .clearAmbient, .raiseAmbient:
            return RuntimeError(at: "process.capabilities.ambient", "cannot set the ambient capabilities", error)
        case .secureBits:
            return RuntimeError(
                at: "annotations[\"\(SecureBits.annotation)\"]", "cannot set the securebits", error,
                hint: "the runtime needs CAP_SETPCAP")
        case .noNewPrivileges: return RuntimeError(at: "process.noNewPrivileges", "cannot be set", error)
        case .loadFilter: return RuntimeError(at: "linux.seccomp", "cannot load the system call filter", error)
        }
    }
}

extension [KeyValue] {
    /// Whether the process keeps the groups that the runtime was started with: a user without privileges may have access
    /// to something through them alone.
    var keepsGroups: Bool { self[.keepOriginalGroups] == "1" }
}
