extension Linux: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("uidMappings", uidMappings)
            $0.add("gidMappings", gidMappings)
            $0.add("sysctl", sysctl)
            $0.add("resources", resources)
            $0.add("cgroupsPath", cgroupsPath)
            $0.add("namespaces", namespaces)
            $0.add("devices", devices)
            if !netDevices.isEmpty {
                $0.add("netDevices", .object(netDevices.map { JSON.Member($0.hostName, $0.json) }))
            }
            $0.add("seccomp", seccomp)
            $0.add("rootfsPropagation", rootfsPropagation?.rawValue)
            $0.add("maskedPaths", maskedPaths)
            $0.add("readonlyPaths", readonlyPaths)
            $0.add("mountLabel", mountLabel)
            $0.add("intelRdt", intelRdt)
            $0.add("memoryPolicy", memoryPolicy)
            $0.add("personality", personality)
            if !timeOffsets.isEmpty {
                $0.add("timeOffsets", .object(timeOffsets.map { JSON.Member($0.clock.rawValue, $0.json) }))
            }
        }
    }
}

extension Namespace: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("type", type.rawValue)
            $0.add("path", path)
        }
    }
}

extension TimeOffset {
    fileprivate var json: JSON {
        .members {
            $0.add("secs", secs)
            $0.add("nanosecs", nanosecs)
        }
    }
}

extension NetDevice {
    fileprivate var json: JSON {
        .members { $0.add("name", name) }
    }
}

extension Device: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("path", path)
            $0.add("type", type.rawValue)
            $0.add("major", major)
            $0.add("minor", minor)
            $0.add("fileMode", fileMode)
            $0.add("uid", uid)
            $0.add("gid", gid)
        }
    }
}

extension IntelRdt: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("closID", closID)
            $0.add("schemata", schemata)
            $0.add("l3CacheSchema", l3CacheSchema)
            $0.add("memBwSchema", memBwSchema)
            $0.add(flag: "enableMonitoring", enableMonitoring)
        }
    }
}

extension MemoryPolicy: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("mode", mode.rawValue)
            $0.add("nodes", nodes)
            $0.add("flags", flags)
        }
    }
}

extension Personality: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("domain", domain.rawValue)
            $0.add("flags", flags)
        }
    }
}

extension Seccomp: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("defaultAction", defaultAction.rawValue)
            $0.add("defaultErrnoRet", defaultErrnoRet)
            $0.add("architectures", architectures)
            // An empty list differs from none.
            $0.add("flags", flags.map { .strings($0.map(\.rawValue)) })
            $0.add("listenerPath", listenerPath)
            $0.add("listenerMetadata", listenerMetadata)
            $0.add("syscalls", syscalls)
        }
    }
}

extension SeccompSyscall: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("names", names)
            $0.add("action", action.rawValue)
            $0.add("errnoRet", errnoRet)
            $0.add("args", args)
        }
    }
}

extension SeccompArgument: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("index", index)
            $0.add("value", value)
            if valueTwo != 0 { $0.add("valueTwo", valueTwo) }
            $0.add("op", op.rawValue)
        }
    }
}
