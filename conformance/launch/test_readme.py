"""The examples of the README, section "Without a bundle", do what they show."""

import os
import re

from harness import host
from harness.readme import TOP, commands, section


def same(shown: list[str], printed: list[str], uid: int) -> bool:
    """Numbers of processes, users and subordinate ids are those of the machine."""
    def plain(line: str) -> str:
        return re.sub(r"launch-\d+", "launch-N", re.sub(r"\b(1000|100000|65536)\b", "N", re.sub(rf"\b({uid}|300000)\b", "N", line)))
    return [plain(line) for line in shown] == [plain(line) for line in printed]


def test_the_examples_of_the_readme(runtime, user):
    """Each in a shell, one after the other, as root where they say sudo and as an ordinary user where they do not"""
    programs = runtime.directory / "bin"
    programs.mkdir()
    (programs / "swrun").symlink_to(runtime.program)
    srv = runtime.directory / "srv"
    srv.mkdir()
    srv.chmod(0o777)
    place = user.home
    private = ["unshare", "--mount", "--propagation", "private", "bash", "-c", f'mount --bind {srv} /srv && exec "$@"', "sh"]
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    shown = commands(section("Without a bundle: launch"))
    assert len(shown) >= 8
    for command, expected in shown:
        if command.startswith("cd "):
            continue
        as_root = "sudo " in command or command.startswith("bundles/")
        words = [*private, *([] if as_root else user.wrapper()), "bash", "-c", command.replace("sudo ", "")]
        directory = TOP if command.startswith("bundles/") else place
        printed = host.command(*words, cwd=directory, env=environment, check=False).splitlines()
        if command.startswith("bundles/"):
            assert (srv / "box/rootfs/bin").is_dir()
            host.command("chmod", "1777", srv / "box/rootfs/tmp")
            continue
        printed = [line for line in printed if "no cgroup of its own" not in line]
        assert same(expected, printed, user.uid), f"{command}\nshows {expected}\nprints {printed}"
