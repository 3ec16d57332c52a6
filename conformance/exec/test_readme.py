"""The examples of the README, section "In a container that runs", do what they show."""

import os

import pytest

from harness.readme import TOP, commands, section


@pytest.mark.skipif(os.environ["RUNTIME_NAME"] != "swrun", reason="the README is about swrun")
def test_the_examples_of_the_readme(runtime):
    """Each in a shell, one after the other, with a /srv and a state directory of the test's own"""
    programs = runtime.directory / "bin"
    programs.mkdir()
    id = runtime.new_id()
    program = programs / "swrun"
    program.write_text(f'#!/bin/sh\nexec {runtime.program} --root {runtime.root} "$@"\n')
    program.chmod(0o755)
    srv = runtime.directory / "srv"
    srv.mkdir()
    private = ["unshare", "--mount", "--propagation", "private", "bash", "-c", f'mount --bind {srv} /srv && exec "$@"', "sh"]
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    shown = commands(section("In a container that runs: exec"))
    assert len(shown) >= 9
    for command, expected in shown:
        # The name is also that of a control group, of which there is one on the whole machine.
        typed = command.replace("sudo ", "").replace(" web", f" {id}")
        result = runtime.command_words([*private, "bash", "-c", f"{{ {typed}; }} 2>&1"], cwd=TOP, env=environment)
        assert result.stdout.splitlines() == expected or command.startswith("bundles/"), result
    runtime.expect_nothing()
