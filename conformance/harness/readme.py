"""README.md, whose examples are tests."""

import os
import re
from pathlib import Path

from harness.runtime import Result, Runtime

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


class Typist:
    """Somebody who types examples, each in a shell, where swrun is installed; with a /srv and a state directory of the
    test's own."""

    def __init__(self, runtime: Runtime):
        self.runtime = runtime
        programs = runtime.directory / "bin"
        programs.mkdir()
        program = programs / "swrun"
        program.write_text(f'#!/bin/sh\nexec {runtime.program} --root {runtime.root} "$@"\n')
        program.chmod(0o755)
        srv = runtime.directory / "srv"
        srv.mkdir()
        self.words = ["unshare", "--mount", "--propagation", "private", "bash", "-c",
                      f'mount --bind {srv} /srv && exec "$@"', "sh"]
        self.environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}

    def follow(self, title: str, least: int, seconds=20.0) -> None:
        """Types the examples of a section, one after the other; each has to print what is shown."""
        id = self.runtime.new_id()
        shown = commands(section(title))
        assert len(shown) >= least
        for command, expected in shown:
            # The name is also that of a control group, of which there is one on the whole machine.
            result = self.type(command.replace(" web", f" {id}"), seconds=seconds)
            printed = result.stdout.splitlines() == expected or command.startswith("bundles/")
            assert result.status == 0 and printed, f"{result}; the container: {self.log()}"
        self.runtime.expect_nothing()

    def log(self) -> str:
        file = self.runtime.directory / "srv/web.log"
        return file.read_text() if file.exists() else "nothing"

    def type(self, command: str, **options) -> Result:
        typed = f"{{ {command.replace('sudo ', '')}; }} 2>&1"
        return self.runtime.command_words(
            [*self.words, "bash", "-c", typed], cwd=TOP, env=self.environment, **options)
