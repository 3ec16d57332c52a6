"""What recording and explaining came to."""

import json
import re
from pathlib import Path


def offered(result) -> list[str]:
    """What -S is to be given, by the names that --seccomp-explain printed."""
    found = re.search(r"to allow them: -S ([\w,]+)", result.stderr)
    return found.group(1).split(",") if found else []


def allowed_by(profile: Path) -> set[str]:
    """The system calls that a profile allows."""
    rules = json.loads(profile.read_text())["syscalls"]
    return {name for rule in rules if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}
