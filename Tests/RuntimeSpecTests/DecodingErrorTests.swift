import RuntimeSpec
import Testing

/// Every kind of refusal, with the path to what is wrong.
struct DecodingErrorTests {
    private func refusal(_ members: String) -> String {
        message { () throws(SpecError) in try config(members) }
    }

    @Test(arguments: [
        ("\"root\":[]", "root: found an array, expected an object"),
        ("\"root\":{\"path\":7}", "root.path: found 7, expected a string"),
        ("\"root\":{\"path\":\"r\",\"readonly\":\"yes\"}", "root.readonly: found \"yes\", expected true or false"),
        ("\"mounts\":{}", "mounts: found an object, expected an array"),
        ("\"mounts\":[null]", "mounts[0]: found null, expected an object"),
        (
            "\"mounts\":[{\"destination\":\"/\"},{\"destination\":\"/\",\"options\":[\"ro\",false]}]",
            "mounts[1].options[1]: found false, expected a string"
        ),
        ("\"annotations\":{\"a.b\":1}", "annotations[\"a.b\"]: found 1, expected a string"),
        ("\"annotations\":{\"a.b\":null}", "annotations[\"a.b\"]: found null, expected a string"),
        ("\"process\":{\"cwd\":\"/\",\"oomScoreAdj\":true}", "process.oomScoreAdj: found true, expected an integer"),
        (
            "\"process\":{\"cwd\":\"/\",\"oomScoreAdj\":1.0}",
            "process.oomScoreAdj: found 1.0, expected an integer, written without fraction or exponent"
        ),
        (
            "\"process\":{\"cwd\":\"/\",\"oomScoreAdj\":1e3}",
            "process.oomScoreAdj: found 1000.0, expected an integer, written without fraction or exponent"
        ),
        (
            "\"linux\":{\"netDevices\":{\"eth0\":{\"name\":23}}}",
            "linux.netDevices[\"eth0\"].name: found 23, expected a string"
        ),
        (
            "\"linux\":{\"resources\":{\"rdma\":{\"m\":{\"hcaHandles\":\"x\"}}}}",
            "linux.resources.rdma[\"m\"].hcaHandles: found \"x\", expected an integer"
        ),
    ])
    func wrongType(members: String, expected: String) {
        #expect(refusal(members) == expected)
        #expect(failure { () throws(SpecError) in try config(members) }?.kind == .wrongType)
    }

    @Test(arguments: [
        ("\"root\":{}", "root.path"), ("\"root\":{\"path\":null}", "root.path"),
        ("\"mounts\":[{}]", "mounts[0].destination"), ("\"process\":{}", "process.cwd"),
        ("\"process\":{\"cwd\":\"/\",\"consoleSize\":{\"height\":1}}", "process.consoleSize.width"),
        ("\"process\":{\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1}]}", "process.rlimits[0].hard"),
        ("\"process\":{\"cwd\":\"/\",\"scheduler\":{}}", "process.scheduler.policy"),
        ("\"process\":{\"cwd\":\"/\",\"ioPriority\":{}}", "process.ioPriority.class"),
        ("\"hooks\":{\"poststop\":[{\"args\":[]}]}", "hooks.poststop[0].path"),
        ("\"linux\":{\"uidMappings\":[{\"containerID\":0,\"hostID\":0}]}", "linux.uidMappings[0].size"),
        ("\"linux\":{\"namespaces\":[{}]}", "linux.namespaces[0].type"),
        ("\"linux\":{\"devices\":[{\"type\":\"c\"}]}", "linux.devices[0].path"),
        ("\"linux\":{\"seccomp\":{}}", "linux.seccomp.defaultAction"),
        (
            "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"names\":[\"a\"]}]}}",
            "linux.seccomp.syscalls[0].action"
        ),
        ("\"linux\":{\"memoryPolicy\":{}}", "linux.memoryPolicy.mode"),
        ("\"linux\":{\"personality\":{}}", "linux.personality.domain"),
        ("\"linux\":{\"resources\":{\"devices\":[{}]}}", "linux.resources.devices[0].allow"),
        (
            "\"linux\":{\"resources\":{\"hugepageLimits\":[{\"limit\":1}]}}",
            "linux.resources.hugepageLimits[0].pageSize"
        ),
        (
            "\"linux\":{\"resources\":{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":1,\"minor\":1}]}}}",
            "linux.resources.blockIO.throttleReadBpsDevice[0].rate"
        ),
        (
            "\"linux\":{\"resources\":{\"network\":{\"priorities\":[{\"name\":\"e\"}]}}}",
            "linux.resources.network.priorities[0].priority"
        ),
    ])
    func missing(members: String, path: String) {
        #expect(refusal(members) == path + ": missing, it is required")
    }

    @Test func missingVersion() {
        #expect(
            message { () throws(SpecError) in try Config.decode([UInt8]("{}".utf8)) }
                == "ociVersion: missing, it is required")
    }

    @Test(arguments: [
        ("\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":4294967296}}", "process.user.uid", "0 to 4294967295"),
        ("\"process\":{\"cwd\":\"/\",\"user\":{\"uid\":-1}}", "process.user.uid", "0 to 4294967295"),
        (
            "\"process\":{\"cwd\":\"/\",\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":2147483648}}",
            "process.scheduler.nice",
            "-2147483648 to 2147483647"
        ),
        ("\"linux\":{\"resources\":{\"blockIO\":{\"weight\":65536}}}", "linux.resources.blockIO.weight", "0 to 65535"),
        (
            "\"linux\":{\"resources\":{\"memory\":{\"limit\":9223372036854775808}}}", "linux.resources.memory.limit",
            "-9223372036854775808 to 9223372036854775807"
        ),
        (
            "\"hooks\":{\"prestart\":[{\"path\":\"/x\",\"timeout\":0}]}", "hooks.prestart[0].timeout",
            "a number of seconds greater than 0"
        ),
        ("\"freebsd\":{\"jail\":{\"enforceStatfs\":256}}", "freebsd.jail.enforceStatfs", "0 to 255"),
    ])
    func outOfRange(members: String, path: String, range: String) {
        let error = failure { () throws(SpecError) in try config(members) }
        #expect(error?.kind == .outOfRange)
        #expect(error?.path == path)
        #expect(error?.expected == "expected " + range)
    }

    @Test func unknownWord() {
        #expect(
            refusal("\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"foo\"}]}")
                == "linux.namespaces[2].type: unknown namespace \"foo\", "
                + "expected one of cgroup, ipc, mount, network, pid, time, user, uts")
    }

    /// Each vocabulary refuses what is not in it, under its own name.
    @Test(arguments: [
        ("\"process\":{\"cwd\":\"/\",\"rlimits\":[{\"type\":\"X\",\"soft\":1,\"hard\":1}]}", "unknown resource limit"),
        ("\"process\":{\"cwd\":\"/\",\"scheduler\":{\"policy\":\"X\"}}", "unknown scheduling policy"),
        (
            "\"process\":{\"cwd\":\"/\",\"scheduler\":{\"policy\":\"SCHED_RR\",\"flags\":[\"X\"]}}",
            "unknown scheduling flag"
        ),
        ("\"process\":{\"cwd\":\"/\",\"ioPriority\":{\"class\":\"X\"}}", "unknown i/o priority class"),
        ("\"linux\":{\"rootfsPropagation\":\"X\"}", "unknown propagation"),
        ("\"linux\":{\"timeOffsets\":{\"X\":{}}}", "unknown clock"),
        ("\"linux\":{\"personality\":{\"domain\":\"X\"}}", "unknown execution domain"),
        ("\"linux\":{\"devices\":[{\"type\":\"a\",\"path\":\"/x\"}]}", "unknown device type"),
        ("\"linux\":{\"resources\":{\"devices\":[{\"allow\":true,\"type\":\"p\"}]}}", "unknown device type"),
        ("\"linux\":{\"resources\":{\"devices\":[{\"allow\":true,\"access\":\"rx\"}]}}", "unknown device access"),
        ("\"linux\":{\"memoryPolicy\":{\"mode\":\"X\"}}", "unknown memory policy"),
        ("\"linux\":{\"memoryPolicy\":{\"mode\":\"MPOL_LOCAL\",\"flags\":[\"X\"]}}", "unknown memory policy flag"),
        ("\"linux\":{\"seccomp\":{\"defaultAction\":\"X\"}}", "unknown seccomp action"),
        (
            "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_LOG\",\"architectures\":[\"X\"]}}",
            "unknown architecture"
        ),
        ("\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_LOG\",\"flags\":[\"X\"]}}", "unknown seccomp flag"),
        (
            "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"names\":[\"a\"],"
                + "\"action\":\"SCMP_ACT_LOG\",\"args\":[{\"index\":0,\"value\":0,\"op\":\"X\"}]}]}}",
            "unknown seccomp operator"
        ),
    ])
    func unknownWords(members: String, problem: String) {
        let error = failure { () throws(SpecError) in try config(members) }
        #expect(error?.kind == .unknownWord)
        #expect(error?.problem == problem)
    }

    @Test(arguments: ["64kB", "0KB", "KB", "2MiB", "2 MB", "2M", "02MB", "2MBs", ""])
    func pageSizes(size: String) {
        let error = failure { () throws(SpecError) in
            try linux("\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"\(size)\",\"limit\":1}]}")
        }
        #expect(error?.path == "linux.resources.hugepageLimits[0].pageSize")
    }

    @Test(arguments: ["0=20", "mb:0=20", "L3:0=f", "MB:0=20\\nMB:1=20", ""])
    func bandwidthSchemas(schema: String) {
        let error = failure { () throws(SpecError) in try linux("\"intelRdt\":{\"memBwSchema\":\"\(schema)\"}") }
        #expect(error?.path == "linux.intelRdt.memBwSchema")
    }

    @Test(arguments: ["a", "0-3;5", "0x1", "all", "0\\n1"])
    func cpuLists(list: String) {
        let error = failure { () throws(SpecError) in try process("\"execCPUAffinity\":{\"final\":\"\(list)\"}") }
        #expect(error?.path == "execCPUAffinity.final")
    }

    @Test func emptySyscallNames() {
        let text = refusal(
            "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_LOG\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}]}}"
        )
        #expect(text == "linux.seccomp.syscalls[0].names: empty, expected at least one name")
    }

    @Test func longValuesAreClippedAndControlCharactersEscaped() {
        let long = String(repeating: "x", count: 1000)
        let text = refusal("\"linux\":{\"rootfsPropagation\":\"\\u001b[2J\\n\(long)\"}")
        #expect(text.utf8.count < 220)
        #expect(text.hasPrefix("linux.rootfsPropagation: unknown propagation \"\\u001b[2J\\nxxx"))
        #expect(text.contains("xxx...\", expected one of private, shared, slave, unbindable"))
    }
}
