import Testing

@testable import ImageBundle

@Suite("Platforms, users and names of images")
struct PlatformTests {
    @Test("platforms are read")
    func parsing() throws {
        #expect(try Platform(parsing: "linux/arm64/v8") == Platform(os: "linux", architecture: "arm64", variant: "v8"))
        #expect(try Platform(parsing: "linux/x86_64").architecture == "amd64")
        for text in ["", "linux", "linux/", "/amd64", "a/b/c/d"] {
            #expect(throws: BundleError.self) { try Platform(parsing: text) }
        }
    }

    @Test("the nearest variant is taken")
    func distance() throws {
        let arm = Platform(os: "linux", architecture: "arm")
        func to(_ variant: String?) -> Int? {
            arm.distance(to: Platform(os: "linux", architecture: "arm", variant: variant))
        }
        #expect(to("v7")! < to("v6")! && to("v6")! < to("v5")! && to(nil) == 0)
        let exact = Platform(os: "linux", architecture: "arm64", variant: "v8")
        #expect(exact.distance(to: Platform(os: "linux", architecture: "arm64")) == 1)
        #expect(exact.distance(to: Platform(os: "linux", architecture: "arm64", variant: "v9")) == nil)
        #expect(Platform.host.distance(to: Platform(os: "windows", architecture: Platform.host.architecture)) == nil)
    }

    @Test("short names of images stand for long ones")
    func names() {
        #expect(ImageName.matches("docker.io/library/debian:12", "debian:12"))
        #expect(ImageName.matches("debian:latest", "debian"))
        #expect(!ImageName.matches("debian:12", "debian"))
        #expect(ImageName.matches("localhost/a:latest", "a"))
    }

    @Test("users are numbers or names of the image")
    func users() throws {
        let database = UserDatabase(
            passwd: Array(
                "root:x:0:0:r:/root:/bin/sh\nbob:x:7:8::/home/bob:\nbad:x:a:b::/:\nshort:x\n12:x:90:91::/n:\n".utf8),
            group: Array("g:x:5:\nmore:x:6:bob,al\nbroken:x:y:bob\n".utf8))
        #expect(try database.identity("bob") == .init(uid: 7, gid: 8, additionalGids: [6], home: "/home/bob"))
        #expect(try database.identity("12").uid == 90)
        #expect(try database.identity("99:g") == .init(uid: 99, gid: 5))
        #expect(try database.identity(nil) == .init(uid: 0, gid: 0, home: "/root"))
        for text in ["bad", "short", "-1", "4294967295", "bob:nogroup"] {
            #expect(throws: BundleError.self) { try database.identity(text) }
        }
    }
}
