"""Fixtures: the runtime under test and a bundle for it; and what is known about other runtimes."""

import fcntl
import json
import os
import secrets
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

pytest.register_assert_rewrite("harness.errors", "harness.runtime", "harness.seen")

from harness import Bundle, Runtime, host, patience, place, reaper  # noqa: E402

HERE = Path(__file__).parent


def pytest_configure(config):
    if os.environ.get("CONFORMANCE_SANDBOX") != "1":
        raise pytest.UsageError("start the tests with conformance/run: they need its private /dev and namespaces")
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", None):
        reaper.start()


def _plain(pattern: str) -> str:
    """Brackets, which name the parameters of a test, mean something else to fnmatch."""
    return pattern.replace("[", "(").replace("]", ")")


def _known_deviations(runtime: str) -> list[dict]:
    """The entries for a runtime in peers.toml, and in a file of that name beside the tests."""
    entries = []
    for file in [HERE / "peers.toml", *sorted(HERE.glob("*/peers.toml"))]:
        document = tomllib.loads(file.read_text())
        if "swrun" in document:
            raise pytest.UsageError(f"{file}: swrun is not excused from anything")
        entries += document.get(runtime, [])
    return entries


def pytest_collection_modifyitems(config, items):
    place.select(config, items, HERE)
    # A test that a peer is known to fail runs all the same, as an expected failure.
    known = _known_deviations(os.environ["RUNTIME_NAME"])
    for item in items:
        path = _plain(f"{item.path.relative_to(HERE)}::{item.name}")
        for entry in known:
            if any(fnmatch(path, _plain(pattern)) for pattern in entry["tests"]):
                often = "sometimes: " if entry.get("sometimes") else ""
                item.add_marker(pytest.mark.xfail(reason=f"{often}{entry['spec']}: {entry['reason']}", strict=False))
                break


def _with_patience(item):
    with patience.limited():
        yield


pytest_runtest_setup = pytest.hookimpl(hookwrapper=True)(_with_patience)
pytest_runtest_call = pytest.hookimpl(hookwrapper=True)(_with_patience)
pytest_runtest_teardown = pytest.hookimpl(hookwrapper=True)(_with_patience)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.when == "call":
        item.body_passed = report.passed and not hasattr(report, "wasxfail")


def pytest_terminal_summary(terminalreporter):
    """The counts and the fate of each test, for conformance/run and for the table of requirements."""
    stats = terminalreporter.stats
    fates = {}
    for outcome in ("passed", "skipped", "xfailed", "xpassed", "failed", "error"):
        for report in stats.get(outcome, []):
            fates[report.nodeid] = outcome
    path = os.environ.get("CONFORMANCE_RESULTS")
    if path:
        Path(path).write_text(json.dumps(fates, indent=1, sort_keys=True))
    for outcome, text in (("xfailed", "known deviation"), ("xpassed", "KNOWN DEVIATION THAT IS GONE")):
        for report in stats.get(outcome, []):
            if outcome == "xfailed" or not report.wasxfail.startswith("sometimes: "):
                terminalreporter.write_line(f"{text}: {report.nodeid}: {report.wasxfail}")


@pytest.fixture(scope="session")
def ground():
    """The directory of this worker, and the programs that go into root filesystems."""
    directory = Path(os.environ["CONFORMANCE_TMP"]) / secrets.token_hex(3)
    directory.mkdir()
    directory.chmod(0o755)
    yield directory
    host.remove_tree(directory)


@pytest.fixture
def runtime(request, ground):
    token = secrets.token_hex(3)
    directory = ground / token
    directory.mkdir()
    directory.chmod(0o755)
    made = Runtime(os.environ["RUNTIME"], os.environ["RUNTIME_NAME"], directory, f"cf{token}")
    yield made
    left = made.clean_up()
    if left and getattr(request.node, "body_passed", False):
        pytest.fail("left behind after delete --force: " + "; ".join(left))


@pytest.fixture
def make_bundle(runtime):
    def make() -> Bundle:
        name = runtime.unique("b")
        path = runtime.directory / name
        path.mkdir()
        return Bundle(path, Path(os.environ["CONFORMANCE_PROBE"]), Path(os.environ["CONFORMANCE_BUSYBOX"]), name)

    return make


@pytest.fixture
def bundle(make_bundle):
    return make_bundle()


@pytest.fixture
def profile(runtime):
    """An AppArmor profile that lets a program do everything but create /tmp/forbidden."""
    name, file = runtime.unique("profile"), runtime.directory / "profile"
    file.write_text(
        f"profile {name} flags=(attach_disconnected,mediate_deleted) {{\n"
        "  file, capability, network, signal, ptrace, unix, mount, umount, pivot_root,\n"
        "  deny /tmp/forbidden w,\n}\n")
    host.command("apparmor_parser", "--skip-cache", "--add", file)
    yield name
    host.command("apparmor_parser", "--remove", file)


@pytest.fixture
def one_at_a_time():
    """For tests that look at what is in /var/tmp, where `launch` puts images: workers share it."""
    with open(Path(os.environ["CONFORMANCE_TMP"]) / "var-tmp.lock", "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
