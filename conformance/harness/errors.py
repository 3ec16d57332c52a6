"""How a runtime must refuse."""

import re

# Lines below the level of an error, in the formats of the runtimes; a warning is not an error.
HARMLESS = re.compile(r"level=(debug|info|warning)|\"level\": ?\"(debug|info|warning)\"|^\S*: ?warning:", re.IGNORECASE)


def one_error(result) -> str:
    """The single line that tells what is wrong."""
    lines = [line for line in result.stderr.splitlines() if line.strip() and not HARMLESS.search(line)]
    assert len(lines) == 1, f"expected one line of error, not {len(lines)}: {result}"
    assert not re.search(r"panic|goroutine \d|Fatal error|Segmentation|traceback", lines[0], re.IGNORECASE), result
    return lines[0]


def refused(result, *words: str, status: int | None = None) -> str:
    """The command failed, with one line that contains all the words (in any case)."""
    if status is None:
        assert result.status > 0, f"expected a failure: {result}"
    else:
        assert result.status == status, f"expected exit status {status}: {result}"
    line = one_error(result)
    for word in words:
        assert word.lower() in line.lower(), f"the error does not name {word!r}: {line}"
    return line
