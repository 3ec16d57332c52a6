"""File descriptors of the process that exec adds (runtime-linux.md, File descriptors)."""

import os
import subprocess

from harness import host, reaper


def test_the_program_finds_its_three_streams_and_nothing_else(container):
    """runtime-linux.md, File descriptors"""
    extra = os.open("/", os.O_RDONLY)
    os.set_inheritable(extra, True)
    try:
        report = container.look(pass_fds=[extra]).report
    finally:
        os.close(extra)
    assert set(report["descriptors"]) == {"0", "1", "2"}


def test_preserved_descriptors_reach_the_program(runtime, container):
    """the command line contract: --preserve-fds N"""
    kept = runtime.directory / "kept"
    words = runtime.words(
        "exec", "--preserve-fds", 2, container.id, "/bin/probe", "report", ":", "echo", "3", "three")
    process = reaper.Process(
        ["/bin/bash", "-c", f'exec 3>>"{kept}" 4</ 5</; exec "$@"', "sh", *words], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, text=True)
    out, _ = process.communicate(timeout=host.timeout(20))
    assert process.returncode == 0
    assert kept.read_text() == "three\n"
    from harness.seen import Seen

    assert set(Seen(out).report["descriptors"]) == {"0", "1", "2", "3", "4"}
