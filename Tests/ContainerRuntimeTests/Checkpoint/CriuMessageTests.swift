import RuntimeSpec
import Testing

@testable import ContainerRuntime

@Suite struct CriuMessageTests {
    /// The bytes are those of the examples in "Encoding" (protobuf.dev).
    @Test func fieldsAreEncodedAsProtocolBuffersAre() {
        var message = CriuMessage()
        message.add(1, 150)
        #expect(message.bytes == [0x08, 0x96, 0x01])
        message.add(2, "testing")
        #expect(Array(message.bytes.dropFirst(3)) == [0x12, 7] + Array("testing".utf8))

        var outer = CriuMessage()
        var inner = CriuMessage()
        inner.add(1, 150)
        outer.add(3, inner)
        #expect(outer.bytes == [0x1a, 0x03, 0x08, 0x96, 0x01])

        var negative = CriuMessage()
        negative.add(1, -2)
        #expect(negative.bytes == [0x08, 0xfe] + [UInt8](repeating: 0xff, count: 8) + [0x01])
    }

    @Test func whatIsNotSetTakesNoRoom() {
        var message = CriuMessage()
        message.add(1, nil as String?)
        message.add(2, flag: false)
        #expect(message.bytes.isEmpty)
        message.add(2, flag: true)
        #expect(message.bytes == [0x10, 1])
    }

    @Test func aFieldNumberMayNeedTwoBytes() {
        var message = CriuMessage()
        message.add(64, 3)
        #expect(message.bytes == [0x80, 0x04, 3])
        #expect(CriuFields(message.bytes).number(64) == 3)
    }

    @Test func fieldsAreFoundAgain() {
        var inner = CriuMessage()
        inner.add(1, "setup-namespaces")
        inner.add(2, 4711)
        var message = CriuMessage()
        message.add(1, 6)
        message.add(2, flag: true)
        message.add(5, inner)
        message.add(7, -5)
        let fields = CriuFields(message.bytes)
        #expect(fields.number(1) == 6 && fields.flag(2) && fields.number(7) == -5)
        #expect(fields.message(5)?.text(1) == "setup-namespaces" && fields.message(5)?.number(2) == 4711)
        #expect(fields.text(9) == nil && fields.number(9) == nil && !fields.flag(9))
    }

    /// As often as it likes to, criu may send what this program does not know of.
    @Test(
        arguments: [
            [], [0x08], [0x08, 0x80], [0x12, 5, 1], [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            [UInt8](repeating: 0xff, count: 32), [0x0d, 1, 2, 3, 4], [0x0b],
        ] as [[UInt8]])
    func whatIsDamagedIsNoField(bytes: [UInt8]) {
        #expect(CriuFields(bytes) == CriuFields([]))
        var whole = CriuMessage()
        whole.add(3, 1)
        #expect(CriuFields(whole.bytes + bytes).number(3) == 1)
    }
}

@Suite struct CriuAnswerTests {
    private func answer(_ fill: (inout CriuMessage) -> Void) -> CriuAnswer {
        var message = CriuMessage()
        fill(&message)
        return CriuAnswer(message.bytes)
    }

    @Test func aMomentHasANameAndAProcess() {
        let moment = answer {
            var notify = CriuMessage()
            notify.add(1, "post-restore")
            notify.add(2, 77)
            $0.add(1, 6)
            $0.add(2, flag: true)
            $0.add(5, notify)
        }
        guard case .moment("post-restore", pid: 77) = moment else { Issue.record("\(moment)"); return }
    }

    @Test func theEndOfARestoreNamesTheProcess() {
        let done = answer {
            var restore = CriuMessage()
            restore.add(1, 99)
            $0.add(1, 2)
            $0.add(2, flag: true)
            $0.add(4, restore)
        }
        guard case .done(pid: 99) = done else { Issue.record("\(done)"); return }
    }

    @Test func aFailureHasCriusOwnWords() {
        guard case .failed("no memory") = answer({ $0.add(9, "no memory") }) else { Issue.record("words"); return }
        guard case .failed("errno 12") = answer({ $0.add(7, 12) }) else { Issue.record("number"); return }
        guard case .failed(nil) = answer({ $0.add(7, 0) }) else { Issue.record("nothing"); return }
        guard case .closed = CriuAnswer([]) else { Issue.record("closed"); return }
    }
}

@Suite struct CriuCallTests {
    /// The options of a call.
    private func opts(
        _ task: CriuTask, _ change: (inout CriuOptions) -> Void = { _ in }, _ add: (inout CriuCall) -> Void = { _ in }
    ) -> CriuFields {
        var options = CriuOptions()
        change(&options)
        var call = CriuCall(task: task, options: options, images: 5, work: nil)
        add(&call)
        return CriuFields(call.message.bytes).message(2) ?? CriuFields([])
    }

    @Test func theNumbersOfTasksAreCrius() {
        for (task, number) in [(CriuTask.dump, 1), (.restore, 2), (.preDump, 4)] {
            let call = CriuCall(task: task, options: CriuOptions(), images: 5, work: nil)
            #expect(CriuFields(call.message.bytes).number(1) == number)
        }
    }

    @Test func flagsAreThoseOfTheCommandLine() {
        let plain = opts(.dump)
        #expect(plain.number(1) == 5 && !plain.flag(3) && !plain.flag(5) && !plain.flag(8))
        let all = opts(
            .dump,
            { options in
                options.leaveRunning = true
                options.tcpEstablished = true
                options.fileLocks = true
                options.parentPath = "../before"
            }, { call in call.configFile = "/etc/criu/own.conf" })
        #expect(all.flag(3) && all.flag(5) && all.flag(8))
        #expect(all.text(14) == "../before" && all.text(51) == "/etc/criu/own.conf")
    }

    /// rpc.proto: IGNORE 0, CG_NONE 1, PROPS 2, SOFT 3, FULL 4, STRICT 5
    @Test(arguments: zip(CriuOptions.CgroupMode.allCases, 0...5))
    func theModesOfManagingCgroupsHaveCriusNumbers(mode: CriuOptions.CgroupMode, number: Int) {
        let fields = opts(.restore, { $0.cgroupMode = mode })
        #expect(fields.number(34) == number && fields.flag(24) == (mode != .ignore))
    }

    /// A root of version 2 has no controllers.
    @Test func theRootOfVersion2HasNoControllers() {
        let fields = opts(.restore, { _ in }, { $0.cgroupRoots = [("", "/a/b")] })
        #expect(fields.message(25)?.text(1) == nil && fields.message(25)?.text(2) == "/a/b")
    }
}
