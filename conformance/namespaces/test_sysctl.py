"""sysctl (config-linux.md, Sysctl)."""

from pathlib import Path

import pytest


def _read(bundle, *names):
    return bundle.probe(*[["read", f"/proc/sys/{name}"] for name in names])


def test_sysctls_of_the_containers_namespaces_are_set(runtime, bundle):
    """config-linux.md, Sysctl: kernel parameters to be modified at runtime for the container"""
    values = {
        "net.ipv4.ip_forward": "1", "net.core.somaxconn": "257", "kernel.shmmax": "7777777",
        "kernel.msgmax": "9000", "fs.mqueue.msg_max": "12", "net.ipv4.ping_group_range": "0 10",
    }
    names = [name.replace(".", "/") for name in values]
    before = {name: Path(f"/proc/sys/{name}").read_text() for name in names}
    bundle.linux["sysctl"] = values
    seen = runtime.look(_read(bundle, *names))
    for name, value in zip(names, values.values()):
        assert seen("read", f"/proc/sys/{name}")["content"].split() == value.split()
    assert {name: Path(f"/proc/sys/{name}").read_text() for name in names} == before, "the host's stay"


def test_slashes_separate_as_well_as_dots(runtime, bundle):
    """config-linux.md, Sysctl: as in sysctl(8), for names of interfaces that contain dots"""
    bundle.linux["sysctl"] = {"net/ipv4/conf/lo/accept_local": "1"}
    seen = runtime.look(_read(bundle, "net/ipv4/conf/lo/accept_local"))
    assert seen("read")["content"].strip() == "1"


def test_sysctls_are_set_although_proc_sys_is_readonly_for_the_program(runtime, bundle):
    """config-linux.md, Sysctl, Readonly Paths"""
    bundle.linux |= {"sysctl": {"net.core.somaxconn": "258"}, "readonlyPaths": ["/proc/sys"]}
    seen = runtime.look(_read(bundle, "net/core/somaxconn"))
    assert seen("read")["content"].strip() == "258"


@pytest.mark.parametrize("name", ["net.ipv4.no_such_thing", "kernel.no_such", "", ".."])
def test_a_sysctl_that_does_not_exist_is_an_error(runtime, bundle, name):
    """runtime.md, Create: what cannot be applied is an error"""
    bundle.linux["sysctl"] = {name: "1"}
    runtime.refuses(bundle, "sysctl")


def test_a_value_that_the_kernel_refuses_is_an_error(runtime, bundle):
    """runtime.md, Create: what cannot be applied is an error"""
    bundle.linux["sysctl"] = {"net.core.somaxconn": "many"}
    runtime.refuses(bundle, "net.core.somaxconn")


@pytest.mark.parametrize("name, value", [("kernel.panic", "0"), ("vm.swappiness", "60"), ("fs.file-max", "1000000")])
def test_a_sysctl_of_the_whole_host_is_refused(runtime, bundle, name, value):
    """a container must not change what it does not own"""
    path = Path("/proc/sys") / name.replace(".", "/")
    before = path.read_text()
    bundle.linux["sysctl"] = {name: value}
    runtime.refuses(bundle, name)
    assert path.read_text() == before


@pytest.mark.parametrize("kind, name", [("network", "net.core.somaxconn"), ("ipc", "kernel.shmmax")])
def test_a_sysctl_of_a_namespace_that_is_the_hosts_is_refused(runtime, bundle, kind, name):
    """a container must not change what it does not own"""
    path = Path("/proc/sys") / name.replace(".", "/")
    before = path.read_text()
    bundle.without_namespace(kind)
    if kind == "ipc":
        bundle.without_mount("/dev/mqueue")
    bundle.linux["sysctl"] = {name: "4321"}
    runtime.refuses(bundle, name)
    assert path.read_text() == before


def test_the_value_must_be_a_string(runtime, bundle):
    """config-linux.md, Sysctl; config.md, Valid values"""
    bundle.linux["sysctl"] = {"net.core.somaxconn": 257}
    runtime.refuses(bundle, "sysctl")
