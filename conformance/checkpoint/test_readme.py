"""The examples of the README, section "Saving and restoring", do what they show."""

import os

import pytest

from harness.readme import Typist, commands, section


@pytest.mark.vm
@pytest.mark.skipif(os.environ["RUNTIME_NAME"] != "swrun", reason="the README is about swrun")
def test_the_examples_of_the_readme(runtime):
    """One after the other"""
    typist, id = Typist(runtime), runtime.new_id()
    shown = commands(section("Saving and restoring: checkpoint"))
    assert len(shown) >= 7
    for command, expected in shown:
        result = typist.type(command.replace(" web", f" {id}"), seconds=60)
        assert result.status == 0, f"{result}: {(runtime.directory / 'srv/web.log').read_text()}"
        assert result.stdout.splitlines() == expected or command.startswith("bundles/"), result
    runtime.expect_nothing()
