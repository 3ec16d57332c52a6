"""What the process is: --process, or the container's own process with what the options change (the contract)."""

import pytest

from harness import refused


def test_without_options_the_process_is_like_the_containers_own(start, bundle):
    """the command line contract: exec"""
    bundle.process |= {
        "env": ["PATH=/bin", "COLOR=green"], "cwd": "/var/tmp",
        "user": {"uid": 1000, "gid": 1001, "additionalGids": [5, 7], "umask": 0o027}}
    report = start().look().report
    assert (report["cwd"], report["umask"]) == ("/var/tmp", 0o027)
    assert report["uids"][0] == 1000 and report["gids"][0] == 1001
    assert sorted(report["groups"]) == [5, 7]
    assert "COLOR=green" in report["env"]


def test_options_change_the_process(start, bundle):
    """the command line contract: --cwd, -e, -u, -g"""
    bundle.process |= {"env": ["PATH=/bin", "COLOR=green"]}
    flags = ["--cwd", "/tmp", "-e", "COLOR=red", "-e", "SIZE=a=b", "-u", "1000:1001"]
    container = start()
    report = container.look(flags=flags).report
    assert report["cwd"] == "/tmp"
    assert report["uids"] == [1000] * len(report["uids"]) and report["gids"] == [1001] * len(report["gids"])
    assert [entry for entry in report["env"] if entry.startswith(("COLOR=", "SIZE="))] == ["COLOR=red", "SIZE=a=b"]
    long = container.look(flags=["--env", "SIZE=long", "--user", "7"]).report
    assert "SIZE=long" in long["env"] and long["uids"][0] == 7


def test_supplementary_groups_are_added(start, bundle):
    """the command line contract: -g/--additional-gids"""
    bundle.process["user"] = {"uid": 0, "gid": 0, "additionalGids": [5]}
    container = start()
    for flag in "-g", "--additional-gids":
        assert sorted(container.look(flags=[flag, 40, flag, 41]).report["groups"]) == [5, 40, 41]


def test_home_is_that_of_the_user(start, bundle):
    """the command line contract: HOME from the container's /etc/passwd where the environment has none"""
    bundle.process["env"] = ["PATH=/bin"]
    assert "HOME=/home" in start().look(flags=["-u", "1000:1000"]).report["env"]


def test_a_process_document_says_everything(start, bundle):
    """the command line contract: --process, which all engines use"""
    bundle.process["env"] = ["PATH=/bin", "COLOR=green"]
    result = start().exec_process({
        "args": ["/bin/probe", "report"], "cwd": "/usr", "env": ["PATH=/bin", "TASTE=sweet"],
        "user": {"uid": 7, "gid": 8, "additionalGids": [9], "umask": 0o077},
        "capabilities": {name: ["CAP_CHOWN"] for name in ("bounding", "effective", "permitted")},
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}], "noNewPrivileges": True,
    })
    report = result.ok().seen.report
    assert report["cwd"] == "/usr" and report["umask"] == 0o077
    assert report["uids"][0] == 7 and report["gids"][0] == 8 and report["groups"] == [9]
    assert "TASTE=sweet" in report["env"] and "COLOR=green" not in report["env"]
    assert report["no_new_privs"] == 1
    assert report["rlimits"]["NOFILE"] == [100, 200]


@pytest.mark.parametrize(
    "change, name", [
        ({"args": []}, "args"), ({"cwd": "relative"}, "cwd"), ({"cwd": None}, "cwd"), ({"env": "PATH=/bin"}, "env"),
        ({"user": {"uid": -1, "gid": 0}}, "user.uid"), ({"rlimits": [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]}, "rlimits[0]"),
    ])
def test_a_process_document_with_a_mistake_is_refused_by_name(container, change, name):
    """config.md, Process"""
    document = {"args": ["/bin/probe", "say"], "cwd": "/", "user": {"uid": 0, "gid": 0}} | change
    if document["cwd"] is None:
        del document["cwd"]
    refused(container.exec_process(document), names=[name], status=255)


def test_no_process_document_is_an_error(runtime, container):
    """the command line contract"""
    refused(runtime.command("exec", "--process", "/no/such/file", container.id), names=["/no/such/file"], status=255)


def test_new_privileges_can_be_forbidden(start, bundle):
    """the command line contract: --no-new-privs"""
    bundle.process["noNewPrivileges"] = False
    container = start()
    assert container.look().report["no_new_privs"] == 0
    assert container.look(flags=["--no-new-privs"]).report["no_new_privs"] == 1


def test_it_is_what_the_container_was_made_from_that_counts(start, bundle):
    """runtime.md, Create: changes to config.json after that have no effect"""
    container = start()
    bundle.process["env"] = ["PATH=/bin", "LATER=yes"]
    bundle.write()
    assert "LATER=yes" not in container.look().report["env"]
