import RuntimeSpec
import Testing

struct SpecVersionTests {
    private func check(_ version: String) throws(SpecError) {
        try Config.decode([UInt8]("{\"ociVersion\":\"\(version)\",\"root\":{\"path\":\"r\"}}".utf8)).validate()
    }

    @Test(arguments: [
        "1.0.0", "1.0.0-rc1", "1.0.0-rc5-dev", "1.0.2-dev", "1.1.0+dev", "1.1.0-rc.2", "1.2.1", "1.3.0", "1.3.7",
        "1.3.0-rc.1+build.007",
    ])
    func supported(version: String) {
        #expect(throws: Never.self) { try check(version) }
    }

    @Test(arguments: ["0.1.0", "0.9.9", "1.4.0", "1.4.0-dev", "1.10.0", "2.0.0", "99999999999.0.0"])
    func unsupported(version: String) {
        let error = failure { () throws(SpecError) in try check(version) }
        #expect(error?.kind == .unsupportedVersion)
        #expect(error?.description == "ociVersion: unsupported version \"\(version)\", expected 1.0.0 to 1.3.x")
    }

    @Test(arguments: [
        "", "1", "1.0", "1.0.0.0", "v1.0.0", "1.0.x", "01.0.0", "1.00.0", "1.0.0-", "1.0.0-a..b", "1.0.0-01", "1.0.0+",
        "1.0.0+a+b", "1.0.0 ", "-1.0.0", "+1.0.0", "1.0.0-ä",
    ])
    func notSemantic(version: String) {
        let error = failure { () throws(SpecError) in try check(version) }
        #expect(error?.kind == .invalid)
        #expect(error?.path == "ociVersion")
    }

    @Test func aWrongVersionIsReportedBeforeWhatItMayAllow() {
        let error = failure { () throws(SpecError) in
            try Config.decode([UInt8]("{\"root\":7,\"ociVersion\":\"2.0.0\"}".utf8))
        }
        #expect(error?.kind == .unsupportedVersion)
    }
}
