"""merge.py ALL PART PLACE: adds the fates of tests in the virtual machine to those of all tests. A test that ran on the
host as well is told apart by its directory, vm/."""

import json
import sys
from pathlib import Path

all, part, place = sys.argv[1:]
prefix = "vm/" if place == "repeated" else ""
fates = json.loads(Path(all).read_text()) if Path(all).exists() else {}
fates |= {prefix + node: fate for node, fate in json.loads(Path(part).read_text()).items()}
Path(all).write_text(json.dumps(fates, indent=1, sort_keys=True))
