"""A systemd that does not answer, answers nonsense, or refuses: what --systemd-cgroup makes of it. No systemd is needed
for it: something else listens where it would."""

import contextlib
import os
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from harness import host, refused

SYSTEMD = ("--systemd-cgroup",)


class FakeSystemd(threading.Thread):
    """Listens where a bus would, says what it is told to, and remembers which methods it was asked for."""

    def __init__(self, path: Path, behaviour: str):
        super().__init__(daemon=True)
        self.behaviour, self.asked = behaviour, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(4)
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):  # who is told nonsense hangs up
                self.serve(connection)

    def serve(self, connection):
        lines = {
            "garbage": b"DATA\r\nOK 1234\r\n" + b"\xff" * 256, "rejection": b"REJECTED KERBEROS\r\n",
            "a huge message": b"DATA\r\nOK 1234\r\nl\2\1\1\xff\xff\xff\x7f\1\0\0\0\0\0\0\0", "nothing": b"",
        }
        if self.behaviour == "hanging up":
            return
        connection.sendall(lines.get(self.behaviour, b"DATA\r\nOK 1234\r\n"))
        buffer = b""
        while data := connection.recv(65536):
            buffer += data
            buffer = buffer.partition(b"BEGIN\r\n")[2] if b"BEGIN\r\n" in buffer else buffer
            while len(buffer) >= 16 and buffer[:1] == b"l":
                body, serial, fields = struct.unpack_from("<III", buffer, 4)
                length = 16 + (fields + 7) // 8 * 8 + body
                if len(buffer) < length:
                    break
                message, buffer = buffer[:length], buffer[length:]
                self.answer(connection, message, serial)

    def answer(self, connection, message, serial):
        names = ("Hello", "AddMatch", "Subscribe", "Get", "StartTransientUnit", "StopUnit", "ResetFailedUnit")
        member = next(name for name in names if name.encode() + b"\0" in message)
        self.asked.append(member)
        reply = b"\5\1u\0" + struct.pack("<I", serial)
        if member == "StartTransientUnit" and self.behaviour == "a refusal":
            text, name = b"No more units today", b"org.example.Refused"
            fields = reply + b"\4\1s\0" + struct.pack("<I", len(name)) + name + b"\0"
            self.send(connection, 3, fields, b"s", struct.pack("<I", len(text)) + text + b"\0")
        elif member == "StartTransientUnit" and self.behaviour != "silence about units":
            self.send(connection, 2, reply, b"o", b"\2\0\0\0/j\0")
            if self.behaviour == "a failed job":
                removed = b"\1\0\0\0\2\0\0\0/j\0\0\1\0\0\0x\0\0\0\6\0\0\0failed\0"
                self.send(connection, 4, b"\3\1s\0\x0a\0\0\0JobRemoved\0", b"uoss", removed)
        elif member == "Get":
            self.send(connection, 2, reply, b"v", b"\1s" + bytes(7))
        elif member != "StartTransientUnit":
            self.send(connection, 2, reply, b"", b"")

    @staticmethod
    def send(connection, kind, fields, signature, body):
        if signature:
            fields += b"\0" * (-len(fields) % 8) + b"\x08\1g\0" + bytes([len(signature)]) + signature + b"\0"
        head = struct.pack("<cBBBIII", b"l", kind, 0, 1, len(body), 1, len(fields)) + fields
        connection.sendall(head + b"\0" * (-len(head) % 8) + body)


@pytest.mark.parametrize("behaviour, told", [
    ("nothing", "within 1 s"), ("garbage", "no message"), ("hanging up", "closed"), ("a huge message", "bytes long"),
    ("rejection", "does not take user"), ("silence about units", "within 1 s"), ("a job that never ends", "within 1 s"),
    ("a failed job", "failed"), ("a refusal", "no more units today"),
])
def test_a_systemd_that_does_not_do_its_work_is_an_error_in_time(runtime, bundle, behaviour, told):
    """A runtime never hangs; the error tells how long it waited, or what came; nothing is left, no process either"""
    if runtime.name != "swrun":
        pytest.skip("SYSTEMD_BUS_TIMEOUT is systemd's own variable, which other runtimes do not heed")
    path = runtime.directory / "bus"
    systemd = FakeSystemd(path, behaviour)
    bundle.linux["cgroupsPath"] = f"system.slice:{runtime.prefix}:x"
    environment = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={path}", "SYSTEMD_BUS_TIMEOUT": "1"}
    began = time.monotonic()
    container = runtime.try_create(bundle.probe("hold"), flags=SYSTEMD, env=environment)
    assert time.monotonic() - began < host.timeout(4)
    refused(container.created, names=["systemd", told])
    systemd.listener.close()
    runtime.expect_nothing()
    assert ("StartTransientUnit" in systemd.asked) is (
        behaviour in ("silence about units", "a job that never ends", "a failed job", "a refusal"))


@pytest.mark.parametrize("verb", ["create", "run"])
def test_who_asks_a_create_to_end_does_not_wait_for_systemd(runtime, bundle, verb):
    """A signal ends the wait for an answer, and what was made until then is taken down"""
    if runtime.name != "swrun":
        pytest.skip("SYSTEMD_BUS_TIMEOUT is systemd's own variable, which other runtimes do not heed")
    path = runtime.directory / "bus"
    systemd = FakeSystemd(path, "silence about units")
    bundle.linux["cgroupsPath"] = f"system.slice:{runtime.prefix}:x"
    bundle.probe("hold").write()
    environment = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={path}", "SYSTEMD_BUS_TIMEOUT": "3600"}
    process = runtime.spawn(verb, "--bundle", bundle.path, runtime.new_id(), flags=SYSTEMD, env=environment)
    host.wait_until(lambda: "StartTransientUnit" in systemd.asked, "systemd is asked for a scope")
    process.terminate()
    assert process.wait(host.timeout(5)) == 128 + 15
    systemd.listener.close()
    runtime.expect_nothing()


def test_without_systemd_the_error_says_so(runtime, bundle):
    """The contract: what cannot be done is refused, with what to do instead"""
    if Path("/run/systemd/private").exists():
        pytest.skip("systemd runs here")
    bundle.linux["cgroupsPath"] = f"system.slice:{runtime.prefix}:x"
    refused(runtime.try_create(bundle.probe("hold"), flags=SYSTEMD).created, names=["systemd", "cgroupfs"])
    runtime.expect_nothing()
