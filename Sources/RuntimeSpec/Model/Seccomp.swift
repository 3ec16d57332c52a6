/// The system call filter (config-linux.md, Seccomp).
package struct Seccomp: Equatable, Sendable {
    package var defaultAction: SeccompAction
    /// nil: EPERM.
    package var defaultErrnoRet: UInt32?
    /// Empty: the native architecture only.
    package var architectures: [SeccompArchitecture]
    /// nil when absent: the runtime chooses. An empty array asks for none.
    package var flags: [SeccompFlag]?
    package var listenerPath: String?
    package var listenerMetadata: String?
    package var syscalls: [SeccompSyscall]

    package init(
        defaultAction: SeccompAction, defaultErrnoRet: UInt32? = nil, architectures: [SeccompArchitecture] = [],
        flags: [SeccompFlag]? = nil, listenerPath: String? = nil, listenerMetadata: String? = nil,
        syscalls: [SeccompSyscall] = []
    ) {
        self.defaultAction = defaultAction
        self.defaultErrnoRet = defaultErrnoRet
        self.architectures = architectures
        self.flags = flags
        self.listenerPath = listenerPath
        self.listenerMetadata = listenerMetadata
        self.syscalls = syscalls
    }
}

package struct SeccompSyscall: Equatable, Sendable {
    /// At least one. Unknown names are kept: filters are written for more kernels than the one at hand.
    package var names: [String]
    package var action: SeccompAction
    /// nil: EPERM.
    package var errnoRet: UInt32?
    /// All must match.
    package var args: [SeccompArgument]

    package init(names: [String], action: SeccompAction, errnoRet: UInt32? = nil, args: [SeccompArgument] = []) {
        self.names = names
        self.action = action
        self.errnoRet = errnoRet
        self.args = args
    }
}

package struct SeccompArgument: Equatable, Sendable {
    /// 0 to 5 (checked by `validate()`).
    package var index: UInt32
    package var value: UInt64
    /// With `SCMP_CMP_MASKED_EQ`: `value` is the mask and this the expected result.
    package var valueTwo: UInt64
    package var op: SeccompOperator

    package init(index: UInt32, value: UInt64, valueTwo: UInt64 = 0, op: SeccompOperator) {
        self.index = index
        self.value = value
        self.valueTwo = valueTwo
        self.op = op
    }
}
