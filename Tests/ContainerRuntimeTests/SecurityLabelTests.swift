import RuntimeSpec
import Testing

@testable import ContainerRuntime

@Suite struct SecurityLabelTests {
    private static let bare = SecurityModules(hasAppArmor: { false }, hasSELinux: { false })
    private static let full = SecurityModules(hasAppArmor: { true }, hasSELinux: { true })

    private func process(apparmor: String? = nil, selinux: String? = nil) -> Process {
        Process(args: ["x"], cwd: "/", apparmorProfile: apparmor, selinuxLabel: selinux)
    }

    @Test func aLabelForAModuleThatIsMissingIsAnError() {
        for (process, mountLabel, path) in [
            (process(apparmor: "p"), nil, "process.apparmorProfile: cannot apply the apparmor profile \"p\""),
            (process(selinux: "l"), nil, "process.selinuxLabel: cannot apply the selinux label \"l\""),
            (process(), "m", "linux.mountLabel: cannot apply the selinux label \"m\""),
        ] as [(Process, String?, String)] {
            let error = #expect(throws: RuntimeError.self) {
                try SecurityLabels(process, mountLabel: mountLabel, kernel: Self.bare)
            }
            #expect(error?.message.hasPrefix(path) == true)
        }
    }

    @Test func emptyTextMeansNone() throws {
        let labels = try SecurityLabels(process(apparmor: "", selinux: ""), mountLabel: "", kernel: Self.bare)
        #expect(labels.mountOption(forType: "tmpfs") == nil)
        let opened = try labels.open()
        #expect(opened.apparmor == nil && opened.selinux == nil)
    }

    @Test func newFilesystemsGetTheLabelOfMounts() throws {
        let labels = try SecurityLabels(process(), mountLabel: "u:r:t:s0:c1,c2", kernel: Self.full)
        #expect(labels.mountOption(forType: "tmpfs") == "context=u:r:t:s0:c1,c2")
        #expect(labels.mountOption(forType: "devpts", quoted: true) == "context=\"u:r:t:s0:c1,c2\"")
        for type in ["proc", "sysfs", "cgroup", "cgroup2"] { #expect(labels.mountOption(forType: type) == nil) }
    }
}
