"""The machine: QEMU, and the lines to the guest's service (the file `guest`)."""

import json
import os
import selectors
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PORTS = ("control", "files", "out", "err")


class Failed(Exception):
    """The machine does not do what it should."""


class TooLate(Failed):
    """The time is over."""


@dataclass
class Origin:
    """What a machine starts from."""

    directory: Path
    kvm: bool
    append: str
    #: The memory of a booted guest, and the changes to its disk; None to boot.
    state: Path | None = None

    @property
    def overlay(self) -> Path | None:
        return self.state and self.state.with_suffix(".qcow2")

    def words(self, disk: str) -> list[str]:
        """QEMU's command line. A saved state fits only the machine that it was saved from: all but the disk is the same
        each time."""
        return [
            "qemu-system-x86_64", "-machine", "q35", "-smp", "2", "-m", "2048",
            *(["-accel", "kvm", "-cpu", "host"] if self.kvm
              else ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max"]),
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
            "-kernel", str(self.directory / "vmlinuz"), "-initrd", str(self.directory / "initrd"),
            "-append", f"root=/dev/vda rw console=ttyS0 panic=-1 mitigations=off {self.append}".strip(),
            "-drive", f"if=virtio,cache=unsafe,{disk}", "-device", "virtio-rng-pci", "-device", "virtio-serial-pci"]


class Machine:
    """A running machine; everything of it is gone when the `with` block ends."""

    def __init__(self, origin: Origin, seconds: float, disk: str | None = None):
        self.origin, self.deadline = origin, time.monotonic() + seconds
        self.room = Path(tempfile.mkdtemp(prefix="conformance-vm."))
        self.console = self.room / "console"
        if disk is None:
            disk = f"file={origin.overlay},snapshot=on" if origin.state else (
                f"file={origin.directory}/disk.raw,format=raw,snapshot=on")
        words = [*origin.words(disk), "-serial", f"file:{self.console}"]
        listeners = {}
        for name in (*PORTS, "monitor"):
            listeners[name] = socket.socket(socket.AF_UNIX)
            listeners[name].bind(str(self.room / name))
            listeners[name].listen(1)
            words += ["-chardev", f"socket,id={name},path={self.room / name}"]
        words += ["-mon", "monitor,mode=control"]
        for name in PORTS:
            words += ["-device", f"virtserialport,chardev={name},name={name}"]
        if origin.state and disk.startswith(f"file={origin.overlay}"):
            words += ["-incoming", f"exec:cat '{origin.state}'"]
        # It does not outlive this process, however that ends.
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *words], stdin=subprocess.DEVNULL, stdout=(self.room / "qemu").open("w"), stderr=subprocess.STDOUT)
        self.lines: dict[str, socket.socket] = {}
        try:
            for name, listener in listeners.items():
                listener.settimeout(1)
                while name not in self.lines:
                    try:
                        self.lines[name] = listener.accept()[0]
                    except TimeoutError:
                        self._check()
                listener.close()
        except Failed:
            self.__exit__()
            raise
        self.pending = {name: b"" for name in self.lines}

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        for line in self.lines.values():
            line.close()
        shutil.rmtree(self.room, ignore_errors=True)

    def _check(self) -> None:
        if self.process.poll() is not None:
            raise Failed(f"QEMU ended: {(self.room / 'qemu').read_text()[-2000:]}{self._console()}")
        if time.monotonic() > self.deadline:
            raise TooLate(f"the time is over{self._console()}")

    def _console(self) -> str:
        text = self.console.read_text(errors="replace") if self.console.exists() else ""
        return "; the guest's console:\n" + "\n".join(text.splitlines()[-30:])

    # Lines

    def _read_line(self, name: str) -> str:
        line = self.lines[name]
        line.settimeout(1)
        while b"\n" not in self.pending[name]:
            try:
                more = line.recv(4096)
            except TimeoutError:
                self._check()
                continue
            if not more:
                self.process.wait()
                self._check()
            self.pending[name] += more
        text, _, self.pending[name] = self.pending[name].partition(b"\n")
        return text.decode(errors="replace").strip()

    def wait_until_up(self) -> None:
        while self._read_line("control") != "ready":
            pass

    # The monitor

    def _monitor(self, command: str, **arguments) -> dict:
        """A QMP command and its answer."""
        self.lines["monitor"].sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = json.loads(self._read_line("monitor"))
            if "error" in answer:
                raise Failed(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def save(self, path: Path) -> None:
        """Writes the machine's state to a file; the machine then stands still."""
        self._monitor("qmp_capabilities")
        self._monitor("migrate", uri=f"exec:cat >'{path}'")
        while (status := self._monitor("query-migrate").get("status")) != "completed":
            if status in ("failed", "cancelled"):
                raise Failed(f"the machine's state cannot be saved: {status}")
            time.sleep(0.2)
        self._monitor("quit")
        self.process.wait()

    # Commands

    def command(self, files: bytes) -> tuple[int, bytes]:
        """Sends the files, among them `.command`, which the guest runs. Its output goes to this process's own.

        Returns the exit status and a tar of the results."""
        if not self.origin.state:
            self.wait_until_up()
        self.lines["control"].sendall(f"{time.time()} {len(files)}\n".encode())
        results, control, sent = b"", b"", 0
        with selectors.DefaultSelector() as selector:
            for name in PORTS:
                self.lines[name].setblocking(False)
                selector.register(self.lines[name], selectors.EVENT_READ, name)
            selector.modify(self.lines["files"], selectors.EVENT_READ | selectors.EVENT_WRITE, "files")
            while True:
                ready = selector.select(0.1 if b"\n" in control else 1)
                for key, events in ready:
                    if events & selectors.EVENT_WRITE:
                        sent += key.fileobj.send(memoryview(files)[sent : sent + 65536])
                        if sent == len(files):
                            selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
                    if not events & selectors.EVENT_READ:
                        continue
                    if not (data := key.fileobj.recv(1 << 16)):
                        selector.unregister(key.fileobj)
                    elif key.data == "control":
                        control += data
                    elif key.data == "files":
                        results += data
                    else:
                        os.write(1 if key.data == "out" else 2, data)
                # All that was sent before the last word has arrived.
                if b"\n" in control and not ready:
                    return int(control.split()[1]), results
                self._check()


def version() -> str:
    try:
        return subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True, check=True).stdout
    except OSError as error:
        raise Failed(f"there is no QEMU: {error}; install the packages in {Path(__file__).parent}/packages") from None


def say(text: str) -> None:
    print(f"conformance/vm: {text}", file=sys.stderr, flush=True)
