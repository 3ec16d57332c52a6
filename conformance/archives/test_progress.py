"""How `bundle` tells how far it is."""

import json
import os
import re
import time

import pytest

from harness import host
from harness.terminal import Attached
from archives import samples as a


@pytest.fixture
def image(work):
    (work / "image.tar").write_bytes(a.tar(*[a.member(f"f{n}", data=os.urandom(1 << 20)) for n in range(8)]))
    return work / "image.tar"


def test_on_a_terminal_there_is_a_bar(runtime, image, work):
    """A bar with rate and remaining time, on one line that is gone at the end"""
    attached = Attached(runtime.words("bundle", image, "-o", work / "bundle"), columns=100)
    try:
        assert attached.wait(20) == 0
        text = attached.terminal.read("\r\x1b[K")
    finally:
        attached.close()
    bars = text.split("\r")
    assert re.search(r"^unpacking  \[[=> ]+\] +0 %  0 B  0 B/s", bars[1]), text
    assert all(len(bar) <= 103 for bar in bars), text


@pytest.mark.parametrize("columns", [1, 20, 40, 300])
def test_the_bar_fits_the_terminal(runtime, image, work, columns):
    attached = Attached(runtime.words("bundle", image, "-o", work / "bundle"), columns=columns)
    try:
        assert attached.wait(20) == 0
        text = attached.terminal.read(lambda text: "\x1b[K" in text)
    finally:
        attached.close()
    assert all(len(bar.replace("\x1b[K", "")) < columns for bar in text.split("\r") if "%" in bar), text


def test_an_error_stands_on_a_line_of_its_own(runtime, image, work):
    image.write_bytes(image.read_bytes()[:-2000])
    attached = Attached(runtime.words("bundle", image, "-o", work / "bundle"))
    try:
        assert attached.wait(20) == 1
        text = attached.terminal.read("truncated")
    finally:
        attached.close()
    assert "\r\x1b[Kswrun: " in text, text


def test_elsewhere_there_are_lines(make, image):
    made = make(image, "--progress", "plain")
    lines = made.result.ok().stderr.splitlines()
    assert re.fullmatch(r"unpacking: 0 %, 0 B of 8\.\d MiB, 0 B/s", lines[0]), lines
    assert re.fullmatch(r"unpacking: 8\.\d MiB in \d+\.\d s", lines[-1]), lines


def test_what_is_over_soon_says_nothing(make, image):
    began = time.monotonic()
    made = make(image, "--progress", "auto")
    assert made.result.ok().stderr == "" or time.monotonic() - began > 2


def test_nothing_is_said_when_none_is_asked_for(make, image):
    result = make(image, "--progress", "none").result.ok()
    assert result.stdout == result.stderr == ""


def test_programs_get_json(make, image):
    """An object a line; bytes of the archive, files, rate"""
    made = make(image, "--progress", "json")
    reports = [json.loads(line) for line in made.result.ok().stdout.splitlines()]
    size = image.stat().st_size
    assert reports[0]["bytes"] == 0 and reports[0]["total"] == size and not reports[0]["finished"]
    last = reports[-1]
    assert last["finished"] and last["bytes"] == size and last["files"] == 8 and last["step"] == "unpacking"
    assert [report["bytes"] for report in reports] == sorted(report["bytes"] for report in reports)
    assert made.result.stderr == ""


def test_a_slow_source_is_reported_while_it_comes(runtime, work):
    """The remaining time is told as soon as there is a rate"""
    (work / "image.tar").write_bytes(a.tar(*[a.member(f"f{n}") for n in range(60_000)], format=0))
    process = Attached(runtime.words("bundle", work / "image.tar", "-o", work / "bundle"), columns=100)
    try:
        assert " left" in process.terminal.read(" left", seconds=20)
        process.process.terminate()
        assert process.wait(host.timeout(20)) == 128 + 15
    finally:
        process.close()
    assert not list(work.glob("bundle*"))
