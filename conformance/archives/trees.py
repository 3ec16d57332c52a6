"""Looking at trees of files."""

import os
import stat
from pathlib import Path


def tree(path: Path) -> dict[bytes, tuple]:
    """Everything in a directory, by path: kind and mode, owner, size or target, time, content."""
    found = {}
    root = os.fsencode(path)
    for directory, directories, files in os.walk(root):
        for name in directories + files:
            full = os.path.join(directory, name)
            status = os.lstat(full)
            content = b""
            if stat.S_ISLNK(status.st_mode):
                content = os.readlink(full)
            elif stat.S_ISREG(status.st_mode) and status.st_size < 1 << 20:
                with open(full, "rb") as file:
                    content = file.read()
            found[os.path.relpath(full, root)] = (status, content)
    return found
