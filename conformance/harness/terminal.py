"""The other end of a terminal: as a console socket hands it over, or as the caller's own."""

import fcntl
import os
import pty
import select
import socket
import struct
import termios
import time
from pathlib import Path

from . import host, reaper
from .seen import Seen


class Terminal:
    """The master of a pseudoterminal; what was read from it so far is kept."""

    def __init__(self, master: int):
        self.master = master
        self.printed = b""

    def read(self, until, seconds=10.0) -> str:
        """Reads until a text has appeared, or until a function of what was printed is true."""
        reached = until if callable(until) else lambda text: until in text
        limit = time.monotonic() + host.timeout(seconds)
        while not reached(self.text):
            rest = limit - time.monotonic()
            assert rest > 0, f"{until!r} did not appear on the terminal: {self.text!r}"
            if not select.select([self.master], [], [], rest)[0]:
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:  # EIO: nobody has the other end any more
                data = b""
            if not data:
                break
            self.printed += data
        assert reached(self.text), f"{until!r} did not appear on the terminal: {self.text!r}"
        return self.text

    def wait_for(self, verb: str, count=1, seconds=10.0) -> Seen:
        """Waits until the probe has printed a verb."""
        self.read(lambda text: len(Seen(text).all(verb)) >= count, seconds)
        return Seen(self.text)

    @property
    def text(self) -> str:
        return self.printed.decode(errors="replace").replace("\r\n", "\n")

    def write(self, text: str) -> None:
        os.write(self.master, text.encode())

    @property
    def size(self) -> tuple[int, int]:
        rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(self.master, termios.TIOCGWINSZ, bytes(8)))
        return rows, columns

    @size.setter
    def size(self, rows_columns: tuple[int, int]) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", *rows_columns, 0, 0))

    def close(self) -> None:
        os.close(self.master)


class ConsoleSocket:
    """Listens as engines do for --console-socket."""

    def __init__(self, path: Path):
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(path))
        self.listener.listen(4)
        self.listener.settimeout(host.timeout(10))
        self.payload = b""

    def receive(self) -> Terminal:
        connection, _ = self.listener.accept()
        with connection:
            connection.settimeout(host.timeout(10))
            self.payload, descriptors, _, _ = socket.recv_fds(connection, 4096, 8)
        assert len(descriptors) == 1, f"expected one descriptor, not {descriptors}"
        return Terminal(descriptors[0])

    def close(self) -> None:
        self.listener.close()


class Attached:
    """A command whose terminal is ours: it leads a session with a pseudoterminal as its controlling terminal."""

    def __init__(self, words: list[str], rows=24, columns=80, **options):
        master, self.slave = pty.openpty()
        self.terminal = Terminal(master)
        self.terminal.size = (rows, columns)

        def become_leader():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.modes_before = self.modes
        self.process = reaper.Process(
            words, stdin=self.slave, stdout=self.slave, stderr=self.slave, preexec_fn=become_leader, **options)

    @property
    def modes(self) -> list:
        return termios.tcgetattr(self.slave)

    def wait(self, seconds=10.0) -> int:
        return self.process.wait(host.timeout(seconds))

    def close(self) -> None:
        self.terminal.close()
        os.close(self.slave)
