"""How long a test may take: one that hangs fails, and does not hold up those after it.

`CONFORMANCE_TEST_SECONDS` sets the limit, which holds for each phase of a test: making its fixtures, its body, and the
clean-up."""

import contextlib
import os
import signal
import threading

import pytest

from . import host


def seconds() -> float:
    own = os.environ.get("CONFORMANCE_TEST_SECONDS")
    return float(own) if own else host.timeout(300)


@contextlib.contextmanager
def limited():
    """Ends what takes too long with an exception that no test catches."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("tests have to run in the main thread: only there can they be interrupted")
    limit = seconds()

    def interrupt(*_):
        pytest.fail(f"it takes longer than the {limit:g} s that a test may take")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
