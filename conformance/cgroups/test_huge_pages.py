"""Limits of huge pages are felt (config-linux.md, Huge page limits)."""

from pathlib import Path

import pytest

from harness import limits

PAGE = 2 << 20
POOL = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")


@pytest.fixture
def four_pages():
    """A pool of them, which the host may not have."""
    if "hugetlb" not in limits.controllers():
        pytest.skip("this host has no controller hugetlb")
    before = POOL.read_text()
    try:
        POOL.write_text("4")
        if int(POOL.read_text()) < 4:
            pytest.skip("this machine has no memory for four huge pages")
        yield
    except OSError as error:
        pytest.skip(f"this host's pool of huge pages cannot be changed: {error}")
    finally:
        POOL.write_text(before)


def test_huge_pages_beyond_the_limit_are_not_to_be_had(runtime, bundle, four_pages):
    """Reservations fail where the kernel counts them, before anybody dies of a page fault"""
    bundle.linux["resources"] = {"hugepageLimits": [{"pageSize": "2MB", "limit": PAGE}]}
    seen = runtime.look(bundle, ["huge", PAGE], ["huge", 2 * PAGE])
    within, beyond = seen.all("huge")
    assert within.get("signal") == 0, within
    assert beyond.get("error") == "ENOMEM" or beyond.get("signal") == 7, beyond


def test_without_a_limit_huge_pages_are_to_be_had(runtime, bundle, four_pages):
    """Nothing is limited that is not asked for"""
    assert runtime.look(bundle, ["huge", 2 * PAGE])("huge").get("signal") == 0
