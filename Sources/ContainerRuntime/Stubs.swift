internal import LinuxSystem
package import RuntimeSpec
package struct CgroupLayout: Equatable, Sendable {
    struct H: Equatable { var controllers: [String]; var mountPoint: String; var mountOptions: [String] }
    var v1: [H] = []
    var v2: H?
    static func detect() throws(RuntimeError) -> CgroupLayout { CgroupLayout(v2: H(controllers: [], mountPoint: "/sys/fs/cgroup/unified", mountOptions: [])) }
}
extension CgroupLayout.H: Sendable {}
package enum CgroupDriver: String, Sendable { case cgroupfs, systemd, disabled }
package struct ContainerCgroup: Equatable, Sendable, JSONDecodable {
    package init(json: JSONValue) throws(SpecError) {}
    init() {}
    var json: JSON { .object([]) }
    static func plan(config: Config, id: String, driver: CgroupDriver, layout: CgroupLayout) throws(RuntimeError) -> ContainerCgroup { ContainerCgroup() }
    func create() throws(RuntimeError) {}
    var directories: [String: String] { [:] }
    var entersAtBirth: Bool { false }
    func openForBirth() throws(RuntimeError) -> FileDescriptor? { nil }
    func add(pid: Int32) throws(RuntimeError) {}
    func remove() throws(RuntimeError) {}
    func processes() throws(RuntimeError) -> [Int32] { [] }
    func killAll(_ signal: Int32) throws(RuntimeError) {}
    func isFrozen() -> Bool { false }
}
struct CredentialPlan { init(_ p: Process?, _ n: NamespacePlan, warnings: inout [String]) throws(RuntimeError) {} }
struct NetworkDevices { init(_ d: [NetDevice]) {}; func move(toNamespaceOf: Int32) throws(RuntimeError) {} }
