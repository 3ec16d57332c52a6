import LinuxSystem
import RuntimeSpec
import Testing

@testable import ContainerRuntime

/// Device rules in the spec's order, as lists for v1 and as programs for v2. Both are tried against what the rules
/// mean: a question is answered by each of them.
struct DevicePolicyTests {
    struct Request {
        var isBlock: Bool
        var major: UInt32
        var minor: UInt32
        var access: DeviceAccess
    }

    static let denyAll = DeviceRule(allow: false)
    static let allowAll = DeviceRule(allow: true)
    static func rule(
        _ allow: Bool, _ type: DeviceRuleType, _ major: Int64?, _ minor: Int64?, _ letters: String
    ) -> DeviceRule {
        DeviceRule(allow: allow, type: type, major: major, minor: minor, access: DeviceAccess(letters: letters)!)
    }

    /// The kernel's view of a program: interpreted here, instruction by instruction.
    private func run(_ program: DeviceProgram, _ request: Request) throws -> Bool {
        var registers = [UInt32](repeating: 0, count: 10)
        let context: [Int16: UInt32] = [
            0: request.access.kernelBits << 16 | (request.isBlock ? 1 : 2), 4: request.major, 8: request.minor,
        ]
        var position = 0
        while true {
            try #require(program.instructions.indices.contains(position))
            let instruction = program.instructions[position]
            let destination = Int(instruction.destination)
            position += 1
            switch instruction.code {
            case 0x61: registers[destination] = try #require(context[instruction.offset])
            case 0xbc: registers[destination] = registers[Int(instruction.source)]
            case 0xb4: registers[destination] = instruction.immediate
            case 0x54: registers[destination] &= instruction.immediate
            case 0x74: registers[destination] >>= instruction.immediate
            case 0x16: if registers[destination] == instruction.immediate { position += Int(instruction.offset) }
            case 0x56: if registers[destination] != instruction.immediate { position += Int(instruction.offset) }
            case 0x95: return registers[0] == 1
            default: Issue.record("instruction \(instruction.code)")
            }
        }
    }

    /// The kernel's view of a v1 list (security/device_cgroup.c): an allowing entry has to cover all that is wanted, a
    /// denying one any of it.
    private func answer(_ lines: [(file: String, text: String)], _ request: Request) throws -> Bool {
        try #require(lines[0].text == "a")
        let allows = lines[0].file == "devices.allow"
        for (file, text) in lines.dropFirst() {
            try #require((file == "devices.deny") == allows)
            let words = text.split { $0 == " " || $0 == ":" }
            let access = DeviceAccess(letters: String(words[3]))!
            guard (words[0] == "b") == request.isBlock, words[1] == "*" || UInt32(words[1]) == request.major,
                words[2] == "*" || UInt32(words[2]) == request.minor
            else { continue }
            if allows ? !access.isDisjoint(with: request.access) : access.isSuperset(of: request.access) {
                return !allows
            }
        }
        return allows
    }

    /// What the rules mean, each kind of access by itself: the last rule about it decides.
    private func meaning(_ rules: [DeviceRule], _ request: Request) -> Bool {
        let defaults = [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 2), (10, 200)] as [(UInt32, UInt32)]
        return [DeviceAccess.read, .write, .mknod].filter { request.access.contains($0) }.allSatisfy { kind in
            let matching = rules.lastIndex { rule in
                (rule.type == .all || (rule.type == .block) == request.isBlock) && rule.access.contains(kind)
                    && (rule.major ?? -1 == -1 || rule.major == Int64(request.major))
                    && (rule.minor ?? -1 == -1 || rule.minor == Int64(request.minor))
            }
            let blanket = rules.lastIndex { $0.type == .all && $0.access == .all && $0.major == nil && $0.minor == nil }
            let isDefault =
                kind == .mknod
                || !request.isBlock
                    && (request.major == 136 || defaults.contains { $0 == (request.major, request.minor) })
            // The defaults stand after the last rule about everything.
            if let matching, matching > blanket ?? -1 { return rules[matching].allow }
            return isDefault || blanket.map { rules[$0].allow } ?? false
        }
    }

    static let lists: [[DeviceRule]] = [
        [],
        [denyAll],
        [allowAll],
        [denyAll, rule(true, .character, 10, 229, "rw"), rule(true, .block, 8, 0, "r")],
        [denyAll, rule(true, .character, 10, nil, "r"), rule(true, .character, 10, 229, "w")],
        [denyAll, rule(true, .character, 10, 229, "rwm"), rule(false, .character, 10, 229, "w")],
        [denyAll, rule(true, .all, 10, 229, "rw")],
        [allowAll, rule(false, .block, 8, nil, "w"), rule(false, .character, 10, 229, "rwm")],
        [allowAll, rule(false, .block, 8, nil, "rw"), rule(true, .block, nil, nil, "r")],
        [rule(true, .character, 10, 229, "rw"), denyAll],
        [rule(true, .character, 10, 229, "rw"), allowAll, rule(false, .all, -1, -1, "m")],
        [denyAll, rule(false, .character, 1, 3, "rw")],
        [denyAll, rule(true, .all, nil, nil, "r")],
        [rule(false, .all, nil, nil, "w")],
    ]

    static let requests: [Request] = [false, true].flatMap { isBlock in
        [(1, 3), (5, 0), (136, 7), (10, 229), (10, 228), (10, 200), (8, 0), (8, 1), (240, 0)].flatMap { device in
            ["r", "w", "m", "rw", "rm", "rwm"].map {
                Request(isBlock: isBlock, major: device.0, minor: device.1, access: DeviceAccess(letters: $0)!)
            }
        }
    }

    @Test(arguments: lists)
    func programsDoWhatTheRulesSay(rules: [DeviceRule]) throws {
        let program = DeviceProgram(try DevicePolicy(rules))
        for request in Self.requests {
            #expect(try run(program, request) == meaning(rules, request), "\(request)")
        }
    }

    /// A v1 list grants only what one entry grants as a whole: a request for several kinds of access of which different
    /// rules speak is refused there. Each kind by itself must be right.
    @Test(arguments: lists)
    func listsDoWhatTheRulesSay(rules: [DeviceRule]) throws {
        let lines = try DeviceList(DevicePolicy(rules)).lines
        for request in Self.requests where ["r", "w", "m"].contains(request.access.letters) {
            #expect(try answer(lines, request) == meaning(rules, request), "\(request)")
        }
    }

    @Test func theListOfAnOrdinaryContainer() throws {
        let rules = [Self.denyAll, Self.rule(true, .character, 10, 229, "rwm")]
        let lines = try DeviceList(DevicePolicy(rules)).lines.map { "\($0.file) \($0.text)" }
        #expect(
            lines == [
                "devices.deny a", "devices.allow c *:* m", "devices.allow b *:* m", "devices.allow c 1:3 rwm",
                "devices.allow c 1:5 rwm", "devices.allow c 1:7 rwm", "devices.allow c 1:8 rwm",
                "devices.allow c 1:9 rwm", "devices.allow c 5:0 rwm", "devices.allow c 5:2 rwm",
                "devices.allow c 136:* rwm", "devices.allow c 10:200 rwm", "devices.allow c 10:229 rwm",
            ])
    }

    /// An exception from an exception is beyond a list, and no business of a program's.
    @Test func exceptionsFromExceptionsAreRefusedOnV1() throws {
        let rules = [
            Self.denyAll, Self.rule(true, .character, 10, nil, "rwm"), Self.rule(false, .character, 10, 229, "w"),
        ]
        let error = #expect(throws: RuntimeError.self) { try DeviceList(DevicePolicy(rules)) }
        #expect(
            error?.message == "linux.resources.devices: cgroup v1 cannot deny c 10:229 w after allowing c 10:*; "
                + "name the devices one by one")
        let program = DeviceProgram(try DevicePolicy(rules))
        for request in Self.requests { #expect(try run(program, request) == meaning(rules, request)) }
    }

    @Test func aListInUseIsChangedInPlace() throws {
        let before = [Self.denyAll, Self.rule(true, .character, 10, 229, "rwm"), Self.rule(true, .block, 8, 0, "r")]
        let after = [Self.denyAll, Self.rule(true, .character, 10, 229, "r"), Self.rule(true, .block, 8, 1, "r")]
        // devices.list, as the kernel prints it
        let current = try DeviceList(DevicePolicy(before)).lines.dropFirst().map { "\($0.text)\n" }.joined()
        let list = try DeviceList(DevicePolicy(after))
        let changes = try #require(list.changes(from: Array(current.utf8)))
        #expect(
            Set(changes.map { "\($0.file) \($0.text)" }) == [
                "devices.allow b 8:1 r", "devices.deny c 10:229 wm", "devices.deny b 8:0 r",
            ])
        #expect(try #require(changes.first).file == "devices.allow")
        #expect(list.changes(from: Array("a *:* rwm\n".utf8)) == nil)
        #expect(try DeviceList(DevicePolicy([Self.allowAll])).changes(from: Array(current.utf8)) == nil)
    }

    @Test func numbersThatNoDeviceHas() throws {
        let rules = [Self.denyAll, Self.rule(true, .character, 1 << 32, 0, "r")]
        let error = #expect(throws: RuntimeError.self) { try DevicePolicy(rules) }
        #expect(error?.message.hasPrefix("linux.resources.devices[1].major: ") == true)
    }

    @Test func privilegedContainersNeedNoProgram() throws {
        #expect(try DevicePolicy([Self.denyAll, Self.allowAll]).allowsEverything)
        #expect(try DevicePolicy([Self.allowAll, Self.rule(true, .block, 8, 0, "r")]).allowsEverything)
        #expect(try !DevicePolicy([]).allowsEverything)
        #expect(try !DevicePolicy([Self.allowAll, Self.rule(false, .block, 8, 0, "r")]).allowsEverything)
    }
}
