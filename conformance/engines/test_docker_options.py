"""What the options of `docker run` set up arrives in the container."""

import os

import pytest

from engines.docker_engine import IMAGE
from engines.engine import wait_for

CAPABILITIES = "grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2 | sort -u"

# The process


def test_environment_working_directory_and_entry_point(docker):
    seen = docker.run("-c", "echo $A; pwd", flags=["--env", "A=b c", "--workdir", "/new/place", "--entrypoint", "sh"])
    assert seen == "b c\n/new/place\n"


@pytest.mark.parametrize("user, seen", [("1000", "1000:1000"), ("1000:5", "1000:5"), ("nobody", "65534:65534")])
def test_the_user(docker, user, seen):
    assert docker.run("sh", "-c", "echo $(id -u):$(id -g)", flags=["--user", user]) == f"{seen}\n"


def test_an_unknown_user_is_an_error(docker):
    status, _, err = docker.result("run", "--rm", "--user", "nosuch", IMAGE, "true")
    assert status == 125 and "nosuch" in err, err


def test_the_host_name_and_domain_name(docker):
    seen = docker.run("sh", "-c", "hostname; cat /proc/sys/kernel/domainname", flags=[
        "--hostname", "ship", "--domainname", "sea.test"])
    assert seen == "ship\nsea.test\n"


def test_capabilities(docker):
    none, one = "0000000000000000\n", "0000000000002000\n"
    assert docker.run("sh", "-c", CAPABILITIES, flags=["--cap-drop", "all"]) == none
    assert docker.run("sh", "-c", CAPABILITIES, flags=["--cap-drop", "all", "--cap-add", "net_raw"]) == one


def test_the_seccomp_filter_of_docker_is_in_force(docker):
    grep = ["grep", "Seccomp:", "/proc/self/status"]
    assert docker.run(*grep).split()[1] == "2"
    assert docker.run(*grep, flags=["--security-opt", "seccomp=unconfined"]).split()[1] == "0"
    docker.run("unshare", "--mount", "true", status=1)


def test_a_privileged_container(docker):
    look = "mkdir /m && mount -t tmpfs tmpfs /m && ls /dev/full && grep Seccomp: /proc/self/status && cat /dev/net/tun"
    seen = docker.run("sh", "-c", f"{look} 2>&1", flags=["--privileged"], status=1)
    assert seen.split()[:3] == ["/dev/full", "Seccomp:", "0"]
    assert "bad state" in seen, "the device could not be opened"


def test_a_process_under_an_init(docker):
    seen = docker.run("sh", "-c", "echo $$; tr '\\0' ' ' </proc/1/cmdline", flags=["--init"])
    assert int(seen.split()[0]) > 1
    assert "docker-init" in seen


def test_the_stop_signal(docker):
    name = docker.start("sh", "-c", "trap 'exit 8' USR2; echo up; while :; do sleep 60 & wait; done", flags=[
        "--stop-signal", "USR2"])
    docker.wait_for_log(name, "up")
    docker("stop", name)
    assert docker.state(name)["ExitCode"] == 8


# The root filesystem


@pytest.mark.parametrize("propagation, arrives", [("rprivate", ""), ("rslave", "x\n"), ("rshared", "x\n")])
def test_mounts_of_the_host_arrive_in_a_volume(docker, propagation, arrives):
    directory = docker.directory / docker.name("s")
    directory.mkdir()
    docker.room.command("mount", "--bind", directory, directory)
    docker.room.command("mount", "--make-shared", directory)
    (directory / "below").mkdir()
    name = docker.start("sleep", "60", flags=["--volume", f"{directory}:/v:{propagation}"])
    docker.room.command("mount", "-t", "tmpfs", "tmpfs", directory / "below")
    docker.room.command("sh", "-c", f"echo x >{directory}/below/file")
    seen = docker.result("exec", name, "cat", "/v/below/file")[1]
    docker("rm", "--force", name)
    docker.room.command("umount", "--recursive", directory)
    assert seen == arrives


def test_a_read_only_root(docker):
    docker.run("touch", "/made", flags=["--read-only"], status=1)
    docker.run("touch", "/t/made", flags=["--read-only", "--tmpfs", "/t"])


def test_names_of_hosts(docker):
    seen = docker.run("cat", "/etc/hosts", flags=["--network", "bridge", "--add-host", "ship:10.1.2.3"])
    assert "10.1.2.3\tship" in seen


# Namespaces


def test_a_container_joins_the_namespaces_of_another(docker):
    name = docker.start("sleep", "61", flags=["--ipc", "shareable"])
    flags = [word for kind in ("pid", "network", "ipc") for word in (f"--{kind}", f"container:{name}")]
    seen = docker.run("sh", "-c", "ps; for kind in pid net ipc; do readlink /proc/self/ns/$kind; done", flags=flags)
    assert "sleep 61" in seen
    pid = docker.state(name)["Pid"]
    for kind in "pid", "net", "ipc":
        assert os.readlink(f"/proc/{pid}/ns/{kind}") in seen


@pytest.mark.parametrize("flag, kind", [("network", "net"), ("pid", "pid"), ("ipc", "ipc"), ("uts", "uts")])
def test_a_namespace_of_the_host(docker, flag, kind):
    seen = docker.run("readlink", f"/proc/self/ns/{kind}", flags=[f"--{flag}", "host"])
    assert seen == docker.room.command("readlink", f"/proc/{docker.daemon.pid}/ns/{kind}")


# Control groups


def test_a_parent_for_the_control_group(docker):
    parent = f"/{docker.room.name}/deeper"
    name = docker.start("sleep", "60", flags=["--cgroup-parent", parent])
    groups = open(f"/proc/{docker.state(name)['Pid']}/cgroup").read()
    assert f"{parent}/{docker.inspect(name)['Id']}\n" in groups
    docker("rm", "--force", name)
    remove_group(parent)


def remove_group(name: str) -> None:
    from harness import host

    for point in host.hierarchies().values():
        path = point / name.lstrip("/")
        if path.exists():
            wait_for(lambda path=path: _removed(path), f"{path} is empty")


def _removed(path) -> bool:
    try:
        path.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True
