"""The examples of the README, section "In a container that runs", do what they show."""

import os

import pytest

from harness.readme import Typist, commands, section


@pytest.mark.skipif(os.environ["RUNTIME_NAME"] != "swrun", reason="the README is about swrun")
def test_the_examples_of_the_readme(runtime):
    """One after the other"""
    typist, id = Typist(runtime), runtime.new_id()
    shown = commands(section("In a container that runs: exec"))
    assert len(shown) >= 9
    for command, expected in shown:
        # The name is also that of a control group, of which there is one on the whole machine.
        result = typist.type(command.replace(" web", f" {id}"))
        assert result.stdout.splitlines() == expected or command.startswith("bundles/"), result
    runtime.expect_nothing()
