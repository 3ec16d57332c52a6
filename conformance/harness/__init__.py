"""What every test uses: a bundle to change, a runtime to drive, and what the probe saw."""

from .bundle import Bundle
from .errors import one_error, refused
from .runtime import Container, Result, Runtime
from .seen import Seen, capability_bits, parse_mountinfo
from .terminal import ConsoleSocket, Terminal

__all__ = [
    "Bundle", "ConsoleSocket", "Container", "Result", "Runtime", "Seen", "Terminal", "capability_bits", "one_error",
    "parse_mountinfo", "refused",
]
