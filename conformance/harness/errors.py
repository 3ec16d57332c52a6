"""How a runtime must refuse.

The specification leaves open how an error is told. The command line contract, which engines rely on, does not: exit
status 1 and certain texts. Of swrun alone it is asked that the error is one line, and that it names the property or
file that is to blame.
"""

import os
import re

NAME = os.environ.get("RUNTIME_NAME")
KEEPS_CONTRACT = NAME in ("swrun", "runc")

# Lines below the level of an error, in the formats of the runtimes; a warning is not an error.
HARMLESS = re.compile(r"level=(debug|info|warning)|\"level\": ?\"(debug|info|warning)\"|^\S*: ?warning:", re.IGNORECASE)
CRASH = re.compile(r"panic:|goroutine \d|Fatal error|Segmentation|traceback", re.IGNORECASE)


def one_error(result) -> str:
    """The line that tells what is wrong: there is exactly one."""
    lines = [line for line in result.stderr.splitlines() if line.strip() and not HARMLESS.search(line)]
    assert lines, f"the error is not told: {result}"
    assert not CRASH.search(result.stderr), f"this is a crash, not an error: {result}"
    assert len(lines) == 1 or NAME != "swrun", f"expected one line of error, not {len(lines)}: {result}"
    return lines[0]


def refused(result, *texts: str, names: tuple[str, ...] | list[str] = (), status: int = 1) -> str:
    """The command failed with one line. `texts` are what the contract asks for, `names` tells the user the culprit;
    both in any case, and with `|` between alternatives."""
    assert result.status > 0, f"expected a failure: {result}"
    if KEEPS_CONTRACT:
        assert result.status == status, f"expected exit status {status}: {result}"
    line = one_error(result)
    for word in [*(texts if KEEPS_CONTRACT else ()), *(names if NAME == "swrun" else ())]:
        assert any(part in line.lower() for part in word.lower().split("|")), f"the error does not say {word!r}: {line}"
    return line
