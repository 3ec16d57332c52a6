"""Programs of a distribution in a root filesystem of its own, under the minimal filter and what they need beyond it."""

import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from launch.learning import allowed_by, offered

# Debian's libraries and programs, from the host: a root filesystem in no time.
DEBIAN = ["-v", "/usr:/usr:ro", "-v", "/etc:/etc:ro"]
HOST_NETWORK = ["-i", "-m", "-p", "-u", "-c", *DEBIAN]
SERVED = r"""
import http.server, subprocess, threading
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"hello from the server")
    def log_message(self, *words): pass
server = http.server.HTTPServer(("127.0.0.1", 8000), Hello)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(subprocess.check_output(["/usr/bin/curl", "-sS", "http://127.0.0.1:8000/"]).decode(), flush=True)
"""
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


def test_python_runs_under_the_list_that_explaining_gave(launch, debian):
    """python3 with threads, files and a child"""
    command = ["/usr/bin/python3", "-c", PYTHON]
    allowed, told = launch.learn(*HOST_NETWORK, rootfs=debian, command=command, seconds=60)
    assert ("rename" in allowed or "renameat2" in allowed) and "clone3" not in allowed
    assert launch("-s", *DEBIAN, rootfs=debian, command=command, seconds=60).status != 0
    result = launch("-S", ",".join(allowed), *DEBIAN, rootfs=debian, command=command, seconds=60)
    assert result.ok().stdout == told.stdout == "[[1, 2]] Linux True\n"


def test_curl_runs_under_the_list_that_explaining_gave(launch, debian, server):
    """curl, on the network of the host; the list in numbers is as good"""
    command = ["/usr/bin/curl", "-sS", server]
    allowed, _ = launch.learn(*HOST_NETWORK, rootfs=debian, command=command, seconds=60)
    assert {"socket", "connect"} <= set(allowed)
    first = launch("-s", "--seccomp-explain", *HOST_NETWORK, rootfs=debian, command=command, seconds=60)
    numbers = re.search(r"by number: -S ([\d,]+)", first.stderr).group(1).split(",")
    assert len(numbers) == len(offered(first))
    for list in allowed, [*numbers, *(name for name in allowed if name not in offered(first))]:
        result = launch("-S", ",".join(list), *HOST_NETWORK, rootfs=debian, command=command, seconds=60)
        assert (result.stdout, result.stderr, result.status) == ("served\n", "", 0)
    fewer = ",".join(name for name in allowed if name != "connect")
    assert launch("-S", fewer, *HOST_NETWORK, rootfs=debian, command=command, seconds=60).status != 0


@pytest.mark.parametrize("program", ["python3", "curl"])
def test_a_program_runs_under_the_list_that_recording_gave(runtime, launch, debian, server, program):
    """--seccomp-record, then -S"""
    command = {"python3": ["/usr/bin/python3", "-c", PYTHON], "curl": ["/usr/bin/curl", "-sS", server]}[program]
    profile = runtime.directory / "profile.json"
    launch(*HOST_NETWORK, "--seccomp-record", profile, rootfs=debian, command=command, seconds=60).ok()
    names = ",".join(sorted(allowed_by(profile)))
    result = launch("-S", names, *HOST_NETWORK, rootfs=debian, command=command, seconds=60)
    assert result.ok().stdout in ("[[1, 2]] Linux True\n", "served\n")


def test_a_server_and_its_client_run_under_the_profile_that_was_recorded(launch, runtime, debian):
    """--seccomp-profile: threads, a child, sockets"""
    profile = runtime.directory / "profile.json"
    command = ["/usr/bin/python3", "-I", "-c", SERVED]
    recorded = launch(*DEBIAN, "--seccomp-record", profile, rootfs=debian, command=command, seconds=60).ok()
    assert "hello from the server" in recorded.stdout
    assert {"socket", "bind", "listen", "connect", "execve"} <= allowed_by(profile)
    refused_by_list = launch("-s", *DEBIAN, rootfs=debian, command=command, seconds=60)
    assert refused_by_list.status != 0 and "hello" not in refused_by_list.stdout
    result = launch("-s", "--seccomp-profile", profile, *DEBIAN, rootfs=debian, command=command, seconds=60).ok()
    assert result.stdout == recorded.stdout


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
