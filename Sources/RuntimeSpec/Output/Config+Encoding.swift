// The order of members is the customary one, in which other tools write the document.

extension Config: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("ociVersion", ociVersion)
            $0.add("process", process)
            $0.add("root", root)
            $0.add("hostname", hostname)
            $0.add("domainname", domainname)
            $0.add("mounts", mounts)
            if hooks != Hooks() { $0.add("hooks", hooks) }
            $0.add("annotations", annotations)
            $0.add("linux", linux)
        }
    }
}

extension Root: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("path", path)
            $0.add(flag: "readonly", readonly)
        }
    }
}

extension Mount: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("destination", destination)
            $0.add("type", type)
            $0.add("source", source)
            $0.add("options", options)
            $0.add("uidMappings", uidMappings)
            $0.add("gidMappings", gidMappings)
        }
    }
}

extension IDMapping: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("containerID", containerID)
            $0.add("hostID", hostID)
            $0.add("size", size)
        }
    }
}

extension Hooks: JSONEncodable {
    package var json: JSON {
        .members { members in
            for name in HookName.allCases { members.add(name.rawValue, self[name]) }
        }
    }
}

extension Hook: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("path", path)
            $0.add("args", args)
            $0.add("env", env.map { .strings($0) })
            $0.add("timeout", timeout)
        }
    }
}

extension Process: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add(flag: "terminal", terminal)
            $0.add("consoleSize", consoleSize)
            $0.add("user", user)
            $0.add("args", args)
            $0.add("env", env)
            $0.add("cwd", cwd)
            $0.add("capabilities", capabilities)
            $0.add("rlimits", rlimits)
            $0.add(flag: "noNewPrivileges", noNewPrivileges)
            $0.add("apparmorProfile", apparmorProfile)
            $0.add("oomScoreAdj", oomScoreAdj)
            $0.add("scheduler", scheduler)
            $0.add("selinuxLabel", selinuxLabel)
            $0.add("ioPriority", ioPriority)
            $0.add("execCPUAffinity", execCPUAffinity)
        }
    }
}

extension ConsoleSize: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("height", height)
            $0.add("width", width)
        }
    }
}

extension User: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("uid", uid)
            $0.add("gid", gid)
            $0.add("umask", umask)
            if !additionalGids.isEmpty { $0.add("additionalGids", .array(additionalGids.map { .int(Int64($0)) })) }
        }
    }
}

extension Capabilities: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("bounding", bounding.map { .strings($0) })
            $0.add("effective", effective.map { .strings($0) })
            $0.add("inheritable", inheritable.map { .strings($0) })
            $0.add("permitted", permitted.map { .strings($0) })
            $0.add("ambient", ambient.map { .strings($0) })
        }
    }
}

extension Rlimit: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("type", type.rawValue)
            $0.add("hard", hard)
            $0.add("soft", soft)
        }
    }
}

extension Scheduler: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("policy", policy.rawValue)
            if nice != 0 { $0.add("nice", nice) }
            if priority != 0 { $0.add("priority", priority) }
            $0.add("flags", flags)
            if runtime != 0 { $0.add("runtime", runtime) }
            if deadline != 0 { $0.add("deadline", deadline) }
            if period != 0 { $0.add("period", period) }
        }
    }
}

extension IOPriority: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("class", `class`.rawValue)
            $0.add("priority", priority)
        }
    }
}

extension ExecCPUAffinity: JSONEncodable {
    package var json: JSON {
        .members {
            $0.add("initial", initial)
            $0.add("final", final)
        }
    }
}
