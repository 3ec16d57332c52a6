import ContainerRuntime
import RuntimeSpec
import Testing

@testable import swrun

extension CommandLineTests {
    @Suite("What launch's options mean")
    struct LaunchConfigurationTests {
        private static let root = LaunchCaller(uid: 0, gid: 0, hasTerminal: false)
        private static let user = LaunchCaller(uid: 1000, gid: 100, hasTerminal: false)

        private func config(_ words: [String], _ caller: LaunchCaller = root) throws(RuntimeError) -> Config {
            let arguments = Arguments(options: LaunchFlag.options)
            _ = try arguments.read(words, stops: false)
            var wishes = try LaunchWishes(arguments)
            try wishes.settle(for: caller)
            return LaunchConfiguration(wishes, for: caller).make(rootfs: "/srv/r", name: "box")
        }

        private func complaint(_ words: [String], _ caller: LaunchCaller = root) -> String {
            do throws(RuntimeError) {
                _ = try config(words, caller)
                return "no error"
            } catch {
                return error.message
            }
        }

        private func types(_ config: Config) -> Set<NamespaceType> { Set((config.linux?.namespaces ?? []).map(\.type)) }

        @Test("flags of namespaces give those and no others")
        func namespaces() throws {
            #expect(types(try config(["-i", "-m", "-p"])) == [.ipc, .mount, .pid])
            #expect(types(try config(["-u", "--cgroup=false"])) == [.uts])
            #expect(types(try config([])) == [.ipc, .mount, .pid, .network, .uts, .cgroup])
            #expect(types(try config(["-U"])) == [.ipc, .mount, .pid, .network, .uts, .cgroup, .user])
            #expect(types(try config([], Self.user)) == [.ipc, .mount, .pid, .network, .uts, .cgroup, .user])
            #expect(complaint(["-i"], Self.user).hasPrefix("user 1000 may make namespaces only together with"))
        }

        @Test(
            "every configuration is valid",
            arguments: [[], ["-i"], ["-m"], ["-U"], ["-U", "-m"], ["-u", "-c"], ["-s"]])
        func valid(words: [String]) throws {
            let made = try config(words)
            #expect(throws: Never.self) { try made.validate() }
            #expect(try Config.decode(made.json.bytes()) == made)
        }

        @Test("what a namespace that is not owned cannot have is replaced")
        func substitutes() throws {
            let mounts = try config(["-U", "-m"]).mounts
            #expect(mounts.first { $0.destination == "/sys" }?.source == "/sys")
            #expect(mounts.first { $0.destination == "/proc" }?.source == "/proc")
            #expect(!mounts.contains { $0.destination == "/dev/mqueue" })
            let own = try config(["-U"]).mounts
            #expect(own.first { $0.destination == "/sys" }?.type == "sysfs")
            #expect(own.first { $0.destination == "/proc" }?.type == "proc")
            #expect(own.contains { $0.destination == "/dev/mqueue" })
        }

        @Test("without a mount namespace nothing is mounted, and what needs one is refused")
        func noMounts() throws {
            let made = try config(["-u"])
            #expect(made.mounts.isEmpty && made.linux?.maskedPaths.isEmpty == true)
            #expect(complaint(["-u", "-v", "/etc:/x"]).mentions("add --mounts (-m)"))
            #expect(complaint(["-u", "--read-only"]).mentions("add --mounts (-m)"))
            #expect(complaint(["-m", "--hostname", "x"]).mentions("add --uts (-u)"))
        }

        @Test("the caller of a user namespace is its root")
        func mappings() throws {
            let linux = try #require(try config(["-U"], Self.user).linux)
            #expect(linux.uidMappings.first == IDMapping(containerID: 0, hostID: 1000, size: 1))
            #expect(linux.gidMappings.first == IDMapping(containerID: 0, hostID: 100, size: 1))
            #expect(linux.resources == nil)
        }

        @Test("the command comes from one place")
        func commands() throws {
            #expect(try config([]).process?.args == ["/bin/sh"])
            #expect(try config(["-C", "ls -l"]).process?.args == ["ls", "-l"])
            #expect(try config(["/r", "--", "ls", "--help"]).process?.args == ["ls", "--help"])
            #expect(try config(["--", "-C"]).process?.args == ["-C"])
            #expect(complaint(["-C", "ls", "--", "ls"]).mentions("two commands"))
            #expect(complaint(["/r", "ls"]).mentions("write -- between"))
            #expect(complaint(["/r", "-P", "/q"]).hasPrefix("two root filesystems"))
        }

        @Test("capabilities are added and dropped; the more precise word wins")
        func capabilities() throws {
            func held(_ words: [String]) throws -> [String] { try config(words).process?.capabilities?.effective ?? [] }
            #expect(Set(try held([])) == Set(CapabilityWishes.reduced))
            #expect(try held(["--cap-add", "net_raw"]).contains("CAP_NET_RAW"))
            #expect(try held(["--cap-drop", "CAP_CHOWN"]).count == CapabilityWishes.reduced.count - 1)
            #expect(try held(["--cap-drop", "all", "--cap-add", "KILL"]) == ["CAP_KILL"])
            #expect(try held(["--cap-add", "all", "--cap-drop", "kill"]).count == CapabilityMask.knownNames.count - 1)
            #expect(
                complaint(["--cap-add", "KILLL"])
                    == "--cap-add: \"KILLL\" is no capability that this kernel knows; did you mean CAP_KILL?")
            let user = try config(["--user-id", "7", "--cap-add", "net_raw"]).process?.capabilities
            #expect(user?.ambient == ["CAP_NET_RAW"])
            #expect(user?.bounding?.count == CapabilityWishes.reduced.count + 1)
        }

        @Test("the filter has the minimal list and what is added to it; -S alone means -s")
        func filters() throws {
            #expect(try config([]).linux?.seccomp == nil)
            let minimal = try #require(try config(["-s"]).linux?.seccomp)
            let more = try #require(try config(["-S", "connect,bind", "-S", "clone"]).linux?.seccomp)
            #expect(minimal.defaultAction == .errno)
            #expect(Set(more.syscalls[0].names).subtracting(minimal.syscalls[0].names) == ["connect", "bind", "clone"])
            #expect(!more.syscalls[1...].contains { $0.names == ["clone"] })
        }

        @Test("limits and the rest are where the specification has them")
        func rest() throws {
            let made = try config([
                "--memory", "1g", "--cpus", "2", "--pids-limit", "9", "--read-only", "-w", "/tmp", "--user-id", "3:4",
                "-e",
                "A=b=c",
                "-e", "PATH=/x", "--hostname", "h",
            ])
            #expect(made.linux?.resources?.memory?.limit == 1 << 30)
            #expect(made.linux?.resources?.cpu?.quota == 200_000)
            #expect(made.linux?.resources?.pids?.limit == 9)
            #expect(made.root?.readonly == true && made.hostname == "h" && made.process?.cwd == "/tmp")
            #expect(made.process?.user == User(uid: 3, gid: 4))
            #expect(made.process?.env == ["A=b=c", "PATH=/x"])
            #expect(try config([]).hostname == "box")
        }

        @Test("combinations that cannot work are refused with the reason")
        func impossible() {
            #expect(complaint(["-Q", "a", "-U"]).hasPrefix("--qcow2 with --user"))
            #expect(complaint(["-Q", "a"], Self.user).hasPrefix("--qcow2 with --user"))
            #expect(complaint(["-Q", "a", "-P", "/b"]).hasPrefix("--qcow2 and --path"))
            #expect(complaint(["-Q", "a", "-p"]).mentions("add --mounts (-m)"))
        }
    }
}
