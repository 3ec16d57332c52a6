"""Systems that boot and are asked to stop."""

from harness import host

#: An init with busybox.
INIT = """#!/bin/sh
trap 'echo stopping; exit 8' RTMIN+3 2>/dev/null || trap 'echo stopping; exit 8' 37
echo "pid $$ user $(/bin/busybox id -u) container=$container A=$A"
echo up
while :; do /bin/busybox sleep 0.05; done
"""


def booted(runtime, *words) -> str:
    """Boots the system with that init, asks it to stop when it is up, and gives what it says of itself."""
    out = runtime.directory / "out"
    with open(out, "wb") as stdout:
        process = runtime.spawn(
            "launch", "--name", runtime.new_id(), "--boot", *words, stdout=stdout, stderr=stdout)
    host.wait_until(lambda: "up\n" in out.read_text() or process.poll() is not None, "the system is up", 60)
    process.terminate()
    assert process.wait(host.timeout(10)) == 8, out.read_text()
    said, *rest = out.read_text().splitlines()
    assert rest == ["up", "stopping"]
    runtime.expect_nothing()
    return said
