internal import LinuxSystem
internal import RuntimeSpec
struct NetworkDevices { init(_ d: [NetDevice]) {}; func move(toNamespaceOf: Int32) throws(RuntimeError) {} }
