"""The examples of the README, section "From container images and archives", do what they show."""

import os
import platform

from harness import host
from harness.readme import TOP, commands, section


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
    shown = commands(section("From container images and archives: bundle"))
    assert len(shown) >= 8
    for command, expected in shown:
        words = [*private, "bash", "-ec", command.replace("sudo ", "")]
        printed = host.command(*words, cwd=TOP, env=environment).splitlines()
        if expected:
            assert printed == [line.replace("amd64", machine) for line in expected], command
