internal import LinuxSystem
internal import RuntimeSpec

extension ImageFacts {
    /// What the files of a system tell of the container to be made of it: its name, its language, the command that fits.
    static func ofSystem(
        _ root: borrowing RootDirectory, _ request: BundleRequest, unifiedCgroups: Bool
    ) throws(BundleError) -> ImageFacts {
        var facts = ImageFacts()
        let name = ImageFile.read("etc/hostname", in: root).flatMap { hostname($0) }
        if let wanted = request.hostname {
            guard hostname(Array(wanted.utf8)) == wanted else {
                throw BundleError(
                    "--hostname: \"\(wanted)\" is no host name", hint: "letters, digits, dots and dashes, at most 64")
            }
            facts.hostname = wanted
        } else {
            facts.hostname = name
        }
        facts.env = [
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm",
            // The interface of container managers to systemd: what kind of container this is.
            "container=oci",
        ]
        if let language = language(root) { facts.env.append("LANG=\(language)") }
        try choose(&facts, root, request, unifiedCgroups)
        return facts
    }

    private static func choose(
        _ facts: inout ImageFacts, _ root: borrowing RootDirectory, _ request: BundleRequest, _ unifiedCgroups: Bool
    ) throws(BundleError) {
        if let wanted = request.initCommand, wanted != "auto" {
            facts.args = wanted.split(separator: " ").map(String.init)
            guard let program = facts.args.first else { throw BundleError("--init: names no command") }
            facts.isInitSystem = program.hasSuffix("/init") || program.hasSuffix("/systemd")
        } else if unifiedCgroups, ImageFile.exists("usr/lib/systemd/systemd", in: root),
            ImageFile.exists("sbin/init", in: root)
        {
            // systemd wants a control group that it may divide; with version 1 no container can give it one.
            facts.args = ["/sbin/init"]
            facts.isInitSystem = true
        } else {
            facts.args = [(try? root.open("bin/bash")) != nil ? "/bin/bash" : "/bin/sh"]
            facts.terminal = true
        }
    }

    /// The first line of /etc/hostname, where that is a name: it goes to the kernel and into configurations.
    private static func hostname(_ text: [UInt8]) -> String? {
        let line = text.prefix { $0 != 10 }.filter { $0 > 32 }
        guard (1...64).contains(line.count) else { return nil }
        for byte in line {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
                continue
            default: return nil
            }
        }
        return String(decoding: line, as: UTF8.self)
    }

    private static func language(_ root: borrowing RootDirectory) -> String? {
        for path in ["etc/locale.conf", "etc/default/locale"] {
            guard let text = ImageFile.read(path, in: root) else { continue }
            for (key, value) in OSRelease.assignments(text) where key == "LANG" && !value.isEmpty { return value }
        }
        return nil
    }
}

/// Whether this machine has control groups of version 2 alone.
func hasUnifiedCgroups() -> Bool {
    guard let root = try? FileDescriptor.open("/sys/fs/cgroup", .directory) else { return false }
    return (try? root.filesystemMagic()) == cgroup2Magic
}
