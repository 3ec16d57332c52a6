"""Containers of an ordinary user in scopes of the user's own systemd, in the control group that the system's systemd
has delegated to it."""

import os
from pathlib import Path

import pytest

from harness import host, refused

pytestmark = pytest.mark.vm
UID = 1000
SYSTEMD = ("--systemd-cgroup",)
AS_USER = [
    "setpriv", f"--reuid={UID}", f"--regid={UID}", "--init-groups", "env", "-u", "DBUS_SESSION_BUS_ADDRESS",
    f"XDG_RUNTIME_DIR=/run/user/{UID}", "HOME=/home/user"]
DELEGATED = f"/user.slice/user-{UID}.slice/user@{UID}.service"


@pytest.fixture
def user(runtime, bundle):
    """The runtime is started by the user, from a control group that is not the user's."""
    host.wait_until(lambda: Path(f"/run/user/{UID}/systemd/private").exists(), "the user's systemd runs", 60)
    runtime.wrapper = list(AS_USER)
    for path in [runtime.directory, runtime.root, *bundle.path.rglob("*"), bundle.path]:
        os.chown(path, UID, UID, follow_symlinks=False)
    runtime.directory.chmod(0o755)
    bundle.user_namespace(UID, 1)
    for mount in bundle.config["mounts"]:
        mount["options"] = [option for option in mount.get("options", []) if option != "gid=5"]
    bundle.linux["cgroupsPath"] = f"user.slice:{runtime.prefix}:{bundle.name}"
    bundle.unit = f"{runtime.prefix}-{bundle.name}.scope"
    return bundle.probe("hold")


def user_systemctl(*words) -> str:
    return host.command(*AS_USER, "systemctl", "--user", *words)


def group_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cgroup").read_text().strip().removeprefix("0::")


def test_the_scope_is_one_of_the_users_systemd(runtime, user):
    """Born there although the caller's own control group belongs to root: systemd moves whom the kernel lets not go"""
    container = runtime.start(user, flags=SYSTEMD)
    assert group_of(container.pid) == f"{DELEGATED}/user.slice/{user.unit}"
    assert "ActiveState=active" in user_systemctl("show", user.unit, "--property=ActiveState")
    container.kill("KILL").ok()
    container.wait().delete().ok()
    assert "LoadState=not-found" in user_systemctl("show", user.unit, "--property=LoadState")


def test_a_container_that_the_users_systemd_started_is_born_in_its_scope(runtime, user):
    """As an engine starts it that is a service or in a session itself"""
    runtime.wrapper = [*AS_USER, "systemd-run", "--user", "--scope", "--quiet"]
    container = runtime.start(user, flags=SYSTEMD)
    runtime.wrapper = list(AS_USER)
    assert group_of(container.pid) == f"{DELEGATED}/user.slice/{user.unit}"


def test_a_further_process_gets_there_too(runtime, user):
    """exec: as the first one, from a control group that is not the user's"""
    container = runtime.start(user, flags=SYSTEMD)
    container.wait_for("hold")
    pid_file = runtime.directory / "exec.pid"
    runtime.command("exec", "--detach", "--pid-file", pid_file, container.id, "/bin/sleep", "1000").ok()
    assert group_of(int(pid_file.read_text())) == group_of(container.pid)


def test_limits_of_delegated_controllers_are_applied(runtime, user):
    """memory, pids and cpu are delegated to every user's systemd"""
    user.linux["resources"] = {"memory": {"limit": 64 << 20}, "pids": {"limit": 33}, "cpu": {"shares": 512}}
    container = runtime.start(user, flags=SYSTEMD)
    group = Path(f"/sys/fs/cgroup{group_of(container.pid)}")
    assert (group / "memory.max").read_text() == f"{64 << 20}\n"
    assert (group / "pids.max").read_text() == "33\n"
    assert int((group / "cpu.weight").read_text()) < 100
    user_systemctl("daemon-reload")
    assert (group / "pids.max").read_text() == "33\n"


def test_what_is_not_delegated_is_named(runtime, user):
    """The error says what to delegate"""
    user.linux["resources"] = {"hugepageLimits": [{"pageSize": "2MB", "limit": 2 << 20}]}
    container = runtime.try_create(user, flags=SYSTEMD)
    refused(container.created, names=["hugetlb", "delegate"])
    assert "LoadState=not-found" in user_systemctl("show", user.unit, "--property=LoadState")


def test_the_container_may_make_groups_in_its_own(runtime, user):
    """A cgroup namespace and a writable mount: what the user owns, the container's root owns"""
    user.mount("/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "rw"])
    user.probe(["mkdir", "/sys/fs/cgroup/inner"], ["create", "/sys/fs/cgroup/x"], "hold")
    container = runtime.start(user, flags=SYSTEMD)
    assert container.wait_for("hold").error("mkdir") is None
    container.delete("--force").ok()


def test_files_as_the_manager_without_delegation_do_without_limits(runtime, user):
    """The user may make no group beside root's: the container runs in the caller's"""
    user.linux["cgroupsPath"] = f"/{user.name}"
    container = runtime.start(user)
    assert user.name not in group_of(container.pid)
    container.delete("--force").ok()
    user.linux["resources"] = {"memory": {"limit": 64 << 20}}
    refused(runtime.try_create(user).created, names=["delegate"])


def test_files_as_the_manager_in_a_delegated_group(runtime, user):
    """A service of the user with Delegate=yes: groups beside the caller's"""
    runtime.wrapper = [
        *AS_USER, "systemd-run", "--user", "--scope", "--quiet", "-p", "Delegate=yes", "sh", "-c",
        'mkdir -p "/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/own" && '
        'echo $$ >"/sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/own/cgroup.procs" && exec "$@"', "sh"]
    user.linux["cgroupsPath"] = user.name
    user.linux["resources"] = {"memory": {"limit": 64 << 20}, "pids": {"limit": 20}}
    container = runtime.start(user)
    runtime.wrapper = list(AS_USER)
    path = group_of(container.pid)
    assert path.startswith(DELEGATED) and path.endswith(f".scope/{user.name}")
    assert Path(f"/sys/fs/cgroup{path}/memory.max").read_text() == f"{64 << 20}\n"
    container.delete("--force").ok()


def test_without_any_group_the_manager_disabled_works(runtime, user):
    """--cgroup-manager disabled: whoever started the runtime answers for limits"""
    container = runtime.start(user, flags=("--cgroup-manager", "disabled"))
    assert user.name not in group_of(container.pid)
    container.delete("--force").ok()


def test_without_the_users_systemd_the_error_says_what_to_set(runtime, user):
    """What is missing is named"""
    runtime.wrapper = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--init-groups", "env", "-i", "PATH=/usr/bin:/bin"]
    refused(runtime.try_create(user, flags=SYSTEMD).created, names=["xdg_runtime_dir", "systemd"])
