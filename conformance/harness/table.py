"""table.py check | table.py lines DIRECTORY | table.py NAME=RESULTS.json...: the table of requirements in README.md.

`check` makes sure that every requirement names tests that exist, and README.md every requirement. `lines` compares
requirements.toml with the text of the specification (a directory with its Markdown files): it fails for lines that
require something and that no requirement has. Otherwise the table is written anew from the results of
`conformance/run --results`, one for each runtime."""

import ast
import json
import re
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

HERE = Path(__file__).parent.parent
README = HERE / "README.md"
BEGIN, END = "<!-- the table: made by harness/table.py -->", "<!-- end of the table -->"


def all_tests() -> set[str]:
    """Every test as `directory/file::name`, without test_ and .py."""
    found = set()
    for file in HERE.glob("*/test_*.py"):
        name = f"{file.parent.name}/{file.stem.removeprefix('test_')}"
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                found.add(f"{name}::{node.name.removeprefix('test_')}")
    return found


def document() -> dict:
    return tomllib.loads((HERE / "requirements.toml").read_text())


def sections() -> list[dict]:
    return document()["section"]


def short(node: str) -> str:
    """rootfs/test_root.py::test_x[y] -> root filesystem test `rootfs/root::x[y]`."""
    file, _, test = node.partition("::")
    parts = Path(file).parts[-2:]
    return f"{parts[0]}/{parts[1].removeprefix('test_').removesuffix('.py')}::{test.removeprefix('test_')}"


def concerns(pattern: str, test: str) -> bool:
    """Whether a pattern means a test: by its name, or by its name and what it is given."""
    return fnmatchcase(test.partition("[")[0], pattern) or fnmatchcase(test.replace("[", "("), pattern)


def fate(patterns: list[str], results: dict[str, str]) -> str:
    counts = {}
    for node, outcome in results.items():
        if any(concerns(pattern, short(node)) for pattern in patterns):
            counts[outcome] = counts.get(outcome, 0) + 1
    good = counts.get("passed", 0) + counts.get("xpassed", 0)
    bad = counts.get("failed", 0) + counts.get("error", 0) + counts.get("xfailed", 0)
    if not good and not bad:
        return "not run"
    return "yes" if not bad else "no" if not good else f"partly: {bad} of {good + bad} fail"


def table(runtimes: dict[str, dict]) -> str:
    lines = []
    for section in sections():
        lines += [f"### {section['name']}", "", "| Requirement | Where | Tests | " + " | ".join(runtimes) + " |"]
        lines.append("|---|---|---|" + "---|" * len(runtimes))
        for text, where, patterns in section["requirements"]:
            tests = "<br>".join(f"`{pattern}`" for pattern in patterns)
            fates = " | ".join(fate(patterns, results) for results in runtimes.values())
            lines.append(f"| {text} | {where} | {tests} | {fates} |")
        lines.append("")
    return "\n".join(lines)


def check() -> list[str]:
    tests, readme, faults = all_tests(), README.read_text(), []
    for section in sections():
        for text, _, patterns in section["requirements"]:
            # What a test is given is known only when it runs.
            faults += [
                f"{section['name']}: no test is called {pattern}" for pattern in patterns
                if not any(fnmatchcase(test, pattern) or fnmatchcase(test, pattern.partition("*")[0] + "*") for test in tests)]
            if f"| {text} |" not in readme:
                faults.append(f"{section['name']}: README.md lacks {text!r}")
    return faults


def places(where: str) -> set[tuple[str, int]]:
    """`config.md:17,33-35; runtime.md:5` as (file, line); nothing for what is no place in the specification."""
    found = set()
    for part in where.split("; "):
        file, _, ranges = part.partition(":")
        for piece in filter(None, ranges.split(",")):
            first, _, last = piece.partition("-")
            found |= {(file, line) for line in range(int(first), int(last or first) + 1)}
    return found


def missing_lines(specification: Path) -> list[str]:
    """Lines that require something of somebody, and that requirements.toml does not have."""
    named = set().union(*(places(where) for where in document()["elsewhere"].values()))
    for section in sections():
        for _, where, _ in section["requirements"]:
            named |= places(where)
    faults = []
    for file in sorted({file for file, _ in named}):
        for number, line in enumerate((specification / file).read_text().splitlines(), 1):
            if re.search(r"\b(MUST|SHALL|REQUIRED)\b", line) and (file, number) not in named:
                faults.append(f"{file}:{number}: {line.strip()}")
    return faults


match sys.argv[1:]:
    case ["check"]:
        if faults := check():
            sys.exit("\n".join(faults))
    case ["lines", directory]:
        if faults := missing_lines(Path(directory)):
            sys.exit("\n".join(faults))
    case words:
        runtimes = {name: json.loads(Path(path).read_text()) for name, path in (word.split("=", 1) for word in words)}
        head, _, rest = README.read_text().partition(BEGIN)
        README.write_text(f"{head}{BEGIN}\n\n{table(runtimes)}{END}{rest.partition(END)[2]}")
