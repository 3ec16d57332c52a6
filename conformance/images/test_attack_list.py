"""Every attack of README.md has the tests that it names."""

import re
from pathlib import Path

HERE = Path(__file__).parent


def test_every_attack_has_its_tests():
    named = re.findall(r"`(\w+)/(\w+)::(\w+)`", (HERE / "README.md").read_text())
    assert len(named) > 50
    for directory, file, name in named:
        text = (HERE.parent / directory / f"{file}.py").read_text()
        assert re.search(rf"^def test_{name}\(", text, re.MULTILINE), f"{directory}/{file}::{name}"
