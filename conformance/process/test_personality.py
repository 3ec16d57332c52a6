"""personality (config-linux.md, Personality)."""

import platform

import pytest

LINUX32 = 8


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the names of 32 bit machines are those of x86")
def test_linux32_shows_a_32_bit_machine(runtime, bundle):
    """config-linux.md, Personality: LINUX32 will set uname to show a 32 bit CPU type, such as i686"""
    bundle.linux["personality"] = {"domain": "LINUX32"}
    report = runtime.look(bundle).report
    assert report["machine"] == "i686"
    assert report["personality"] & 0xFF == LINUX32


def test_linux_is_what_there_is_without_the_property(runtime, bundle):
    """config-linux.md, Personality: LINUX"""
    bundle.linux["personality"] = {"domain": "LINUX", "flags": []}
    report = runtime.look(bundle).report
    assert (report["machine"], report["personality"] & 0xFF) == (platform.machine(), 0)


@pytest.mark.parametrize("given", [
    {"domain": "LINUX64"}, {"domain": "linux32"}, {}, {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}])
def test_an_unknown_domain_or_flag_is_refused(runtime, bundle, given):
    """config-linux.md, Personality: the valid list of constants; currently no flag values are supported"""
    bundle.linux["personality"] = given
    runtime.refuses(bundle, "personality")
