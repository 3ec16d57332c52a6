import Glibc
import RuntimeSpec
import Testing

/// Documents the JSON schema of the specification accepts or refuses, section by section.
struct SchemaTests {
    @Test(arguments: [
        "\"root\":{\"path\":\"rootfs\"}",
        "\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"],\"user\":{\"uid\":0,\"gid\":0}}",
        "\"linux\":{\"netDevices\":{\"enp0\":{\"name\":\"net0\"},\"enp1\":{},\"enp2\":{}}}",
        "\"linux\":{\"resources\":{\"rdma\":{\"mlx4\":{\"hcaHandles\":1,\"hcaObjects\":2},\"rxe\":{\"hcaObjects\":2}}}}",
        "\"process\":{\"cwd\":\"C:\\\\\",\"commandLine\":\"x\",\"user\":{\"username\":\"u\"}}",
        "\"freebsd\":{}",
        "\"freebsd\":{\"devices\":[{\"path\":\"pf\",\"mode\":448}],\"jail\":{\"parent\":\"p\",\"host\":\"new\",\"ip4\":\"disable\","
            + "\"ip4Addr\":[\"10.0.0.1\"],\"vnet\":\"inherit\",\"enforceStatfs\":1,\"allow\":{\"mount\":[\"nullfs\"],\"suser\":true}}}",
        "\"zos\":{}", "\"zos\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"uts\",\"path\":\"/n\"}]}",
        "\"solaris\":{\"milestone\":\"m\",\"cappedCPU\":{\"ncpus\":\"8\"},\"anet\":[{\"linkname\":\"net0\"}]}",
        "\"vm\":{\"kernel\":{\"path\":\"/k\",\"parameters\":[\"a\"]},\"image\":{\"path\":\"/i\",\"format\":\"raw\"},"
            + "\"hwConfig\":{\"vcpus\":1,\"memory\":2,\"iomems\":[{\"firstMFN\":1,\"nrMFNs\":2}],\"irqs\":[11]}}",
        "\"windows\":{\"layerFolders\":[\"C:\\\\l\"],\"devices\":[{\"id\":\"x\",\"idType\":\"class\"}],"
            + "\"resources\":{\"cpu\":{\"count\":2,\"affinity\":{\"mask\":18446744073709551615}}},\"credentialSpec\":{\"a\":1}}",
    ])
    func good(members: String) {
        #expect(throws: Never.self) { try config(members) }
    }

    @Test(arguments: [
        ("\"linux\":{\"netDevices\":{\"enp0\":{\"name\":1}}}", "linux.netDevices[\"enp0\"].name"),
        (
            "\"linux\":{\"resources\":{\"rdma\":{\"mlx4\":{\"hcaObjects\":\"many\"}}}}",
            "linux.resources.rdma[\"mlx4\"].hcaObjects"
        ),
        (
            "\"linux\":{\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"1gB\",\"limit\":0}]}}",
            "linux.resources.hugepageLimits[0].pageSize"
        ),
        ("\"process\":{\"cwd\":\"/\",\"commandLine\":[]}", "process.commandLine"),
        ("\"process\":{\"cwd\":\"/\",\"user\":{\"username\":0}}", "process.user.username"),
        ("\"freebsd\":{\"jail\":{\"vnet\":\"disable\"}}", "freebsd.jail.vnet"),
        ("\"freebsd\":{\"jail\":{\"ip6\":\"off\"}}", "freebsd.jail.ip6"),
        ("\"freebsd\":{\"devices\":[{\"mode\":512}]}", "freebsd.devices[0].mode"),
        ("\"freebsd\":{\"jail\":{\"allow\":{\"quotas\":1}}}", "freebsd.jail.allow.quotas"),
        ("\"zos\":{\"namespaces\":[{\"type\":\"network\"}]}", "zos.namespaces[0].type"),
        ("\"zos\":{\"namespaces\":[{}]}", "zos.namespaces[0].type"),
        ("\"solaris\":{\"anet\":[{\"defrouter\":1}]}", "solaris.anet[0].defrouter"),
        ("\"vm\":{}", "vm.kernel"), ("\"vm\":{\"kernel\":{}}", "vm.kernel.path"),
        ("\"vm\":{\"kernel\":{\"path\":\"/k\"},\"image\":{\"path\":\"/i\",\"format\":\"iso\"}}", "vm.image.format"),
        ("\"windows\":{}", "windows.layerFolders"), ("\"windows\":{\"layerFolders\":[]}", "windows.layerFolders"),
        (
            "\"windows\":{\"layerFolders\":[\"x\"],\"resources\":{\"cpu\":{\"shares\":65536}}}",
            "windows.resources.cpu.shares"
        ),
    ])
    func bad(members: String, path: String) {
        #expect(failure { () throws(SpecError) in try config(members) }?.path == path)
    }
}

/// The test documents that ship with the specification's schema, when a copy of the schema is at hand.
struct SchemaDocumentTests {
    private static let directory = getenv("OCI_SPEC_SCHEMA_DIR").map { String(cString: $0) }

    @Test(
        .enabled(if: directory != nil, "OCI_SPEC_SCHEMA_DIR does not name a directory with test/config/{good,bad}"),
        arguments: [("config", "good"), ("config", "bad"), ("state", "good"), ("state", "bad")])
    func everyDocumentIsDecidedAsTheSchemaDoes(kind: String, verdict: String) throws {
        let folder = try #require(Self.directory) + "/test/\(kind)/\(verdict)"
        let names = try documents(in: folder)
        try #require(!names.isEmpty)
        for name in names {
            let text = try contents(ofFile: "\(folder)/\(name)")
            var accepted = true
            var said = ""
            do throws(SpecError) {
                if kind == "config" { _ = try Config.decode(text) } else { _ = try State.decode(text) }
            } catch {
                accepted = false
                said = error.description
            }
            #expect(accepted == (verdict == "good"), "\(kind)/\(verdict)/\(name): \(said)")
        }
    }
}
