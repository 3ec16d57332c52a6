/// The document of `features` (features.md, features-linux.md). What the vocabularies of this module decide is read from
/// them; the rest is what the caller says about the other parts of the runtime.
package struct Features: Equatable, Sendable {
    package struct Cgroup: Equatable, Sendable {
        package var v1: Bool
        package var v2: Bool
        package var systemd: Bool
        package var systemdUser: Bool
        package var rdma: Bool

        package init(v1: Bool, v2: Bool, systemd: Bool, systemdUser: Bool, rdma: Bool) {
            self.v1 = v1
            self.v2 = v2
            self.systemd = systemd
            self.systemdUser = systemdUser
            self.rdma = rdma
        }
    }

    package struct SeccompSupport: Equatable, Sendable {
        /// Architectures libseccomp can make filters for.
        package var architectures: [SeccompArchitecture]
        /// Flags libseccomp and the runtime can set; the known ones are the vocabulary.
        package var supportedFlags: [SeccompFlag]

        package init(architectures: [SeccompArchitecture], supportedFlags: [SeccompFlag]) {
            self.architectures = architectures
            self.supportedFlags = supportedFlags
        }
    }

    package struct IntelRdtSupport: Equatable, Sendable {
        package var schemata: Bool
        package var monitoring: Bool

        package init(schemata: Bool, monitoring: Bool) {
            self.schemata = schemata
            self.monitoring = monitoring
        }
    }

    /// Names of capabilities(7) the runtime knows.
    package var capabilities: [String]
    package var cgroup: Cgroup
    /// nil: filters are not supported.
    package var seccomp: SeccompSupport?
    package var apparmor: Bool
    package var selinux: Bool
    /// nil: not supported.
    package var intelRdt: IntelRdtSupport?
    package var memoryPolicy: Bool
    package var idmapMounts: Bool
    package var netDevices: Bool
    /// Facts about the runtime: versions of itself and of its libraries.
    package var annotations: [KeyValue]
    /// Annotations of config.json that change what the runtime does; a name that ends in a dot is a prefix.
    package var potentiallyUnsafeConfigAnnotations: [String]

    package init(
        capabilities: [String], cgroup: Cgroup, seccomp: SeccompSupport?, apparmor: Bool, selinux: Bool,
        intelRdt: IntelRdtSupport?, memoryPolicy: Bool, idmapMounts: Bool, netDevices: Bool, annotations: [KeyValue],
        potentiallyUnsafeConfigAnnotations: [String]
    ) {
        self.capabilities = capabilities
        self.cgroup = cgroup
        self.seccomp = seccomp
        self.apparmor = apparmor
        self.selinux = selinux
        self.intelRdt = intelRdt
        self.memoryPolicy = memoryPolicy
        self.idmapMounts = idmapMounts
        self.netDevices = netDevices
        self.annotations = annotations
        self.potentiallyUnsafeConfigAnnotations = potentiallyUnsafeConfigAnnotations
    }
}

extension Features: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("ociVersionMin", SpecVersion.oldest)
            $0.add("ociVersionMax", SpecVersion.current)
            $0.add("hooks", HookName.allCases)
            $0.add("mountOptions", MountOption.table.map(\.name))
            $0.add("linux", linux)
            $0.add("annotations", annotations)
            $0.add("potentiallyUnsafeConfigAnnotations", potentiallyUnsafeConfigAnnotations)
        }
    }

    private var linux: JSON {
        .members {
            $0.add("namespaces", NamespaceType.allCases)
            $0.add("capabilities", capabilities)
            $0.add("cgroup", cgroup.json)
            $0.add("seccomp", seccomp?.json ?? Self.enabled(false))
            $0.add("apparmor", Self.enabled(apparmor))
            $0.add("selinux", Self.enabled(selinux))
            if memoryPolicy {
                $0.add(
                    "memoryPolicy",
                    .members {
                        $0.add("modes", MemoryPolicyMode.allCases)
                        $0.add("flags", MemoryPolicyFlag.allCases)
                    })
            }
            $0.add("intelRdt", intelRdt?.json ?? Self.enabled(false))
            $0.add("mountExtensions", .members { $0.add("idmap", Self.enabled(idmapMounts)) })
            $0.add("netDevices", Self.enabled(netDevices))
        }
    }

    private static func enabled(_ value: Bool) -> JSON {
        .members { $0.add("enabled", value) }
    }
}

extension Features.Cgroup {
    fileprivate var json: JSON {
        .members {
            $0.add("v1", v1)
            $0.add("v2", v2)
            $0.add("systemd", systemd)
            $0.add("systemdUser", systemdUser)
            $0.add("rdma", rdma)
        }
    }
}

extension Features.SeccompSupport {
    fileprivate var json: JSON {
        .members {
            $0.add("enabled", true)
            $0.add("actions", SeccompAction.allCases)
            $0.add("operators", SeccompOperator.allCases)
            $0.add("archs", architectures)
            $0.add("knownFlags", SeccompFlag.allCases)
            $0.add("supportedFlags", supportedFlags)
        }
    }
}

extension Features.IntelRdtSupport {
    fileprivate var json: JSON {
        .members {
            $0.add("enabled", true)
            $0.add("schemata", schemata)
            $0.add("monitoring", monitoring)
        }
    }
}
