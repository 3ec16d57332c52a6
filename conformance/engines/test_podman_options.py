"""What the options of `podman run` set up arrives in the container."""

import os
import stat

import pytest

from engines.podman_engine import IMAGE
from harness import host
from harness.terminal import Terminal

# The process


def test_environment_working_directory_and_entry_point(podman):
    seen = podman.run("-c", "echo $A; pwd", flags=["--env", "A=b c", "--workdir", "/usr/bin", "--entrypoint", "sh"])
    assert seen == "b c\n/usr/bin\n"


@pytest.mark.parametrize(
    "user, seen", [("1000", "1000:1000"), ("1000:5", "1000:5"), ("nobody", "65534:65534"), ("0", "0:0")])
def test_the_user(podman, user, seen):
    assert podman.run("sh", "-c", "echo $(id -u):$(id -g)", flags=["--user", user]) == f"{seen}\n"


def test_the_host_name(podman):
    assert podman.run("hostname", flags=["--hostname", "ship"]) == "ship\n"


def test_capabilities(podman):
    status = "grep -E '^Cap(Prm|Eff|Bnd)' /proc/self/status | cut -f2 | sort -u"
    none, one = "0000000000000000", "0000000000002000"
    assert podman.run("sh", "-c", status, flags=["--cap-drop", "all"]) == f"{none}\n"
    assert podman.run("sh", "-c", status, flags=["--cap-drop", "all", "--cap-add", "net_raw"]) == f"{one}\n"


def test_the_seccomp_filter_of_podman_is_in_force(podman):
    grep = ["grep", "Seccomp:", "/proc/self/status"]
    assert podman.run(*grep).split()[1] == "2"
    assert podman.run(*grep, flags=["--security-opt", "seccomp=unconfined"]).split()[1] == "0"
    podman.run("unshare", "--mount", "true", status=1)


def test_a_privileged_container(podman):
    look = "mkdir /m && mount -t tmpfs tmpfs /m && ls /dev/null && grep Seccomp: /proc/self/status"
    seen = podman.run("sh", "-c", look, flags=["--privileged"])
    assert seen.split() == ["/dev/null", "Seccomp:", "0"]


def test_a_process_under_an_init(podman):
    seen = podman.run("sh", "-c", "echo $$; tr '\\0' ' ' </proc/1/cmdline; ls -l /proc/1/exe", flags=["--init"])
    assert int(seen.split()[0]) > 1
    assert "/run/podman-init" in seen


# The root filesystem


def test_a_read_only_root(podman):
    podman.run("touch", "/made", flags=["--read-only"], status=1)
    podman.run("touch", "/tmp/made", "/run/made", flags=["--read-only"])
    podman.run("touch", "/tmp/made", flags=["--read-only", "--read-only-tmpfs=false"], status=1)


def test_a_device(podman):
    look = "stat -c %t:%T /dev/other; echo x >/dev/other"
    seen = podman.run("sh", "-c", look, flags=["--device", "/dev/full:/dev/other"], status=1)
    assert seen == "1:7\n"


def test_the_devices_of_every_container(podman):
    look = "cd /dev; stat -c '%n %t:%T %a' null zero full random urandom tty; readlink fd; readlink ptmx"
    seen = podman.run("sh", "-c", look)
    assert seen.splitlines() == [
        "null 1:3 666", "zero 1:5 666", "full 1:7 666", "random 1:8 666", "urandom 1:9 666", "tty 5:0 666",
        "/proc/self/fd", "pts/ptmx"]
    null = os.stat("/dev/null")
    assert (stat.S_IMODE(null.st_mode), null.st_uid, null.st_gid) == (0o666, 0, 0)


def test_names_of_hosts(podman):
    assert "10.1.2.3" in podman.run("cat", "/etc/hosts", flags=["--add-host", "ship:10.1.2.3"])


def test_user_ids_are_mapped(podman):
    look = "id -u; cat /proc/self/uid_map; stat -c %u /bin/busybox"
    seen = podman.run("sh", "-c", look, flags=["--uidmap", "0:100000:5000"])
    assert seen.split() == ["0", "0", "100000", "5000", "0"]


def test_a_range_of_users_is_chosen(podman, tmp_path):
    """--userns=auto: of what /etc/subuid grants to the user containers"""
    (tmp_path / "sub").write_text("containers:700000:200000\n")
    place = f"mount --bind {tmp_path}/sub /etc/subuid && mount --bind {tmp_path}/sub /etc/subgid"
    private = ["unshare", "--mount", "--propagation", "private", "sh", "-c", f'{place} && exec "$@"', "sh"]
    run = ["run", "--rm", *podman.options, "--userns=auto", IMAGE]
    usual, podman.words = podman.words, [*private, *podman.words]
    try:
        seen = podman(*run, "sh", "-c", "id -u; cat /proc/self/uid_map; stat -c %u /bin/busybox; echo >/made && stat -c %u /made")
    finally:
        podman.words = usual
    words = seen.split()
    assert words[:2] == ["0", "0"] and 700000 <= int(words[2]) < 900000 and int(words[3]) >= 1024
    assert words[4:] == ["0", "0"]


# Control groups


def test_the_limit_of_processes(podman):
    path = "/sys/fs/cgroup/pids.max" if "v2" in host.hierarchies() and len(host.hierarchies()) == 1 else (
        "/sys/fs/cgroup/pids/pids.max")
    assert podman.run("cat", path) == "2048\n"
    assert podman.run("cat", path, flags=["--pids-limit", "77"]) == "77\n"


def test_the_container_is_in_its_group_below_the_given_one(podman):
    name = podman.start("sleep", "60")
    groups = open(f"/proc/{podman.state(name)['Pid']}/cgroup").read()
    assert f"/{podman.prefix}/libpod-" in groups, groups


def test_without_control_groups(podman):
    if os.environ["RUNTIME_NAME"] == "runc":
        pytest.skip("runc has no --cgroup-manager=disabled, which podman passes on")
    flags = ["--network", "none", "--cgroups", "disabled"]
    seen = podman("run", "--rm", *flags, IMAGE, "cat", "/proc/self/cgroup")
    assert seen == open("/proc/self/cgroup").read()


# The network


def test_no_network_but_the_loopback(podman):
    seen = podman.run("sh", "-c", "ls /sys/class/net; ip link show lo").splitlines()
    assert seen[0] == "lo" and "UP" in seen[1]


def test_the_network_of_the_host(podman):
    seen = podman.run("readlink", "/proc/self/ns/net", flags=["--network", "host"])
    assert seen.strip() == os.readlink("/proc/self/ns/net")


def test_a_network_that_the_engine_made(podman):
    seen = podman.run("ip", "address", flags=["--network", "podman"])
    assert "eth0" in seen and " inet 10.88." in seen


# The terminal


def run_on_terminal(podman, *words):
    master, slave = os.openpty()
    process = podman.spawn("run", "--rm", "-i", "-t", *podman.options, IMAGE, *words,
                           stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    return Terminal(master), process


def test_a_terminal(podman):
    work = "tty; test -t 0 && test -t 1 && echo all; read x; echo got $x; exit 9"
    terminal, process = run_on_terminal(podman, "sh", "-c", work)
    terminal.read("all")
    assert "/dev/pts/0" in terminal.text
    os.write(terminal.master, b"word\n")
    terminal.read("got word")
    assert process.wait(host.timeout(20)) == 9


def test_control_c_reaches_the_process(podman):
    work = "trap 'echo interrupted; exit 5' INT; echo up; while :; do sleep 1; done"
    terminal, process = run_on_terminal(podman, "sh", "-c", work)
    terminal.read("up")
    os.write(terminal.master, b"\x03")
    terminal.read("interrupted")
    assert process.wait(host.timeout(20)) == 5
