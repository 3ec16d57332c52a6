"""README.md, whose examples are tests."""

import re
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def section(title: str) -> str:
    """What stands below a heading."""
    return (TOP / "README.md").read_text().split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def blocks(text: str, kind: str) -> list[str]:
    """The blocks of code of one language."""
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


def commands(text: str) -> list[tuple[str, list[str]]]:
    """Commands and the lines that they print, in their order."""
    found: list[tuple[str, list[str]]] = []
    for block in blocks(text, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found
