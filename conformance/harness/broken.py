"""Programs that the kernel does not execute, for reasons that its error does not tell."""

import platform
from dataclasses import dataclass
from pathlib import Path

_MACHINE = {"x86_64": 62, "aarch64": 183}[platform.machine()]


def _elf(machine: int, loader: str | None = None) -> bytes:
    """The head of a 64-bit little-endian program, with the name of a loader where given."""
    names = loader.encode() + b"\0" if loader else b""
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + (2).to_bytes(2, "little") + machine.to_bytes(2, "little")
    header += (1).to_bytes(4, "little") + (0x400078).to_bytes(8, "little") + (64).to_bytes(8, "little") + bytes(8)
    header += bytes(4) + (64).to_bytes(2, "little") + (56).to_bytes(2, "little")
    header += (1).to_bytes(2, "little") + bytes(6)
    kind = 3 if loader else 1
    segment = kind.to_bytes(4, "little") + (4).to_bytes(4, "little") + (120).to_bytes(8, "little") + bytes(16)
    segment += len(names).to_bytes(8, "little") * 2 + (1).to_bytes(8, "little")
    return header + segment + names + bytes(4096)


@dataclass
class BrokenProgram:
    name: str
    content: bytes
    # What the kernel says, by which engines decide.
    text: str
    # What the user is told besides.
    told: str

    @property
    def is_missing(self) -> bool:
        return self.text == _MISSING

    def put(self, path: Path) -> None:
        path.write_bytes(self.content)
        path.chmod(0o755)


_MISSING, _FORMAT = "no such file or directory", "exec format error"

BROKEN = [
    BrokenProgram("interpreter", b"#!/no/such/interpreter\necho never\n", _MISSING, "/no/such/interpreter"),
    BrokenProgram("crlf", b"#!/bin/sh\r\necho never\r\n", _MISSING, "carriage return"),
    BrokenProgram("processor", _elf(0x1234), _FORMAT, "processor"),
    BrokenProgram("loader", _elf(_MACHINE, "/lib64/no-such-loader.so"), _MISSING, "no-such-loader"),
    BrokenProgram("empty", b"", _FORMAT, "empty"),
    BrokenProgram("no-interpreter-line", b"echo never\n", _FORMAT, "#!"),
]
