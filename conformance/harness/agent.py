"""A seccomp agent: listens where a configuration says (listenerPath) and decides about the system calls it is told of."""

import collections
import fcntl
import json
import os
import select
import socket
import struct
import threading
from pathlib import Path

from . import host

# linux/seccomp.h: struct seccomp_notif, struct seccomp_notif_resp
RECEIVE, SEND = 0xC0502100, 0xC0182101
CONTINUE = 1


class SeccompAgent:
    """`errors` maps a system call's number to the errno that it gets; all others go on. `meanwhile` maps it to a function
    that is called while the system call waits for its answer."""

    def __init__(self, path: Path, errors: dict[int, int] | None = None, meanwhile: dict | None = None):
        self.path, self.errors, self.meanwhile = path, errors or {}, meanwhile or {}
        self.messages: list[dict] = []
        self.connections: list[socket.socket] = []
        self.descriptors: list[int] = []
        self.calls: collections.Counter[int] = collections.Counter()
        # Answers to calls that nobody waits for any more.
        self.late: collections.Counter[int] = collections.Counter()
        self.stop, self.stopped = os.pipe()
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(str(path))
        self.server.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "SeccompAgent":
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        os.close(self.stopped)
        self.thread.join(host.timeout(5))  # it may wait for a call whose process was killed
        for connection in [self.server, *self.connections]:
            connection.close()
        for descriptor in self.descriptors:
            os.close(descriptor)

    def _serve(self) -> None:
        poll = select.poll()
        for descriptor in (self.stop, self.server.fileno()):
            poll.register(descriptor, select.POLLIN)
        while True:
            for descriptor, events in poll.poll():
                if descriptor == self.stop:
                    os.close(self.stop)
                    return
                if descriptor == self.server.fileno():
                    poll.register(self._accept(), select.POLLIN)
                elif events & select.POLLIN:
                    self._answer(descriptor)
                else:
                    poll.unregister(descriptor)

    def _accept(self) -> int:
        """One connection carries one container process state; the descriptors come with its first part."""
        connection, _ = self.server.accept()
        connection.settimeout(host.timeout(5))
        text, descriptors, _, _ = socket.recv_fds(connection, 1 << 16, 16)
        while True:
            try:
                message = json.loads(text)
                break
            except ValueError:
                text += connection.recv(1 << 16)
        self.connections.append(connection)
        self.messages.append(message)
        self.descriptors += descriptors
        return descriptors[message["fds"].index("seccompFd")]

    def was_closed(self) -> bool:
        """Whether the runtime ended every connection after what it sent."""
        try:
            return all(connection.recv(1) == b"" for connection in self.connections)
        except TimeoutError:
            return False

    def _answer(self, listener: int) -> None:
        notification = bytearray(80)
        number = None
        try:
            fcntl.ioctl(listener, RECEIVE, notification)
            id, _, _, number = struct.unpack_from("QIIi", notification)
            self.calls[number] += 1
            if number in self.meanwhile:
                self.meanwhile[number]()
            error = self.errors.get(number)
            answer = (id, 0, -error, 0) if error else (id, 0, 0, CONTINUE)
            fcntl.ioctl(listener, SEND, bytearray(struct.pack("QqiI", *answer)))
        except OSError:  # the process has ended meanwhile, or was interrupted
            if number is not None:
                self.late[number] += 1
