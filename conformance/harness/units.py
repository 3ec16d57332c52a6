"""units.py DIRECTORY LOG: prints how many unit tests passed, failed and were skipped.

`swift test --xunit-output` writes one report for XCTest and one for Swift Testing; which of them exist depends on
what the tests use."""

import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

directory, log = Path(sys.argv[1]), Path(sys.argv[2])
passed = failed = skipped = 0
for report in directory.glob("*.xml"):
    for case in xml.parse(report).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped += 1
        else:
            passed += 1
if passed + failed == 0 and re.search(r"error:|fatalError|Fatal error", log.read_text(errors="replace")):
    failed = 1
print(passed, failed, skipped)
