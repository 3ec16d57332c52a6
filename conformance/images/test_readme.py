"""The examples of the README, section "From a disk image to a container", do what they say."""

import os
import re
from pathlib import Path

from harness import host
from images import disks, trees

TOP = Path(__file__).resolve().parents[2]


def examples() -> list[str]:
    text = (TOP / "README.md").read_text()
    section = text[text.index("<!-- examples: conformance/images"):]
    block = re.search(r"```console\n(.*?)```", section, re.DOTALL)[1]
    return [line[2:] for line in block.splitlines() if line.startswith("$ ")]


def test_the_examples_of_the_readme(runtime, bundler, samples, work):
    """One after the other, with a /srv and a /data of the test's own; what they start reads its standard input"""
    image = disks.blank(work / "vm.raw", 64 * disks.MIB)
    places = disks.partition(image, "label: gpt\ntype=linux\n")
    disks.make(image, "ext4", places[0])
    with disks.mounted(image, places[0]) as root:
        trees.system(root, samples.busybox)
        (root / "bin/bash").write_text("#!/bin/sh\nexec /bin/sh \"$@\"\n")
        (root / "bin/bash").chmod(0o755)
        (root / "sbin/init").unlink()
        (root / "sbin/init").write_text("#!/bin/sh\necho booted as $$\n")
        (root / "sbin/init").chmod(0o755)
    disks.convert(image, work / "vm.qcow2", "qcow2")
    programs = runtime.directory / "bin"
    programs.mkdir()
    (programs / "swrun").symlink_to(runtime.program)
    for name in ("srv", "data", "run"):
        (work / name).mkdir()
    (work / "data/file").write_text("of the host")
    binds = (f"mount --bind {work}/srv /srv && mkdir -p /run/swrun /data && mount --bind {work}/run /run/swrun && "
             f'mount --bind {work}/data /data && exec "$@"')
    private = ["unshare", "--mount", "--propagation", "private", "bash", "-c", binds, "sh"]
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    shown = examples()
    assert len(shown) == 6
    printed = []
    for command in shown:
        # a shell that runs in a terminal, and ends
        words = ["script", "-qec", command.split("  #")[0].replace("sudo ", ""), "/dev/null"]
        printed.append(host.command(
            *private, "sh", "-c", 'printf "cat /etc/hostname /data/file\\nexit 0\\n" | "$@"', "sh", *words, cwd=work, env=environment))
    assert "root: 1 ext4" in printed[0]
    assert "samplevm" in printed[2] and (work / "srv/vm/rootfs/etc/hostname").exists()
    assert list((work / "srv/vm2/rootfs").iterdir()) == []
    assert "samplevm" in printed[4] and "of the host" in printed[4]
    assert "booted as 1" in printed[5]
