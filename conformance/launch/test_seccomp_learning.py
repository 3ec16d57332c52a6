"""launch --seccomp-record, --seccomp-profile and --seccomp-explain, with programs as people use them."""

import json
import os
import platform
import re
from pathlib import Path

import pytest

from harness import refused

PYTHON = "/usr/bin/python3"
SERVED = r'''
import http.server, subprocess, threading
class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"hello from the server")
    def log_message(self, *words): pass
server = http.server.HTTPServer(("127.0.0.1", 8000), Hello)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(subprocess.check_output(["/usr/bin/curl", "-sS", "http://127.0.0.1:8000/"]).decode(), flush=True)
'''
COUNTED = "import json, os, tempfile; print(json.dumps(sorted(os.listdir('/'))[:2])); print(sum(range(1000)))"


@pytest.fixture
def debian(runtime):
    """A root filesystem of the Debian that the tests run on: its programs, libraries and settings, read-only."""
    root = runtime.directory / "debian"
    for name in ("dev", "etc", "proc", "run", "sys", "tmp", "usr", "root"):
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64", "sbin"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(os.readlink(f"/{name}"))
    (root / "tmp").chmod(0o1777)
    return root, ["-v", "/usr:/usr:ro", "-v", "/etc:/etc:ro"]


def _allowed(profile):
    return {name for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" for name in rule["names"]}


def _list_of(result):
    """What -S is to be given, by the names that --seccomp-explain printed."""
    found = re.search(r"to allow them: -S ([\w,]+)", result.stderr)
    return found.group(1).split(",") if found else []


def _learn(launch, *flags, command, **options):
    """The list for -S after as many runs as it takes until nothing is denied."""
    allowed = []
    for _ in range(40):
        more = ["-S", ",".join(allowed)] if allowed else []
        result = launch("-s", "--seccomp-explain", *more, *flags, command=command, **options)
        new = [name for name in _list_of(result) if name not in allowed]
        if not new:
            return allowed, result
        allowed += new
    raise AssertionError(f"still denied: {result}")


def test_busybox_runs_under_the_profile_that_was_recorded(launch, runtime):
    """the manual: launch --seccomp-record, --seccomp-profile"""
    profile = runtime.directory / "profile.json"
    script = "id; ls / | cat; mkdir /tmp/a; rmdir /tmp/a; sleep 0.1; echo done"
    recorded = launch("--seccomp-record", profile, command=["/bin/sh", "-c", script]).ok()
    assert "done" in recorded.stdout
    assert launch("-s", "--seccomp-profile", profile, command=["/bin/sh", "-c", script]).ok().stdout == recorded.stdout
    other = launch("--seccomp-profile", profile, command=["/bin/probe", "syscall", "getsid", 0])
    assert other.seen.error("syscall") == "EPERM", "what was not recorded is denied"
    more = launch("--seccomp-profile", profile, "-S", "getsid", command=["/bin/probe", "syscall", "getsid", 0])
    assert more.ok().seen.error("syscall") is None


def test_a_recorded_profile_can_be_put_into_a_configuration(launch, runtime):
    """the manual: spec --seccomp-profile"""
    profile, spec = runtime.directory / "profile.json", runtime.directory / "spec"
    spec.mkdir()
    launch("--seccomp-record", profile, command=["/bin/true"]).ok()
    runtime.command("spec", "--bundle", spec, "--seccomp-profile", profile, launch.rootfs, "--", "/bin/true").ok()
    config = json.loads((spec / "config.json").read_text())
    assert config["linux"]["seccomp"] == json.loads(profile.read_text())
    runtime.command("run", "--bundle", spec, runtime.new_id()).ok()


def test_python_and_curl_run_under_the_profile_that_was_recorded(launch, runtime, debian):
    """a Debian root: threads, a server, a client, sockets"""
    root, volumes = debian
    profile = runtime.directory / "profile.json"
    command = [PYTHON, "-I", "-c", SERVED]
    recorded = launch(*volumes, "--seccomp-record", profile, rootfs=root, command=command, seconds=60).ok()
    assert "hello from the server" in recorded.stdout
    assert {"socket", "bind", "listen", "connect", "execve"} <= _allowed(json.loads(profile.read_text()))
    refused_by_list = launch("-s", *volumes, rootfs=root, command=command, seconds=60)
    assert refused_by_list.status != 0 and "hello" not in refused_by_list.stdout
    result = launch("-s", "--seccomp-profile", profile, *volumes, rootfs=root, command=command, seconds=60).ok()
    assert result.stdout == recorded.stdout


def test_python_runs_with_the_list_that_explain_printed(launch, debian):
    """a Debian root: -s -S LIST"""
    root, volumes = debian
    command = [PYTHON, "-I", "-c", COUNTED]
    allowed, result = _learn(launch, *volumes, rootfs=root, command=command, seconds=60)
    assert "499500" in result.ok().stdout
    more = ["-S", ",".join(allowed)] if allowed else []
    assert launch("-s", *more, *volumes, rootfs=root, command=command, seconds=60).ok().stdout == result.stdout


def test_curl_runs_with_the_list_that_explain_printed(launch, debian):
    """a Debian root: -s -S LIST; by numbers too"""
    root, volumes = debian
    command = ["/usr/bin/curl", "-sS", "file:///etc/debian_version", "http://127.0.0.1:9/"]
    allowed, result = _learn(launch, *volumes, rootfs=root, command=command, seconds=60)
    assert result.status == 7, "connection refused, by nobody else than the kernel"
    assert {"socket", "connect"} <= set(allowed)
    assert result.stdout.strip()
    again = launch("-s", "-S", ",".join(allowed), *volumes, rootfs=root, command=command, seconds=60)
    assert (again.status, again.stdout) == (7, result.stdout)


def test_the_numbers_that_explain_printed_are_as_good(launch):
    """the manual: -S takes numbers of the machine"""
    command = ["/bin/busybox", "mkdir", "/tmp/x"]
    result = launch("-s", "--seccomp-explain", command=command)
    numbers = re.search(r"by number: -S ([\d,]+)", result.stderr).group(1)
    assert result.status != 0
    launch("-s", "-S", numbers, command=command).ok()


def test_a_recording_of_an_ordinary_user(launch, runtime):
    """as root of a user namespace of its own"""
    profile = runtime.directory / "profile.json"
    command = ["/bin/sh", "-c", "id -u; mkdir /tmp/u"]
    launch("-U", "--seccomp-record", profile, command=command).ok()
    (launch.rootfs / "tmp/u").rmdir()
    assert launch("-U", "--seccomp-profile", profile, command=command).ok().stdout == "0\n"


@pytest.mark.parametrize("grants", ["", "lana:300000:65536"])
def test_an_ordinary_user_records_and_explains(launch, user, grants):
    """without any privilege: the listener is taken from a process that is open to its user"""
    user.grant(grants)
    profile = user.home / "profile.json"
    command = ["/bin/sh", "-c", "id -u; busybox mkdir /tmp/$0", "a"]
    assert launch("-U", "--seccomp-record", profile, command=command).ok().stdout == "0\n"
    assert "mkdir" in _allowed(json.loads(profile.read_text()))
    told = launch("-U", "-s", "--seccomp-explain", command=command)
    assert told.stdout == "0\n" and "mkdir" in _list_of(told)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86-64")
def test_the_examples_of_the_readme(launch, runtime):
    """README.md, System call filters: what is typed, and what swrun says"""
    text = (Path(__file__).parents[2] / "README.md").read_text()
    blocks = re.findall(r"<!-- tested: seccomp -->\n```console\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 2
    names = {"/tmp/profile.json": str(runtime.directory / "profile.json"), "/tmp/hello/rootfs": str(launch.rootfs)}
    for example in re.findall(r"\$ sudo swrun launch (.*)\n((?:[^$].*\n)*)", "".join(blocks)):
        words, printed = ([names.get(word, word) for word in example[0].split()], example[1])
        result = runtime.command("launch", "--name", runtime.new_id(), *words)
        said = (result.stdout + result.stderr).replace(names["/tmp/profile.json"], "/tmp/profile.json")
        assert _shape(said) == _shape(printed), result


def _shape(text):
    """Lines without the numbers that differ from machine to machine."""
    text = re.sub(r"process \d+", "process N", re.sub(r"0x[0-9a-f]{4,}", "0xADDRESS", text))
    return re.sub(r"calls: \d+ on (\S+), of \d+ made", r"calls: N on \1", text).splitlines()


@pytest.mark.parametrize("text, words", [
    (None, ["profile.json", "no such file"]), ("{", ["profile.json", "not valid json"]),
    ('{"defaultAction": "DENY"}', ["profile.json", "defaultAction", "DENY"]),
    ('{"defaultAction": "SCMP_ACT_ERRNO", "archMap": []}', ["profile.json", "template"]),
    ('{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ALLOW", '
     '"includes": {"caps": ["CAP_SYS_ADMIN"]}}]}', ["profile.json", "template"]),
])
def test_a_file_that_is_no_profile(launch, runtime, text, words):
    """one line, exit 1"""
    profile = runtime.directory / "profile.json"
    if text is not None:
        profile.write_text(text)
    refused(launch("--seccomp-profile", profile, command=["true"]), names=words)
    runtime.expect_nothing()
