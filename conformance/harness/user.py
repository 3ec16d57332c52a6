"""Ordinary users for the tests."""

import os
import pwd
from pathlib import Path

AS_USER = Path(__file__).parent / "as-user"


class User:
    """An ordinary user whom only the commands of one test know: their mount namespace has its own passwd(5) and
    subuid(5)."""

    uid, gid, first, count = 4242, 4343, 300000, 65536

    def __init__(self, directory: Path):
        self.etc = directory / "etc"
        self.etc.mkdir()
        self.home = directory / "home"
        self.home.mkdir()
        os.chown(self.home, self.uid, self.gid)
        assert not any(entry.pw_uid == self.uid for entry in pwd.getpwall())
        (self.etc / "passwd").write_text(
            Path("/etc/passwd").read_text() + f"lana:x:{self.uid}:{self.gid}::{self.home}:/bin/sh\n")
        (self.etc / "group").write_text(Path("/etc/group").read_text() + f"lana:x:{self.gid}:\n")
        self.grant(f"lana:{self.first}:{self.count}\n")

    def grant(self, text: str, groups: str | None = None) -> "User":
        """What subuid(5) and subgid(5) say."""
        (self.etc / "subuid").write_text(text)
        (self.etc / "subgid").write_text(text if groups is None else groups)
        return self

    def replace(self, path: str, content: bytes | None, mode=0o755) -> "User":
        """Another file in the place of one of the host; None: as good as missing."""
        target = self.etc / path.replace("/", "@")
        target.write_bytes(content or b"")
        target.chmod(mode if content is not None else 0)
        return self

    def wrapper(self) -> list[str]:
        return [str(AS_USER), str(self.uid), str(self.gid), str(self.etc), str(self.home)]
