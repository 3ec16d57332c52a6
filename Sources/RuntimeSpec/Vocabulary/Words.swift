/// The words of the spec that stand for a fixed set of things. Each enum is the one table of its vocabulary: the decoder
/// accepts its raw values, error messages list them, and `features` reports them.
package protocol SpecWord: RawRepresentable<String>, CaseIterable, Equatable, Sendable, JSONDecodable {
    /// What one word of this vocabulary is called in an error: `unknown namespace "foo"`.
    static var noun: StaticString { get }
}

package enum NamespaceType: String, SpecWord {
    case cgroup, ipc, mount, network, pid, time, user, uts

    package static let noun: StaticString = "namespace"
}

package enum TimeClock: String, SpecWord {
    case boottime, monotonic

    package static let noun: StaticString = "clock"
}

package enum RootfsPropagation: String, SpecWord {
    case `private`, shared, slave, unbindable
    /// With the letter r, the mounts below are meant as well: not words of the spec, but those that Docker writes.
    case rprivate, rshared, rslave, runbindable

    package static let noun: StaticString = "propagation"
}

package enum PersonalityDomain: String, SpecWord {
    case linux = "LINUX"
    case linux32 = "LINUX32"

    package static let noun: StaticString = "execution domain"
}

/// In calling order over a container's life.
package enum HookName: String, SpecWord {
    case prestart, createRuntime, createContainer, startContainer, poststart, poststop

    package static let noun: StaticString = "hook"
}

package enum DeviceType: String, SpecWord {
    case block = "b"
    case character = "c"
    case pipe = "p"
    /// A character device too: mknod(1) calls it unbuffered.
    case unbuffered = "u"

    package static let noun: StaticString = "device type"
}

package enum DeviceRuleType: String, SpecWord {
    case all = "a"
    case block = "b"
    case character = "c"

    package static let noun: StaticString = "device type"
}

/// What a device rule is about: a composition of the letters r, w and m.
package struct DeviceAccess: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    package static let read = DeviceAccess(rawValue: 1)
    package static let write = DeviceAccess(rawValue: 2)
    package static let mknod = DeviceAccess(rawValue: 4)
    package static let all: DeviceAccess = [.read, .write, .mknod]

    /// nil when another letter is among them.
    package init?(letters: String) {
        var access: DeviceAccess = []
        for letter in letters.utf8 {
            switch letter {
            case UInt8(ascii: "r"): access.insert(.read)
            case UInt8(ascii: "w"): access.insert(.write)
            case UInt8(ascii: "m"): access.insert(.mknod)
            default: return nil
            }
        }
        self = access
    }

    /// The letters in the order the kernel prints them.
    package var letters: String {
        (contains(.read) ? "r" : "") + (contains(.write) ? "w" : "") + (contains(.mknod) ? "m" : "")
    }
}
