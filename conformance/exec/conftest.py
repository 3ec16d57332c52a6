"""Fixtures: a container that runs and waits."""

import pytest


@pytest.fixture
def start(runtime, bundle):
    """Starts a container of the bundle, as the test has changed it, whose process waits."""
    def go(*flags, **options):
        if bundle.process["args"] in ([], ["/bin/probe", "report"]):
            bundle.probe("hold")
        return runtime.start(bundle, *flags, **options)

    return go


@pytest.fixture
def container(start):
    return start()
