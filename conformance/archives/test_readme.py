"""The examples of the README, section "From container images and archives", do what they show."""

import os
import platform
import re
from pathlib import Path

from harness import host

TOP = Path(__file__).resolve().parents[2]


def examples() -> list[tuple[str, list[str]]]:
    """Commands and what they print, in their order."""
    text = (TOP / "README.md").read_text()
    section = text[text.index("<!-- examples: conformance/archives"):]
    found: list[tuple[str, list[str]]] = []
    for line in re.search(r"```console\n(.*?)```", section, re.DOTALL)[1].splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        else:
            found[-1][1].append(line)
    return found


def test_the_examples_of_the_readme(runtime, one_at_a_time):
    """Each in a shell, one after the other, with a /srv of the test's own"""
    programs = runtime.directory / "bin"
    programs.mkdir()
    (programs / "swrun").symlink_to(runtime.program)
    srv = runtime.directory / "srv"
    srv.mkdir()
    state = runtime.directory / "run"
    state.mkdir()
    binds = f'mount --bind {srv} /srv && mkdir -p /run/swrun && mount --bind {state} /run/swrun && exec "$@"'
    private = ["unshare", "--mount", "--propagation", "private", "bash", "-c", binds, "sh"]
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    shown = examples()
    assert len(shown) >= 8
    for command, expected in shown:
        words = [*private, "bash", "-ec", command.replace("sudo ", "")]
        printed = host.command(*words, cwd=TOP, env=environment).splitlines()
        if expected:
            assert printed == [line.replace("amd64", machine) for line in expected], command
