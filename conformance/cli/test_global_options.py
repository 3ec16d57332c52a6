"""Global options: --root, --log, --log-format, --debug (the command line contract)."""

import json
import os
import re

import pytest

from harness import refused

RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$")


@pytest.mark.parametrize("joined", [True, False])
def test_both_spellings_of_a_flag_with_a_value(runtime, bundle, joined):
    """the command line contract: --flag V and --flag=V"""
    bundle.probe("hold").write()
    id, file, root = runtime.new_id(), bundle.path / "pid", runtime.root

    def flag(name, value):
        return [f"{name}={value}"] if joined else [name, value]

    result = runtime.command_words(
        [runtime.program, *flag("--root", root), *flag("--log", bundle.path / "log"), *flag("--log-format", "json"),
         "create", *flag("--bundle", bundle.path), *flag("--pid-file", file), id])
    result.ok()
    assert file.read_text().strip() == str(runtime.command("state", id).json["pid"])


def test_short_spellings(runtime, bundle):
    """the command line contract: -b, -d, -f, -q"""
    bundle.probe("hold").write()
    id = runtime.new_id()
    runtime.command("run", "-d", "-b", bundle.path, id).ok()
    assert id in runtime.command("list", "-q").ok().stdout.split()
    assert json.loads(runtime.command("list", "-f", "json").ok().stdout)[0]["id"] == id
    runtime.command("delete", "-f", id).ok()


def test_the_state_root_is_where_root_says_and_is_made_when_it_is_missing(runtime, bundle):
    """the command line contract: --root"""
    bundle.write()
    root = runtime.directory / "deep/state"
    id = runtime.unique()
    runtime.command("--root", root, "create", "--bundle", bundle.path, id).ok()
    assert [path.name for path in root.iterdir() if path.is_dir()] == [id]
    assert runtime.command("state", id).status == 1, "it is unknown below another root"
    runtime.command("--root", root, "delete", "--force", id).ok()
    assert [path.name for path in root.iterdir() if path.is_dir()] == []


def test_the_log_file_is_appended_to(runtime):
    """the command line contract: --log"""
    log = runtime.directory / "log"
    log.write_text("before\n")
    runtime.command("state", "missing-1", flags=["--log", log])
    runtime.command("state", "missing-2", flags=["--log", log])
    lines = log.read_text().splitlines()
    assert lines[0] == "before" and len(lines) == 3


def test_an_error_goes_to_the_log_and_to_stderr(runtime):
    """the command line contract: errors go to the log and stderr"""
    log = runtime.directory / "log"
    result = runtime.command("state", "missing", flags=["--log", log])
    assert result.status == 1
    assert "does not exist" in log.read_text() and "does not exist" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", [
    ["state", "missing"], ["start", "missing"], ["kill", "missing", "9"], ["delete", "missing"],
    ["create", "--bundle", "/no/such/bundle", "x"],
])
def test_the_json_log_of_a_failure_is_one_object_on_one_line(runtime, command):
    """the command line contract: podman reads the whole log as one object; the time is RFC 3339"""
    log = runtime.directory / "log"
    result = runtime.command(*command, flags=["--log", log, "--log-format", "json"])
    assert result.status == 1
    lines = log.read_text().splitlines()
    assert len(lines) == 1, lines
    entry = json.loads(log.read_text())
    assert entry["level"] == "error" and entry["msg"]
    assert RFC3339.match(entry["time"]), entry


def test_a_json_log_quotes_whatever_an_error_contains(runtime, bundle):
    """the command line contract: one valid object"""
    log = runtime.directory / "log"
    strange = 'quo"te\\back\nline\ttab é \x01'
    bundle.config["root"]["path"] = strange
    bundle.write()
    result = runtime.command(
        "create", "--bundle", bundle.path, runtime.new_id(), flags=["--log", log, "--log-format", "json"])
    assert result.status == 1
    assert len(log.read_text().splitlines()) == 1
    assert "quo" in json.loads(log.read_text())["msg"]


def test_a_text_log_has_time_level_and_message(runtime):
    """the command line contract: --log-format text"""
    log = runtime.directory / "log"
    runtime.command("state", "missing", flags=["--log", log, "--log-format", "text"])
    assert re.match(r'^time="[^"]+" level=error msg="[^"]+"$', log.read_text().strip())


def test_success_leaves_the_log_empty(runtime, bundle):
    """the command line contract: exactly one line on failure, and none without"""
    log = runtime.directory / "log"
    bundle.write()
    runtime.command("create", "--bundle", bundle.path, runtime.new_id(), flags=["--log", log, "--log-format", "json"]).ok()
    assert not log.exists() or log.read_text() == ""


def test_debug_says_more_and_changes_no_result(runtime, bundle):
    """the command line contract: --debug"""
    log = runtime.directory / "log"
    bundle.probe("report").write()
    result = runtime.command("run", "--bundle", bundle.path, runtime.new_id(), flags=["--debug", "--log", log]).ok()
    assert result.seen.report["pid"] == 1
    assert log.read_text()


@pytest.fixture
def made_by_a_user(runtime, bundle):
    """The runtime is started by an ordinary user, to whom the bundle and the state belong."""
    uid = 4243
    for path in (bundle.path, runtime.root):
        os.chown(path, uid, uid)
    runtime.wrapper = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups"]
    (bundle.path / "config.json").unlink(missing_ok=True)
    runtime.command("spec", "--rootless", "--bundle", bundle.path).ok()
    config = json.loads((bundle.path / "config.json").read_text())
    config["process"] |= {"terminal": False, "args": ["/bin/probe", "say", "here"]}
    (bundle.path / "config.json").write_text(json.dumps(config))
    return bundle


@pytest.mark.parametrize("value, works", [("true", True), ("auto", True), ("false", False)])
def test_rootless_says_whether_a_container_may_do_without_a_group(runtime, made_by_a_user, value, works):
    """the command line contract: --rootless; a user to whom nobody has delegated a control group cannot make one"""
    result = runtime.command(
        "run", "--bundle", made_by_a_user.path, runtime.new_id(), flags=["--rootless", value])
    if works:
        assert result.ok().seen("say")
    else:
        refused(result, names=["cgroup"])


def test_another_word_for_rootless_is_refused(runtime):
    """the command line contract: true, false, auto"""
    assert runtime.command("list", flags=["--rootless", "perhaps"]).status != 0


def test_an_unknown_log_format_is_refused(runtime):
    """config of the command line: what is not understood is refused"""
    assert runtime.command("list", flags=["--log-format", "yaml"]).status != 0


@pytest.mark.parametrize("words", [
    ["--no-such-flag"], ["nosuchcommand"], ["create", "--no-such-flag", "x"], ["create", "a", "b"], ["state", "a", "b"],
    ["delete", "--force=maybe", "x"], ["create", "--bundle"], ["list", "--format", "yaml"],
])
def test_what_is_not_understood_is_refused(runtime, words):
    """the command line contract: exit status 1 or more, nothing happens"""
    result = runtime.command(*words)
    assert result.status != 0 and result.status < 128, result
    assert result.stderr
    assert runtime.state_entries() == []
