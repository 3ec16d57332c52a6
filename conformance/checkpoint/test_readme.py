"""The examples of the README, section "Saving and restoring", do what they show."""

import os

import pytest

from harness.readme import Typist


@pytest.mark.vm
@pytest.mark.skipif(os.environ["RUNTIME_NAME"] != "swrun", reason="the README is about swrun")
def test_the_examples_of_the_readme(runtime):
    """One after the other"""
    Typist(runtime).follow("Saving and restoring: checkpoint", least=7, seconds=60)
