"""Programs of a distribution in a root filesystem of its own, under the minimal filter and what they need beyond it."""

import json
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

# Debian's libraries and programs, from the host: a root filesystem in no time.
DEBIAN = ["-v", "/usr:/usr:ro", "-v", "/etc:/etc:ro"]
PYTHON = """
import json, os, subprocess, sys, tempfile, threading
done = []
thread = threading.Thread(target=lambda: done.append(json.loads('[1, 2]')))
thread.start(); thread.join()
with tempfile.NamedTemporaryFile(dir='/tmp') as file:
    file.write(b'x'); file.flush(); os.rename(file.name, '/tmp/renamed'); os.link('/tmp/renamed', file.name)
print(done, subprocess.check_output(['/usr/bin/uname']).decode().strip(), os.path.exists('/tmp/renamed'))
"""


@pytest.fixture
def debian(runtime):
    root = runtime.directory / "debian"
    for name in "usr etc tmp var root proc sys dev run".split():
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name in "bin sbin lib lib64".split():
        (root / name).symlink_to(f"usr/{name}")
    return root


@pytest.fixture
def server():
    """A server on the loopback device, which the network of the host has."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"served\n")

        def log_message(self, *_):
            pass

    made = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}/"
    made.shutdown()
    thread.join()
    made.server_close()


def explained(launch, debian, command) -> tuple[list[str], str]:
    """The -S list that --seccomp-explain comes to: allowing a call shows the next one."""
    allowed: list[str] = []
    flags = ["-i", "-m", "-p", "-u", "-c", *DEBIAN]
    for _ in range(12):
        more = ["-S", ",".join(allowed)] if allowed else []
        result = launch("-s", "--seccomp-explain", *flags, *more, rootfs=debian, command=command)
        found = re.search(r"-S (\w+(?:,\w+)*)", result.stderr)
        # Calls that do not exist for the program (clone3) have a substitute that it takes.
        new = [name for name in found[1].split(",") if name not in (*allowed, "clone3")] if found else []
        if not new:
            return allowed, result.stdout
        allowed += new
    raise AssertionError(f"there is always one more: {allowed}")


def recorded(runtime, launch, debian, command) -> list[str]:
    """The system calls of a profile that --seccomp-record writes."""
    profile = runtime.directory / "profile.json"
    launch("-i", "-m", "-p", "-u", "-c", "--seccomp-record", profile, *DEBIAN, rootfs=debian, command=command).ok()
    rules = json.loads(profile.read_text())["syscalls"]
    return sorted({name for rule in rules if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]})


def test_python_runs_under_the_list_that_explaining_gave(launch, debian):
    """python3 with threads, files and a child"""
    allowed, printed = explained(launch, debian, ["/usr/bin/python3", "-c", PYTHON])
    assert "rename" in allowed or "renameat2" in allowed
    result = launch("-S", ",".join(allowed), *DEBIAN, rootfs=debian, command=["/usr/bin/python3", "-c", PYTHON])
    assert result.ok().stdout == printed == "[[1, 2]] Linux True\n"


def test_curl_runs_under_the_list_that_explaining_gave(launch, debian, server):
    """curl, on the network of the host"""
    allowed, _ = explained(launch, debian, ["/usr/bin/curl", "-sS", server])
    assert {"socket", "connect"} <= set(allowed)
    flags = ["-i", "-m", "-p", "-u", "-c", *DEBIAN]
    result = launch("-S", ",".join(allowed), *flags, rootfs=debian, command=["/usr/bin/curl", "-sS", server])
    assert (result.stdout, result.stderr, result.status) == ("served\n", "", 0)
    fewer = ",".join(name for name in allowed if name != "connect")
    assert launch("-S", fewer, *flags, rootfs=debian, command=["/usr/bin/curl", "-sS", server]).status != 0


@pytest.mark.parametrize("program", ["python3", "curl"])
def test_a_program_runs_under_the_list_that_recording_gave(runtime, launch, debian, server, program):
    """--seccomp-record, then -S"""
    command = {"python3": ["/usr/bin/python3", "-c", PYTHON], "curl": ["/usr/bin/curl", "-sS", server]}[program]
    names = recorded(runtime, launch, debian, command)
    result = launch("-i", "-m", "-p", "-u", "-c", "-S", ",".join(names), *DEBIAN, rootfs=debian, command=command)
    assert result.ok().stdout in ("[[1, 2]] Linux True\n", "served\n")


def test_dynamic_programs_start_under_the_minimal_list(launch, debian):
    """-s: what the dynamic loader and a C library need is on the list"""
    script = "for word in a b; do echo $word; done | /usr/bin/cat; /usr/bin/ls /usr >/dev/null; test -r /etc/passwd"
    assert launch("-s", *DEBIAN, rootfs=debian, command=["/bin/sh", "-c", script]).ok().stdout == "a\nb\n"


def test_python_is_not_root_of_the_host(launch, debian, user):
    """rootless, on the libraries of the host"""
    result = launch("-U", *DEBIAN, rootfs=debian, command=["/usr/bin/python3", "-c", "import os; print(os.getuid())"])
    assert (result.status, result.stdout) == (0, "0\n")


def test_the_loopback_device_of_a_new_network_is_up_and_empty(launch, debian, server):
    """-n: the server of the host is out of reach"""
    result = launch(*DEBIAN, rootfs=debian, command=["/usr/bin/curl", "-sS", server])
    assert result.status == 7, result
    port = int(server.rsplit(":", 1)[1].strip("/"))
    with socket.create_connection(("127.0.0.1", port)):
        pass
