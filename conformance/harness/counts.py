"""counts.py RESULTS: prints how many tests passed, failed, were skipped, and failed as a peer is known to."""

import json
import sys
from collections import Counter

fates = Counter(json.load(open(sys.argv[1])).values())
print(fates["passed"] + fates["xpassed"], fates["failed"] + fates["error"], fates["skipped"], fates["xfailed"])
