"""The examples of the README, section "In a container that runs", do what they show."""

import os

import pytest

from harness.readme import Typist


@pytest.mark.skipif(os.environ["RUNTIME_NAME"] != "swrun", reason="the README is about swrun")
def test_the_examples_of_the_readme(runtime):
    """One after the other"""
    Typist(runtime).follow("In a container that runs: exec", least=9)
