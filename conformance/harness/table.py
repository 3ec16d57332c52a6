"""table.py check | table.py NAME=RESULTS.json...: the table of requirements in README.md.

`check` makes sure that every requirement names tests that exist, and README.md every requirement. Otherwise the table
is written anew from the results of `conformance/run --results`, one for each runtime."""

import ast
import json
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


def sections() -> list[dict]:
    return tomllib.loads((HERE / "requirements.toml").read_text())["section"]


def short(node: str) -> str:
    """rootfs/test_root.py::test_x[y] -> root filesystem test `rootfs/root::x`."""
    file, _, test = node.partition("::")
    parts = Path(file).parts[-2:]
    return f"{parts[0]}/{parts[1].removeprefix('test_').removesuffix('.py')}::{test.partition('[')[0].removeprefix('test_')}"


def fate(patterns: list[str], results: dict[str, str]) -> str:
    counts = {}
    for node, outcome in results.items():
        if any(fnmatchcase(short(node), pattern) for pattern in patterns):
            counts[outcome] = counts.get(outcome, 0) + 1
    good = counts.get("passed", 0) + counts.get("xpassed", 0)
    bad = counts.get("failed", 0) + counts.get("error", 0) + counts.get("xfailed", 0)
    if not good and not bad:
        return "not run"
    return "yes" if not bad else "no" if not good else f"partly: {bad} of {good + bad} fail"


def table(runtimes: dict[str, dict]) -> str:
    lines = []
    for section in sections():
        lines += [f"### {section['name']}", "", "| Requirement | Tests | " + " | ".join(runtimes) + " |"]
        lines.append("|---|---|" + "---|" * len(runtimes))
        for text, patterns in section["requirements"]:
            tests = "<br>".join(f"`{pattern}`" for pattern in patterns)
            lines.append(f"| {text} | {tests} | " + " | ".join(fate(patterns, results) for results in runtimes.values()) + " |")
        lines.append("")
    return "\n".join(lines)


def check() -> list[str]:
    tests, readme, faults = all_tests(), README.read_text(), []
    for section in sections():
        for text, patterns in section["requirements"]:
            faults += [
                f"{section['name']}: no test is called {pattern}" for pattern in patterns
                if not any(fnmatchcase(test, pattern) for test in tests)]
            if f"| {text} |" not in readme:
                faults.append(f"{section['name']}: README.md lacks {text!r}")
    return faults


if sys.argv[1:] == ["check"]:
    if faults := check():
        sys.exit("\n".join(faults))
else:
    runtimes = {name: json.loads(Path(path).read_text()) for name, path in (word.split("=", 1) for word in sys.argv[1:])}
    head, _, rest = README.read_text().partition(BEGIN)
    README.write_text(f"{head}{BEGIN}\n\n{table(runtimes)}{END}{rest.partition(END)[2]}")
