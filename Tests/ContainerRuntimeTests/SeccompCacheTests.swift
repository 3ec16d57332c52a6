import Glibc
import LinuxSystem
import RuntimeSpec
import Testing

@testable import ContainerRuntime

@Suite struct SeccompCacheTests {
    private let key: [UInt8] = Array("a profile".utf8)
    private let program = [
        FilterInstruction(FilterInstruction.load, 4), FilterInstruction(FilterInstruction.answer, 7),
    ]

    @Test func whatIsStoredIsFoundAgain() throws {
        let directory = try TemporaryDirectory()
        let cache = SeccompCache(directory: directory.path + "/made/on/demand")
        #expect(cache.program(for: key) == nil)
        cache.store(program, for: key)
        #expect(cache.program(for: key) == nil)  // its parent is missing: no cache, no error

        let filters = SeccompCache(directory: directory.path + "/filters")
        filters.store(program, for: key)
        #expect(filters.program(for: key) == program)
        #expect(filters.program(for: key + [0]) == nil)
        filters.store([program[1]], for: key)
        #expect(filters.program(for: key) == [program[1]])
    }

    /// Overwrites the only file of the cache.
    private func tamper(_ directory: borrowing TemporaryDirectory, _ change: (inout [UInt8]) -> Void) throws {
        let path = directory.path + "/" + (try #require(try directory.entries().first))
        var bytes = try readFile(path)
        change(&bytes)
        try FileDescriptor.open(path, [.writeOnly, .truncate]).write(bytes)
    }

    @Test(arguments: [0, 10, 16, 24, 33, 40])
    func aDamagedFileIsNotBelieved(position: Int) throws {
        let directory = try TemporaryDirectory()
        let cache = SeccompCache(directory: directory.path)
        cache.store(program, for: key)
        try tamper(directory) { $0[position] ^= 1 }
        #expect(cache.program(for: key) == nil)
        try tamper(directory) { $0[position] ^= 1 }
        #expect(cache.program(for: key) == program)
        try tamper(directory) { $0.removeLast() }
        #expect(cache.program(for: key) == nil)
        try tamper(directory) { $0 = [] }
        #expect(cache.program(for: key) == nil)
    }

    @Test func aFileThatOthersMayWriteIsNotBelieved() throws {
        let directory = try TemporaryDirectory()
        let cache = SeccompCache(directory: directory.path)
        cache.store(program, for: key)
        let path = directory.path + "/" + (try #require(try directory.entries().first))
        chmod(path, 0o620)
        #expect(cache.program(for: key) == nil)
        chmod(path, 0o600)
        #expect(cache.program(for: key) == program)
    }

    @Test func aLinkIsNotFollowed() throws {
        let directory = try TemporaryDirectory()
        let cache = SeccompCache(directory: directory.path)
        cache.store(program, for: key)
        let path = directory.path + "/" + (try #require(try directory.entries().first))
        rename(path, directory.path + "/elsewhere")
        symlink("elsewhere", path)
        #expect(cache.program(for: key) == nil)
    }

    @Test func theNumberOfFilesIsBounded() throws {
        let directory = try TemporaryDirectory()
        let cache = SeccompCache(directory: directory.path)
        for number in 0..<100 { cache.store(program, for: key + [UInt8(number)]) }
        #expect(try directory.entries().count == 64)
        #expect(cache.program(for: key + [99]) == program)
    }

    @Test func everythingThatChangesTheFilterChangesTheKey() {
        let rule = SeccompSyscall(names: ["read", "write"], action: .allow)
        let base = Seccomp(defaultAction: .errno, architectures: [.x86], syscalls: [rule])
        var variants = [base]
        func vary(_ change: (inout Seccomp) -> Void) {
            var variant = base
            change(&variant)
            variants.append(variant)
        }
        vary { $0.defaultAction = .kill }
        vary { $0.defaultErrnoRet = 1 }
        vary { $0.defaultErrnoRet = .max }
        vary { $0.architectures = [] }
        vary { $0.architectures = [.x32] }
        vary { $0.syscalls[0].names = ["read"] }
        vary { $0.syscalls[0].names = ["readwrite"] }
        vary { $0.syscalls[0].action = .log }
        vary { $0.syscalls[0].errnoRet = 0 }
        for argument in [
            SeccompArgument(index: 0, value: 1, op: .equal), SeccompArgument(index: 1, value: 1, op: .equal),
            SeccompArgument(index: 0, value: 2, op: .equal), SeccompArgument(index: 0, value: 1, op: .less),
            SeccompArgument(index: 0, value: 1, valueTwo: 1, op: .equal),
        ] {
            vary { $0.syscalls[0].args = [argument] }
        }
        vary { $0.syscalls.append(rule) }
        let keys = Set(variants.map(SeccompCompiler.key))
        #expect(keys.count == variants.count)
        #expect(SeccompCompiler.key(of: base) == SeccompCompiler.key(of: base))
    }

    @Test func aFilterFromTheCacheIsTheCompiledOne() throws {
        let directory = try TemporaryDirectory()
        let cache = SeccompCache(directory: directory.path)
        let seccomp = Seccomp(
            defaultAction: .errno, flags: [.log], syscalls: [SeccompSyscall(names: ["read"], action: .notify)])
        let compiled = try SeccompFilter.compile(seccomp)
        #expect(try SeccompFilter.compile(seccomp, cache: cache) == compiled)
        #expect(try directory.entries().count == 1)
        #expect(try SeccompFilter.compile(seccomp, cache: cache) == compiled)
    }
}
