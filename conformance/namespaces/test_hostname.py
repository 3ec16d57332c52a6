"""hostname and domainname (config.md, Hostname, Domainname)."""

import platform
from pathlib import Path

import pytest


def test_hostname_and_domainname_are_those_of_the_configuration(runtime, bundle):
    """config.md, Hostname, Domainname: as seen by processes running inside the container"""
    before = platform.node(), Path("/proc/sys/kernel/domainname").read_text()
    bundle.config |= {"hostname": "mrs-dalloway", "domainname": "foo.example"}
    report = runtime.look(bundle).report
    assert (report["hostname"], report["domainname"]) == ("mrs-dalloway", "foo.example")
    assert (platform.node(), Path("/proc/sys/kernel/domainname").read_text()) == before


def test_a_hostname_of_the_greatest_length_fits(runtime, bundle):
    """config.md, Hostname; the kernel takes 64 bytes"""
    bundle.config["hostname"] = "h" * 64
    assert runtime.look(bundle).report["hostname"] == "h" * 64


def test_a_hostname_that_is_too_long_is_refused(runtime, bundle):
    """runtime.md, Create: what cannot be applied is an error"""
    bundle.config["hostname"] = "h" * 65
    runtime.refuses(bundle, "hostname")


@pytest.mark.parametrize("key", ["hostname", "domainname"])
def test_a_name_without_a_uts_namespace_is_refused(runtime, bundle, key):
    """the name of the host must not change"""
    before = platform.node(), Path("/proc/sys/kernel/domainname").read_text()
    bundle.without_namespace("uts").config[key] = "taken-from-the-host"
    runtime.refuses(bundle, key)
    assert (platform.node(), Path("/proc/sys/kernel/domainname").read_text()) == before


def test_without_a_hostname_it_is_that_of_the_runtime(runtime, bundle):
    """config.md, Hostname is OPTIONAL; a new UTS namespace begins as a copy"""
    assert runtime.look(bundle).report["hostname"] == platform.node()
